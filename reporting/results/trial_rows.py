"""A row a trial: what trials.csv holds and `runs` lists, as plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tuning.records.events import FAILED_STATUSES
from tuning.records.study_record import StudyRecord, TrialRecord

Records = list[dict[str, Any]]
_FIELDS = ("trial", "arm", "role", "number", "status", "reason", "seed", "max_epochs")  # of a record, the first columns


def trial_groups(record: StudyRecord) -> list[Records]:
    """Groups of columns side by side, each with a record a trial in the order they were asked.

    A column that a trial does not have is missing in its record.
    """
    trials = list(record.trials.values())
    axes = {name for trial in trials for name in trial.config}
    return [
        [{name: None if (value := getattr(trial, name)) == "" else value for name in _FIELDS} for trial in trials],
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


def side_by_side(groups: Sequence[Records]) -> tuple[list[str], Records]:
    """Return every column's name in the order first met, and records that have each of them, None where absent."""
    columns: dict[str, int] = {}  # the group that a column comes from: the first that has it
    for place, group in enumerate(groups):
        for one in group:
            for name in one:
                columns.setdefault(name, place)
    rows = [{name: groups[place][row].get(name) for name, place in columns.items()} for row in range(len(groups[0]))]
    return list(columns), rows


def _prepared(trial: TrialRecord) -> dict[str, Any]:
    """What was frozen, and whether the frozen layers' output was kept or computed in every step."""
    prepared = trial.prepared
    layers = {"frozen_layers": prepared.frozen_layers, "backbone_layers": prepared.backbone_layers}
    facts = {**layers, "features_kept": prepared.features.get("kept")}
    return {name: value for name, value in facts.items() if value is not None}


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
    values = {trial.trial: ended_value(trial) for trial in trials}
    return sorted(trials, key=lambda trial: math.inf if (value := values[trial.trial]) is None else key(value))
