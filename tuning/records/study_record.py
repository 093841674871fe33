"""The record of a study: what its events add up to. Imports neither Ray nor TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from errors import PodiumError
from tuning.records import events
from tuning.records.event_log import read_events
from tuning.records.events import SCORED_STATUSES, AnyEvent, StudyStatus, TrialRole, TrialStatus
from tuning.records.header import ArmHeader
from tuning.records.study_paths import StudyPaths

Result = TypeVar("Result")


class StudyNotFound(PodiumError):
    """No study of that name: the message is one line for the user."""


@dataclass(kw_only=True)
class TrialRecord:
    """Everything known of one trial."""

    trial: str
    arm: str
    role: TrialRole
    number: int
    config: dict[str, Any]
    seed: int
    max_epochs: int
    asked_time: float
    started_time: float | None = None
    ended_time: float | None = None
    status: TrialStatus = TrialStatus.WAITING
    reason: str = ""
    epochs: list[events.EpochEnded] = field(default_factory=list)
    best: float | None = None
    best_epoch: int | None = None
    prepared: events.Preparation = field(default_factory=events.Preparation)
    test: dict[str, float | None] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def best_metrics(self) -> dict[str, float | None]:
        """Metrics of the best epoch by the study's objective."""
        return self.epochs[self.best_epoch - 1].metrics if self.best_epoch else {}

    @property
    def is_scored(self) -> bool:
        """Whether it ran to its end or to where early stopping ended it, with a finite value."""
        return self.status in SCORED_STATUSES and self.best is not None

    def fold(self, folds: int) -> tuple[int, int] | None:
        """Return the fold that the trial validates on: each confirmation on its own, the search on the first.

        Args:
            folds: How many folds the study has; 0 where it has none.

        Returns:
            The fold's number from 0 and how many there are, or None.
        """
        return ((self.number if self.role == TrialRole.CONFIRM else 0), folds) if folds else None

    @property
    def train_seconds(self) -> float:
        """Seconds spent training, without validation and start-up."""
        return sum(epoch.seconds.get("train", 0.0) for epoch in self.epochs)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by phase, over all epochs."""
        phases = dict.fromkeys(phase for epoch in self.epochs for phase in epoch.seconds)
        return {phase: sum(epoch.seconds.get(phase, 0.0) for epoch in self.epochs) for phase in phases}


@dataclass(kw_only=True)
class StudyRecord:
    """One study, built by applying its events in order; a live study applies them as they come."""

    folder: Path | None = None  # where it was read from; None for one that is only events
    started: events.StudyStarted | None = None
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    ledger: list[events.TestOpened] = field(default_factory=list)
    test_failures: dict[str, str] = field(default_factory=dict)  # by arm: why its test measurement failed
    ensembles: list[events.EnsembleMeasured] = field(default_factory=list)
    status: StudyStatus = StudyStatus.RUNNING
    reason: str = ""
    ended_time: float | None = None
    _derived: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def derived(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Return what was computed under that key, once until the next event.

        Args:
            key: Names the computation and its parameters, such as ("curves", "val_loss").
            compute: Computes the value from this record alone.
        """
        if key not in self._derived:
            self._derived[key] = compute()
        value: Result = self._derived[key]
        return value

    def apply(self, event: AnyEvent) -> None:
        """Add one event.

        Args:
            event: The next event of the log.

        Raises:
            KeyError: The event is of a trial that was never asked.
        """
        self._derived.clear()
        match event:
            case events.StudyStarted():
                self.started = event
            case events.TrialAsked():
                fields = msgspec.structs.asdict(event)
                self.trials[event.trial] = TrialRecord(asked_time=fields.pop("time"), **fields)
            case events.TrialStarted():
                trial = self.trials[event.trial]
                trial.started_time, trial.status = event.time, TrialStatus.RUNNING
            case events.TrialPrepared():
                self.trials[event.trial].prepared = event.facts
            case events.TrialRestarted():
                trial = self.trials[event.trial]
                trial.started_time, trial.status = None, TrialStatus.WAITING
            case events.EpochEnded():
                trial = self.trials[event.trial]
                trial.epochs.append(event)
                trial.best, trial.best_epoch = event.best, event.best_epoch
            case events.TrialEnded():
                trial = self.trials[event.trial]
                trial.status, trial.reason, trial.ended_time = event.status, event.reason, event.time
            case events.TestOpened():
                self.ledger.append(event)
            case events.TestFailed():
                self.test_failures[event.arm] = event.reason
            case events.TestMeasured():
                trial = self.trials[event.trial]
                trial.test, trial.facts = event.metrics, event.facts
            case events.EnsembleMeasured():
                self.ensembles.append(event)
            case events.StudyEnded():
                self.status, self.reason, self.ended_time = event.status, event.reason, event.time
                for trial in self.trials.values():
                    if trial.ended_time is None:
                        trial.status = TrialStatus.INTERRUPTED

    @property
    def header(self) -> events.StudyStarted:
        """Return the study's first event.

        Raises:
            StudyNotFound: Nothing has happened yet.
        """
        if self.started is None:
            raise StudyNotFound(f"{self.folder} holds no started study: its events.jsonl is empty; delete the folder")
        return self.started

    @property
    def task(self) -> str:
        return self.header.task

    @property
    def name(self) -> str:
        return self.header.study

    @property
    def paths(self) -> StudyPaths | None:
        """Names of its files; None where it was not read from a folder."""
        return StudyPaths(self.folder) if self.folder is not None else None

    @property
    def arms(self) -> tuple[ArmHeader, ...]:
        """The arms as the study ran them, in the task's order."""
        return self.header.arms

    def arm(self, name: str) -> ArmHeader:
        """Return the arm of that name. Raises KeyError where the study has none."""
        return {arm.name: arm for arm in self.arms}[name]

    def of_arm(self, arm: str, role: TrialRole | None = None) -> list[TrialRecord]:
        """Return an arm's trials in the order they were asked for.

        Args:
            arm: Name of the arm.
            role: Purpose of the trials; None means all.
        """
        # A copy first: the live display asks from a thread of its own while trials are added.
        return [trial for trial in list(self.trials.values()) if trial.arm == arm and role in (None, trial.role)]

    def better(self, value: float | None, than: float | None) -> bool:
        """Return whether the objective prefers the first value; a missing value never wins.

        Args:
            value: The candidate.
            than: The value to beat.
        """
        return self.header.objective.is_better(value, than)

    def best_of(self, trials: Iterable[TrialRecord]) -> TrialRecord | None:
        """Return the trial with the best validation value, the earlier of two equals, or None."""
        key = self.header.objective.sort_key
        valued = [trial for trial in trials if trial.best is not None]
        return min(valued, key=lambda trial: key(trial.best or 0.0), default=None)

    def ranked(self, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
        """Return the trials, best first, the earlier of two equals; those without a value last."""
        key = self.header.objective.sort_key
        return sorted(trials, key=lambda trial: math.inf if trial.best is None else key(trial.best))

    def best_trial(self, arm: str) -> TrialRecord | None:
        """Return the best scored trial of the arm's search, or None."""
        return self.best_of(trial for trial in self.of_arm(arm, TrialRole.SEARCH) if trial.is_scored)

    def best_trials(self, arm: str, count: int) -> list[TrialRecord]:
        """Return scored trials of the arm's search, best first, the earlier of two equals.

        Args:
            arm: Name of the arm.
            count: Largest number of trials.
        """
        return self.ranked(trial for trial in self.of_arm(arm, TrialRole.SEARCH) if trial.is_scored)[:count]

    def confirmed(self, arm: str) -> list[TrialRecord]:
        """Return the trials an arm's row is made of: its confirmations, or its best trial where there are none."""
        finished = [t for t in self.of_arm(arm, TrialRole.CONFIRM) if t.status == TrialStatus.COMPLETED]
        return finished or self.best_trials(arm, 1)


def replay(recorded: Iterable[AnyEvent], folder: Path | None = None) -> StudyRecord:
    """Build the record of these events.

    Args:
        recorded: Events in order.
        folder: Folder of the study, if any.
    """
    record = StudyRecord(folder=folder)
    for event in recorded:
        record.apply(event)
    return record


def read_study(folder: Path) -> StudyRecord:
    """Read the study in that folder, as far as it came.

    Raises:
        StudyNotFound: The file is damaged or of another version.
    """
    path = StudyPaths(folder).events
    try:
        return replay(read_events(path), folder)
    except (msgspec.MsgspecError, ValueError, LookupError) as error:
        kind = f"{type(error).__name__}: {error}"
        raise StudyNotFound(f"{path} is damaged, or of another version ({kind}); restore it") from None


def read_started(folder: Path) -> StudyRecord:
    """Read the study in that folder. Raises StudyNotFound where nothing has happened in it yet."""
    record = read_study(folder)
    _ = record.header  # raises
    return record
