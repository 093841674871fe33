"""A study as its events tell it: trials, epochs, openings of the test split. Light: no ray, no tensorflow."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from errors import PodiumError, unknown_name
from tuning.events import FILE_NAME, Event, read_events

LOST = ("infeasible", "failed")  # statuses of trials that ended without a usable model


class StudyNotFound(PodiumError):
    """No study of that name: the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch of one trial."""

    epoch: int  # from 1
    metrics: dict[str, float | None]  # null where not finite
    seconds: dict[str, float]
    time: float


@dataclass(kw_only=True)
class TrialRecord:
    """Everything known of one trial.

    `status` is "asked", "running" once a worker has it, then how it ended; "interrupted" where its study ended first.
    """

    trial: str
    arm: str
    role: str
    number: int
    config: dict[str, Any]
    seed: int
    max_epochs: int
    asked_time: float
    started_time: float | None = None
    ended_time: float | None = None
    status: str = "asked"
    reason: str = ""
    epochs: list[Epoch] = field(default_factory=list)
    best: float | None = None
    best_epoch: int | None = None
    prepared: dict[str, Any] = field(default_factory=dict)  # what was frozen, and where its features came from
    test: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def best_metrics(self) -> dict[str, float | None]:
        """Metrics of the best epoch by the study's objective."""
        return self.epochs[self.best_epoch - 1].metrics if self.best_epoch else {}

    def fold(self, folds: int) -> tuple[int, int] | None:
        """Which of a study's folds it validates on: each confirmation on its own, the search on the first.

        folds: of the study, 0 where it has none. Returns the fold's number and how many there are, or None.
        """
        return ((self.number if self.role == "confirm" else 0), folds) if folds else None

    @property
    def train_seconds(self) -> float:
        """Seconds spent training, validation and start-up apart."""
        return sum(epoch.seconds.get("train", 0.0) for epoch in self.epochs)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by phase, all epochs together."""
        total: dict[str, float] = {}
        for epoch in self.epochs:
            for phase, seconds in epoch.seconds.items():
                total[phase] = total.get(phase, 0.0) + seconds
        return total


@dataclass(kw_only=True)
class StudyRecord:
    """One study. Build it by applying its events in order; a live study applies them as they come."""

    folder: Path | None = None  # where it was read from; None of one that is only events
    header: Event = field(default_factory=dict)  # the study_started event
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    ledger: list[Event] = field(default_factory=list)  # every opening of the test split
    test_failures: dict[str, str] = field(default_factory=dict)  # arm: why its measurement on the test split failed
    ensembles: list[Event] = field(default_factory=list)  # several models of an arm, averaged on the test split
    status: str = "running"
    reason: str = ""
    ended_time: float | None = None

    def apply(self, event: Event) -> None:
        kind = event["event"]
        if kind == "study_started":
            self.header = event
        elif kind == "trial_asked":
            fields = {key: event[key] for key in ("trial", "arm", "role", "number", "config", "seed", "max_epochs")}
            self.trials[event["trial"]] = TrialRecord(**fields, asked_time=event["time"])
        elif kind == "trial_started":
            trial = self.trials[event["trial"]]
            trial.started_time, trial.status = event["time"], "running"
        elif kind == "trial_prepared":
            self.trials[event["trial"]].prepared = event["facts"]
        elif kind == "trial_restarted":
            trial = self.trials[event["trial"]]
            trial.started_time, trial.status = None, "asked"
        elif kind == "epoch":
            trial = self.trials[event["trial"]]
            trial.epochs.append(
                Epoch(epoch=event["epoch"], metrics=event["metrics"], seconds=event["seconds"], time=event["time"])
            )
            trial.best, trial.best_epoch = event["best"], event["best_epoch"]
        elif kind == "trial_ended":
            trial = self.trials[event["trial"]]
            trial.status, trial.reason, trial.ended_time = event["status"], event.get("reason", ""), event["time"]
        elif kind == "test_opened":
            self.ledger.append(event)
        elif kind == "test_failed":
            self.test_failures[event["arm"]] = event["reason"]
        elif kind == "test_measured":
            trial = self.trials[event["trial"]]
            trial.test, trial.facts = event["metrics"], event["facts"]
        elif kind == "ensemble_measured":
            self.ensembles.append(event)
        elif kind == "study_ended":
            self.status, self.reason, self.ended_time = event["status"], event.get("reason", ""), event["time"]
            for trial in self.trials.values():
                if trial.ended_time is None:
                    trial.status = "interrupted"

    @property
    def task(self) -> str:
        return str(self.header["task"])

    @property
    def name(self) -> str:
        return str(self.header["study"])

    @property
    def arms(self) -> list[dict[str, Any]]:
        """The arms as the study ran them, in the task's order."""
        return list(self.header["arms"])

    def of_arm(self, arm: str, role: str | None = None) -> list[TrialRecord]:
        # A copy first: the live display asks from a thread of its own while trials are added.
        return [trial for trial in list(self.trials.values()) if trial.arm == arm and role in (None, trial.role)]

    def better(self, value: float | None, than: float | None) -> bool:
        """Whether the objective prefers the first value; a missing value never wins."""
        if value is None or than is None:
            return value is not None
        return value > than if self.header["objective"]["direction"] == "max" else value < than

    def best_of(self, trials: Iterable[TrialRecord]) -> TrialRecord | None:
        """The one with the best validation value, the earlier of two equals; None where none has a value."""
        best: TrialRecord | None = None
        for trial in trials:
            if trial.best is not None and (best is None or self.better(trial.best, best.best)):
                best = trial
        return best

    def best_trial(self, arm: str) -> TrialRecord | None:
        """The first of its best."""
        best = self.best_trials(arm, 1)
        return best[0] if best else None

    def best_trials(self, arm: str, count: int) -> list[TrialRecord]:
        """Of the arm's search, among those that ran to their end, or to where early stopping ended them.

        The best by validation first, the earlier of two equals.
        """
        ended = [trial for trial in self.of_arm(arm, "search") if trial.status in ("completed", "stopped")]
        scored = [(trial.best, trial) for trial in ended if trial.best is not None]
        if not scored:
            return []
        sign = -1 if self.header["objective"]["direction"] == "max" else 1
        return [trial for _, trial in sorted(scored, key=lambda pair: sign * pair[0])[:count]]

    def confirmed(self, arm: str) -> list[TrialRecord]:
        """The trials an arm's row is made of: its confirmations, or its best trial where there are none."""
        finished = [trial for trial in self.of_arm(arm, "confirm") if trial.status == "completed"]
        if finished:
            return finished
        best = self.best_trial(arm)
        return [best] if best is not None else []


def fold(events: Iterable[Event], folder: Path | None = None) -> StudyRecord:
    record = StudyRecord(folder=folder)
    for event in events:
        record.apply(event)
    return record


def read_study(folder: Path) -> StudyRecord:
    """The study in that folder, as far as it came. Raises StudyNotFound (one line) for a damaged file."""
    # None of these objects is garbage, but a collector that looks at all of them again and again doubles the time:
    # 140,000 events in 1.9 instead of 2.9 s.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return fold(read_events(folder / FILE_NAME), folder)
    except (ValueError, LookupError, TypeError) as error:
        kind = f"{type(error).__name__}: {error}"
        raise StudyNotFound(f"{folder / FILE_NAME} is damaged, or of another version ({kind}); restore it") from None
    finally:
        if collecting:
            gc.enable()


def read_started(folder: Path) -> StudyRecord:
    """The study in that folder. Raises StudyNotFound where nothing has happened in it yet."""
    record = read_study(folder)
    if not record.header:
        raise StudyNotFound(f"{folder} holds no started study: its events.jsonl is empty; delete the folder")
    return record


def find_studies(results: Path, task: str | None = None) -> list[Path]:
    """Folders of studies, oldest first."""
    pattern = f"{task or '*'}/*/{FILE_NAME}"
    return [path.parent for path in sorted(results.glob(pattern), key=lambda path: (_started(path), path))]


def find_study(results: Path, name: str) -> Path:
    """A study by NAME, TASK/NAME, path, or TASK alone for its newest. Raises StudyNotFound with the nearest match."""
    if (Path(name) / FILE_NAME).is_file():
        return Path(name)
    studies = find_studies(results)
    of_task = [study for study in studies if study.parent.name == name]
    if of_task:
        return of_task[-1]
    matches = [study for study in studies if name in (study.name, f"{study.parent.name}/{study.name}")]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise StudyNotFound(
            f"the study name {name!r} stands under several tasks: "
            + ", ".join(f"{study.parent.name}/{study.name}" for study in matches)
        )
    if not studies:
        raise StudyNotFound(f"no study {name!r}: {results} holds none yet; run `cli.py tune TASK` first")
    known = sorted({study.parent.name for study in studies} | {f"{s.parent.name}/{s.name}" for s in studies})
    raise StudyNotFound(unknown_name("study", name, known))


def _started(path: Path) -> float:
    with contextlib.suppress(ValueError, LookupError, TypeError):  # a damaged study does not hide the others
        for event in read_events(path):
            return float(event["time"])
    return path.stat().st_mtime
