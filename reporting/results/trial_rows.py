"""A row a trial: what trials.csv holds and `runs` lists, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuning.records.events import FAILED_STATUSES
from tuning.records.study_record import StudyRecord, TrialRecord

Records = list[dict[str, Any]]


def trial_groups(record: StudyRecord) -> list[Records]:
    """Groups of columns side by side, each with a record a trial in the order they were asked.

    A column that a trial does not have is missing in its record.
    """
    trials = list(record.trials.values())
    axes = {name for trial in trials for name in trial.config}
    return [
        [
            {
                "trial": trial.trial,
                "arm": trial.arm,
                "role": trial.role,
                "number": trial.number,
                "status": trial.status,
                "reason": trial.reason or None,
                "seed": trial.seed,
                "max_epochs": trial.max_epochs,
            }
            for trial in trials
        ],
        [trial.config for trial in trials],
        [{"epochs": len(trial.epochs), "best": trial.best, "best_epoch": trial.best_epoch} for trial in trials],
        # A schedule reports a learning rate of its own: history.csv has it, here the name means the axis.
        [{name: value for name, value in trial.best_metrics.items() if name not in axes} for trial in trials],
        [trial.test for trial in trials],
        [{name: value for name, value in trial.facts.items() if name != "note"} for trial in trials],
        [_prepared(trial) for trial in trials],
        [_seconds(trial) for trial in trials],
        [{"sample": record.header.sample} for _ in trials],
    ]


def trial_rows(record: StudyRecord) -> tuple[list[str], Records]:
    """Every column's name in the order of trials.csv, and a record a trial that has each of them, None where absent."""
    groups = trial_groups(record)
    columns: dict[str, int] = {}  # the group that a column comes from: the first that has it, as in trials.csv
    for place, group in enumerate(groups):
        for one in group:
            for name in one:
                columns.setdefault(name, place)
    rows = [{name: groups[place][row].get(name) for name, place in columns.items()} for row in range(len(groups[0]))]
    return list(columns), rows


def _prepared(trial: TrialRecord) -> dict[str, Any]:
    """What was frozen, and whether the frozen layers' output was kept or computed in every step."""
    kept = trial.prepared.features.get("kept")
    layers = {name: getattr(trial.prepared, name) for name in ("frozen_layers", "backbone_layers")}
    frozen = {name: number for name, number in layers.items() if number is not None}
    return frozen if kept is None else {**frozen, "features_kept": kept}


def _seconds(trial: TrialRecord) -> dict[str, float]:
    """By phase, and all of them together as `seconds`."""
    phases = trial.seconds
    return {**{f"seconds_{phase}": value for phase, value in phases.items()}, "seconds": sum(phases.values())}


def ended_value(trial: TrialRecord) -> float | None:
    """A trial's best; of one that ended without a usable model none, whatever it reached before."""
    return None if trial.status in FAILED_STATUSES else trial.best


def ranked(record: StudyRecord, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best first; those without a value last."""
    key = record.header.objective.sort_key

    def rank(trial: TrialRecord) -> tuple[bool, float]:
        value = ended_value(trial)
        return (value is None, 0.0 if value is None else key(value))

    return sorted(trials, key=rank)
