"""Events of a study in order. `events.jsonl` holds one JSON object a line; everything else is derived from it.

The field "event" names the type. Its words on disk never change, even if a class here is renamed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from search_spaces.objective import Objective
from tuning.records.header import ArmHeader, DataHeader, ResumedFrom

Metrics = dict[str, float | None]  # null where not finite


class TrialRole(StrEnum):
    """Purpose of a trial."""

    PRETRAIN = "pretrain"  # its arm's backbone learns first, on other images
    SEARCH = "search"
    CONFIRM = "confirm"


class TrialStatus(StrEnum):
    """Progress of a trial."""

    WAITING = "waiting"  # asked for, but no worker has it yet
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"  # early, by the stopping rule
    INFEASIBLE = "infeasible"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its study ended first


FAILED_STATUSES = (TrialStatus.INFEASIBLE, TrialStatus.FAILED)  # ended without a usable model
SCORED_STATUSES = (TrialStatus.COMPLETED, TrialStatus.STOPPED)  # ended with one


class StudyStatus(StrEnum):
    """Progress of a study."""

    RUNNING = "running"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FATAL = "fatal"


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Anything that happened in a study."""

    time: float = 0.0  # seconds since 1970-01-01 UTC; set by the log


class StudyStarted(Event, frozen=True, kw_only=True, tag="study_started"):
    """The header of a study: everything that determines it, and what reproduces it."""

    task: str
    title: str = ""
    study: str
    source: str = ""
    sample: bool = False
    target: str = "class"  # "class" or "box"; studies older than boxes do not record it
    settings: dict[str, Any] = {}  # fields of StudySettings
    arms: tuple[ArmHeader, ...]
    goes_on: ResumedFrom | None = None
    confirm_seeds: tuple[int, ...] = ()
    early_stopping: bool = False
    reduction_factor: int = 3
    objective: Objective
    share: dict[str, Any] = {}
    data: DataHeader = DataHeader()
    versions: dict[str, str] = {}
    machine: dict[str, Any] = {}
    command: str = ""
    git_commit: str | None = None

    @property
    def folds(self) -> int:
        """Folds on which the best configurations are confirmed; 0 where the data set's own split is used."""
        return int(self.settings.get("folds") or 0)


class TrialAsked(Event, frozen=True, kw_only=True, tag="trial_asked"):
    """A configuration was chosen and waits for a worker."""

    trial: str  # "from_scratch-0003"
    arm: str
    role: TrialRole
    number: int
    config: dict[str, Any]
    seed: int
    max_epochs: int


class TrialStarted(Event, frozen=True, kw_only=True, tag="trial_started"):
    """A worker took the trial up."""

    trial: str


class Preparation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Facts about a prepared model: frozen layers, origin of frozen features."""

    features: dict[str, Any] = {}  # {"kept": bool, "why": str, ...}; empty where nothing is frozen
    class_weights: tuple[float, ...] = ()  # one a class, where they differ
    frozen_layers: int | None = None
    backbone_layers: int | None = None
    frozen_blocks: Any = None


class TrialPrepared(Event, frozen=True, kw_only=True, tag="trial_prepared"):
    """The trial's model is built."""

    trial: str
    facts: Preparation


class TrialRestarted(Event, frozen=True, kw_only=True, tag="trial_restarted"):
    """The worker died before the trial's first epoch; the trial waits again."""

    trial: str
    reason: str = ""


class EpochEnded(Event, frozen=True, kw_only=True, tag="epoch"):
    """A trial trained and validated one epoch."""

    trial: str
    epoch: int  # from 1
    metrics: Metrics  # train_loss, train_accuracy, val_..., learning_rate
    best: float | None  # value of the objective, best so far
    best_epoch: int | None
    seconds: dict[str, float]  # by phase: import, build, features, trace, reset, train, validate, save


class TrialEnded(Event, frozen=True, kw_only=True, tag="trial_ended"):
    """A trial is over."""

    trial: str
    status: TrialStatus
    reason: str = ""


class TestOpened(Event, frozen=True, kw_only=True, tag="test_opened"):
    """The test split is about to be opened for these trials."""

    __test__ = False  # no test class, whatever pytest thinks of its name

    arm: str
    trials: tuple[str, ...]
    reason: str


class TestMeasured(Event, frozen=True, kw_only=True, tag="test_measured"):
    """A model was measured on the test split."""

    __test__ = False

    arm: str
    trial: str
    metrics: Metrics  # test_loss, test_accuracy, ..., final_train_accuracy, ...
    facts: dict[str, Any]  # parameters, size_bytes, note, latency_ms, threads, gpus


class TestFailed(Event, frozen=True, kw_only=True, tag="test_failed"):
    """The measurement of an arm on the test split failed."""

    __test__ = False

    arm: str
    reason: str


class EnsembleMeasured(Event, frozen=True, kw_only=True, tag="ensemble_measured"):
    """The averaged probabilities of several models were measured on the test split."""

    arm: str
    name: str  # of its row
    members: tuple[str, ...]  # trials
    metrics: Metrics
    role: TrialRole = TrialRole.SEARCH  # confirmed seeds, or best of the search


class StudyEnded(Event, frozen=True, kw_only=True, tag="study_ended"):
    """The study is over."""

    status: StudyStatus
    reason: str = ""


TrialEvent = TrialAsked | TrialStarted | TrialPrepared | TrialRestarted | EpochEnded | TrialEnded
TestEvent = TestOpened | TestMeasured | TestFailed | EnsembleMeasured
AnyEvent = StudyStarted | TrialEvent | TestEvent | StudyEnded
