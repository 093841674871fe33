"""Plan of a study: arms, configurations, budgets, rungs, shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from datasets.store.folds import Fold
from search_spaces.objective import Objective
from search_spaces.parameters import Axis, CategoricalParameter, IntParameter
from tasks.task import Arm, Task
from trainables.learners.registry import find_learner
from tuning.plan.command_line import name_options
from tuning.plan.config_list import ConfigListEntry
from tuning.plan.resources import Share
from tuning.plan.resume_from import Origin
from tuning.plan.settings import StudySettings
from tuning.records.header import AnyAxis, AxisCondition, ChoiceAxis, FloatAxis, IntAxis
from tuning.stopping import NONE

# Axes that say how much of a backbone stays as it is; trainables/models/parts/built_network.py reads them.
FREEZING = ("frozen_fraction", "frozen_layers")
WARMUP = "warmup_epochs"  # trainables/training/phases.py reads it
GRID_POINTS = 5  # values that a continuous axis takes in a grid


@dataclass(frozen=True, kw_only=True)
class ArmPlan:
    """One arm's budget."""

    arm: Arm  # with its space, view and epochs as this study has them
    trials: int
    listed: tuple[ConfigListEntry, ...] = ()  # with --configs: exactly these

    @property
    def freeze_points(self) -> tuple[dict[str, Any], ...]:
        """Freeze points that trials may ask for, if they are a list; their prefixes are computed together."""
        points: list[dict[str, Any]] = [
            {name: listed.config[name]} for listed in self.listed for name in FREEZING if name in listed.config
        ]
        if not self.listed:
            points = [{name: value} for name in FREEZING for value in self.arm.space.choices(name)]
        if points and WARMUP in self.arm.space.names:
            points.append({"frozen_fraction": 1.0})  # while the head learns alone
        return tuple({str(point): point for point in points}.values())

    @property
    def full_epochs(self) -> int:
        """Epochs of a trial that is not stopped; where they are listed, of the longest."""
        return max((listed.epochs for listed in self.listed), default=self.arm.max_epochs)

    def rungs(self, factor: int) -> list[tuple[int, int]]:
        """(epoch, how many trials reach it at least), ASHA's rungs below the last epoch, then the last epoch.

        1 in `factor` goes on at each rung (Li et al., 2020); asynchronous halving lets a few more through, since
        the first trial at a rung always goes on.
        """
        rungs: list[tuple[int, int]] = []
        epoch, reach = self.arm.grace_epochs, self.trials
        while epoch < self.arm.max_epochs:
            rungs.append((epoch, reach))
            epoch, reach = epoch * factor, max(1, math.ceil(reach / factor))
        rungs.append((self.arm.max_epochs, reach))
        return rungs

    def expected_epochs(self, factor: int, early_stopping: bool) -> int:
        """Return the epochs of the arm's search if each rung promotes 1 trial in `factor`.

        Args:
            factor: Reduction factor.
            early_stopping: Whether trials are stopped.
        """
        if self.listed:
            return sum(listed.epochs for listed in self.listed)
        if not early_stopping:
            return self.trials * self.arm.max_epochs
        rungs = pairwise([(0, 0), *self.rungs(factor)])
        return sum((epoch - before) * reach for (before, _), (epoch, reach) in rungs)


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """Everything decided about one study."""

    task: Task
    settings: StudySettings
    name: str
    folder: Path
    arms: tuple[ArmPlan, ...]
    confirm_seeds: tuple[int, ...]
    objective: Objective
    stopping_rule: str  # a module of tuning/stopping
    share: Share
    origin: Origin | None = None  # what its trials go on from

    @property
    def early_stopping(self) -> bool:
        return self.stopping_rule != NONE

    @property
    def reduction_factor(self) -> int:
        return self.task.defaults.reduction_factor

    @property
    def folds(self) -> int:
        """Divisions into training and validation on which the best are confirmed; 0 keeps the data set's own."""
        return self.settings.folds or 0

    @property
    def fold(self) -> Fold | None:
        """The division that the search sees."""
        return Fold(number=0, of=self.folds) if self.folds else None

    def seeds_of(self, arm: ArmPlan) -> tuple[int, ...]:
        """With which the arm's best is trained again. Without any, the best search trial itself is tested."""
        return self.confirm_seeds if arm.arm.trains else ()

    def searched_models(self, arm: ArmPlan) -> int:
        """Return how many models of the search are kept, for averaging or because nothing confirms the best."""
        return max(self.settings.ensemble or 0, 0 if self.seeds_of(arm) else 1)

    def kept_every(self, arm: ArmPlan) -> int | None:
        """Return after how many epochs each an arm's training keeps its state; None where it keeps none."""
        return self.settings.keep_epochs if find_learner(arm.arm.learner).can_resume else None

    def kept_states(self, arm: ArmPlan) -> int:
        """Return how many training states --keep-epochs leaves: every N-th epoch and the last one of each trial."""
        every = self.kept_every(arm)
        return self.epochs_of(arm) // every + arm.trials + len(self.seeds_of(arm)) if every else 0

    def epochs_of(self, arm: ArmPlan) -> int:
        """Epochs expected of an arm in search and confirmation together."""
        search = arm.expected_epochs(self.reduction_factor, self.early_stopping)
        return search + len(self.seeds_of(arm)) * arm.full_epochs

    @property
    def total_epochs(self) -> int:
        """Epochs expected of all arms."""
        return sum(self.epochs_of(arm) for arm in self.arms)


def axis_header(axis: Axis) -> AnyAxis:
    """Return an axis as events and files keep it."""
    when = AxisCondition(axis=axis.when.parameter, values=axis.when.values) if axis.when else None
    source = name_options(axis.source)
    if isinstance(axis, CategoricalParameter):
        return ChoiceAxis(name=axis.name, source=source, when=when, values=axis.values, allowed=axis.allowed)
    if isinstance(axis, IntParameter):
        return IntAxis(name=axis.name, source=source, when=when, low=axis.low, high=axis.high, log=axis.log)
    return FloatAxis(name=axis.name, source=source, when=when, low=axis.low, high=axis.high, log=axis.log)
