"""The types of a question: a task over a data set, its arms, its tables. Every other file here is one task."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from datasets.dataset import Dataset
from datasets.view import View
from search_spaces import pixels
from search_spaces.space import Space
from search_spaces.wording import unknown


class UnknownTask(ValueError):
    """No task or arm of that name: the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One row of a task's table, one candidate answer, searched as hard as its rivals."""

    name: str  # "fine_tuned"
    label: str  # "Fine Tuned (Best Variant)", as the document prints it
    learner: str = "keras_learner"  # module of trainables/ with a `create()`
    model: str  # module of trainables/models
    space: Space
    view: View
    max_epochs: int  # ASHA's R
    grace_epochs: int = 1  # ASHA's r
    published: Mapping[str, str] = field(default_factory=dict)  # row labels of results/published/<task>.csv by table
    note: str = ""  # printed in the arm's row, such as "backbone swapped for the sample"


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What "best" means: a validation metric, the best value so far, and its direction."""

    metric: str = "val_accuracy"
    direction: str = "max"  # or "min"

    def better(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        return value > than if self.direction == "max" else value < than


@dataclass(frozen=True, kw_only=True)
class Column:
    """A field of a confirmed row under the document's heading; the mean over seeds, and the deviation beside it."""

    field: str
    heading: str
    digits: int = 4


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as the document prints it. rows: "all" arms, or the "best" arm by validation alone."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: str = "all"


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What `tune` does when nothing is said."""

    trials: int = 20
    confirm_seeds: int = 3
    reduction_factor: int = 3


@dataclass(frozen=True, kw_only=True)
class Task:
    """A question over a data set. `sample` is the same question, small, without a network."""

    name: str  # module name = command-line name = results folder
    title: str
    source: str  # document and section
    dataset: Dataset
    arms: tuple[Arm, ...]
    objective: Objective = Objective()
    tables: tuple[Table, ...]
    defaults: Defaults = Defaults()
    sample: Task | None = None

    def arm(self, name: str) -> Arm:
        """The arm of that name, or the baseline any task can be asked for."""
        for arm in (*self.arms, *baselines(self)):
            if arm.name == name:
                return arm
        known = [arm.name for arm in (*self.arms, *baselines(self))]
        raise UnknownTask(unknown(f"arm of {self.name}", name, known))


def baselines(task: Task) -> tuple[Arm, ...]:
    """Arms every task has without naming them: no network at all, an honest floor."""
    view = replace(task.arms[0].view, augmentation="none")
    return (
        Arm(
            name="pixels",
            label="Logistic Regression on Pixels",
            learner="pixels_learner",
            model="logistic_regression",
            space=pixels.SPACE,
            view=view,
            max_epochs=9,
        ),
    )


def task_names() -> tuple[str, ...]:
    """Every file of this folder but this one, in alphabetical order."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return tuple(sorted(module.name for module in found if module.name != "task"))


def load_task(name: str) -> Task:
    """The task of that name. Raises UnknownTask with the nearest match."""
    if name not in task_names():
        raise UnknownTask(unknown("task", name, task_names()))
    task: Task = importlib.import_module(f"tasks.{name}").TASK
    return task
