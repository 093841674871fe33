"""The types of a question: a task over a data set, its arms, its tables. Every other file here is one task."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datasets.dataset import Counts, DataError, Dataset, Target
from datasets.input_config import InputConfig
from datasets.synthetic.generated_images import GeneratedPictures
from errors import PodiumError, arg, unknown_name
from search_spaces import pixel_logistic
from search_spaces.backbones import SAMPLE_BACKBONE
from search_spaces.objective import Objective
from search_spaces.parameters import Config, Parameter, Value
from search_spaces.space import Space

# Classes of generated pictures, for samples.
DISHES = ("churros", "dumplings", "fried_rice", "cheese_plate", "bibimbap", "pizza", "sushi")


class UnknownTask(PodiumError):
    """An unknown task or arm, explained in one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """Training of an arm's backbone on other images before the study, once for all trials of all studies.

    It begins with the ImageNet weights, or with those of --weights; its best epoch by the task's objective is kept.
    """

    dataset: Dataset  # with the same location as the task's own images
    config: Config  # of trainables/models/families/fine_tuned.py, without the backbone, which the arm names
    view: InputConfig
    epochs: int


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One row of a task's table: a model with its search space. All arms get the same number of trials."""

    name: str  # "fine_tuned"
    label: str  # "Fine Tuned (Best Variant)", as the report prints it
    learner: str = "keras_learner"  # recorded name, see trainables/learners/registry.py
    model: str  # module of trainables/models
    space: Space
    view: InputConfig
    max_epochs: int  # ASHA's R
    grace_epochs: int = 1  # ASHA's r
    pretraining: Pretraining | None = None  # on other images, before the search; the space then has one backbone
    ensemble: bool = False  # one more row, "<name>_ensemble": its confirmed models' probabilities averaged
    trains: bool = True  # False: measured once as its authors left it; epochs, seeds and weights do not apply
    stands_for: Value | None = None  # in a sample: the backbone that the arm has outside of it
    note: str = ""  # printed in the arm's row, such as "backbone swapped for the sample"


def arm(
    name: str, label: str, space: Space, view: InputConfig, *, max_epochs: int, model: str | None = None, **more: Any
) -> Arm:
    """Return an arm whose model is the first word of its name, unless another is named.

    Args:
        name: Name of the arm.
        label: Row heading, as the report prints it.
        space: Its search space.
        view: How its model sees images.
        max_epochs: Epochs of a trial that is not stopped.
        model: Name of the model family.
        more: Further fields of Arm.
    """
    model = model or name.partition("_")[0]
    return Arm(name=name, label=label, model=model, space=space, view=view, max_epochs=max_epochs, **more)


def features_arm(name: str, label: str, space: Space, *, max_epochs: int) -> Arm:
    """Return an arm of logistic regression on a backbone's features of 224-pixel images.

    Args:
        name: Name of the arm.
        label: Row heading.
        space: Its search space.
        max_epochs: Epochs of 20 iterations each.
    """
    learner = {"learner": "features_learner", "model": "backbone_features"}
    return arm(name, label, space, InputConfig(image_size=224, fit="stretch"), max_epochs=max_epochs, **learner)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A field of a confirmed row under the report's heading; the mean over seeds, and the deviation beside it."""

    field: str
    heading: str
    digits: int = 4
    in_seconds: bool = False  # its heading names the unit: a number with these digits, not "34 min 32 s"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as the report prints it. rows: "all" arms, or the "best" arm by validation alone."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: str = "all"


def table(name: str, title: str, *fields: str, rows: str = "all", **headings: str) -> Table:
    """Return a table with these columns in order.

    Args:
        name: Name in file names.
        title: Title.
        fields: Columns whose heading follows from their name: test_accuracy is "Test Accuracy".
        rows: "all" arms, or the "best" one by validation.
        headings: Further columns by field, with their headings.
    """
    splits = {"train": "Training", "val": "Validation", "test": "Test"}
    spelled = {field: " ".join(splits.get(word, word.capitalize()) for word in field.split("_")) for field in fields}
    columns = tuple(
        Column(field=field, heading=heading, in_seconds=heading.endswith("(s)"))
        for field, heading in {**spelled, **headings}.items()
    )
    return Table(name=name, title=title, columns=columns, rows=rows)


def averages(**headings: str) -> tuple[Table, Table]:
    """Return the averages of scikit-learn's classification report as two tables, macro and weighted.

    Args:
        headings: Further columns of the first table.
    """
    scores = ("precision", "recall", "f1")
    macro, weighted = (
        {f"test_{kind}_{score}": f"{kind.capitalize()} {score.capitalize()}" for score in scores}
        for kind in ("macro", "weighted")
    )
    return (
        table("macro_averages", "Tested: accuracy and macro averages", test_accuracy="Accuracy", **macro, **headings),
        table("weighted_averages", "Tested: averages weighted by support", **weighted),
    )


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """Settings of `tune` where none are given."""

    trials: int = 20
    confirm_seeds: int = 3
    reduction_factor: int = 3


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Small version of a task: few images, and the backbone whose weights need no network."""

    dataset: Dataset
    pretraining: Dataset | None = None  # what backbones learn from first, where an arm has them do so
    views: InputConfig | Mapping[str, InputConfig]  # what arms see, all of them or each by its name
    epochs: int  # at most
    trials: int = 6  # of an arm
    confirm_seeds: int = 1
    fixed: Mapping[str, Value] = field(default_factory=dict)  # replace an arm's values of the same name
    parameters: Sequence[Parameter] = ()  # replace an arm's parameters of the same name
    notes: Mapping[str, str] = field(default_factory=dict)  # by parameter: the note of every arm that has it

    def of(self, task: Task) -> Task:
        """Return the task made small."""
        return replace(
            task,
            dataset=self.dataset,
            find_dataset=None,
            sample=None,
            arms=tuple(map(self._arm, task.arms)),
            more_arms=tuple(map(self._arm, task.more_arms)),
            defaults=Defaults(trials=self.trials, confirm_seeds=self.confirm_seeds),
        )

    def _arm(self, arm: Arm) -> Arm:
        view = self.views if isinstance(self.views, InputConfig) else self.views[arm.name]
        view = replace(view, recipe=arm.view.recipe)
        space, first = arm.space, arm.pretraining
        for parameter in self.parameters:
            if parameter.name in {own.name for own in space.axes}:  # what an arm holds stays as it is
                space = space.with_parameter(parameter)
        for name, value in {"backbone": SAMPLE_BACKBONE, **self.fixed}.items():
            if name in space.names:
                space = space.with_value(name, value, source="sample")
        if first is not None and self.pretraining is not None:
            first = replace(first, dataset=self.pretraining, view=view, epochs=min(first.epochs, self.epochs))
        notes = [arm.note, *(note for name, note in self.notes.items() if name in space.names)]
        return replace(
            arm,
            space=space,
            view=view,
            max_epochs=min(arm.max_epochs, self.epochs),
            pretraining=first,
            stands_for=next(iter(arm.space.choices("backbone")), None),
            note="; ".join(filter(None, notes)),
        )


def sample_pictures(name: str, classes: Sequence[str], counts: Counts, side: int, seed: int) -> GeneratedPictures:
    """Return generated pictures for a sample.

    Args:
        name: Name of the data set.
        classes: Class names.
        counts: Images a class in each split.
        side: Side in pixels.
        seed: Seed of the drawings.
    """
    title = f"generated pictures in {len(classes)} classes (sample)"
    return GeneratedPictures(name=name, title=title, classes=tuple(classes), counts=counts, side=side, seed=seed)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A question over a data set. `sample` is the same question, small, without a network."""

    name: str  # module name = command-line name = results folder
    title: str
    source: str  # report and section
    dataset: Dataset
    # Of a task about whatever images the user has: the data set at --data, grouped by --group-by.
    find_dataset: Callable[[str | None, str | None], Dataset] | None = None
    arms: tuple[Arm, ...]
    more_arms: tuple[Arm, ...] = ()  # only trained if named with --arms
    target: Target = "class"  # what a model predicts; for boxes, images are stretched and not augmented
    objective: Objective = field(default_factory=Objective)
    tables: tuple[Table, ...]
    defaults: Defaults = Defaults()
    sample: Sample | None = None

    def sampled(self) -> Task:
        """Return the task's sample.

        Raises:
            UnknownTask: It has none.
        """
        if self.sample is None:
            raise UnknownTask(f"{self.name} has no sample; leave out {arg.sample}")
        return self.sample.of(self)

    def about(self, data: str | None, group_by: str | None = None, allow_pickle: bool = False) -> Task:
        """Return the task for the user's images; a task with a fixed data set returns itself.

        Args:
            data: Folder or table of the images.
            group_by: Grouping of images into splits.
            allow_pickle: Whether a pickle may be read.

        Raises:
            DataError: The images cannot be used, or an option does not apply.
        """
        if allow_pickle and not hasattr(self.dataset, "allow_pickle"):
            raise DataError(f"{arg.allow_pickle} is given, but {self.name} reads no pickle; leave it out")
        if self.find_dataset is not None:
            return replace(self, dataset=self.find_dataset(data, group_by))
        if group_by is not None:
            raise DataError(
                f"only your own images are grouped, not {self.dataset.title}; leave it out",
                argument="group_by",
                value=group_by,
            )
        if not allow_pickle:
            return self
        return replace(self, dataset=replace(self.dataset, allow_pickle=True))  # type: ignore[type-var]

    def arm(self, name: str) -> Arm:
        """Return the arm of that name, or a baseline, which every task has.

        Raises:
            UnknownTask: There is none; the message has the nearest name.
        """
        own = {arm.name: arm for arm in (*self.arms, *self.more_arms)}
        known = own | {arm.name: arm for arm in baselines(self) if arm.name not in own}
        if name not in known:
            raise UnknownTask(unknown_name(f"arm of {self.name}", name, known))
        return known[name]


def baselines(task: Task) -> tuple[Arm, ...]:
    """Arms every task has without naming them: no network at all, an honest floor."""
    view = replace(task.arms[0].view, augmentation="none", epoch_images=None, check_images=None)
    if task.target == "box":
        learner: dict[str, Any] = {"learner": "mean_box_learner", "model": "mean_box", "trains": False}
        return (arm("mean_box", "Mean Training Box", Space(), view, max_epochs=1, **learner),)
    learner = {"learner": "pixels_learner", "model": "logistic_regression"}
    return (arm("pixels", "Logistic Regression on Pixels", pixel_logistic.SPACE, view, max_epochs=9, **learner),)


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks in alphabetical order: the modules of this folder, except this one."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return tuple(sorted(module.name for module in found if module.name != "task"))


def load_task(name: str) -> Task:
    """Return the task of that name.

    Raises:
        UnknownTask: There is none; the message has the nearest name.
    """
    if name not in task_names():
        raise UnknownTask(unknown_name("task", name, task_names()))
    task: Task = importlib.import_module(f"tasks.{name}").TASK
    return task
