"""The rows of trials as plain values, for trials.csv and the command `runs`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tuning.records.events import FAILED_STATUSES
from tuning.records.study_record import StudyRecord, TrialRecord

Records = list[dict[str, Any]]
# Attributes of a trial record, in the first columns.
_FIELDS = ("trial", "arm", "role", "number", "status", "reason", "seed", "max_epochs")


def trial_groups(record: StudyRecord) -> list[Records]:
    """Return groups of columns, each a list of one record per trial in the order they were created.

    A record lacks the columns that its trial does not have.
    """
    trials = list(record.trials.values())
    axes = {name for trial in trials for name in trial.config}
    return [
        [{name: None if (value := getattr(trial, name)) == "" else value for name in _FIELDS} for trial in trials],
        [trial.config for trial in trials],
        [{"epochs": len(trial.epochs), "best": trial.best, "best_epoch": trial.best_epoch} for trial in trials],
        # A schedule reports its learning rate under the name of the axis; only history.csv has the reported one.
        [{name: value for name, value in trial.best_metrics.items() if name not in axes} for trial in trials],
        [trial.test for trial in trials],
        [{name: value for name, value in trial.facts.items() if name != "note"} for trial in trials],
        [_prepared(trial) for trial in trials],
        [_seconds(trial) for trial in trials],
        [{"sample": record.header.sample} for _ in trials],
    ]


def side_by_side(groups: Sequence[Records]) -> tuple[list[str], Records]:
    """Join groups of columns.

    Returns:
        Every column's name in the order of first occurrence, and records with all of them, None where absent.
    """
    columns: dict[str, int] = {}  # by column, the first group that has it
    for place, group in enumerate(groups):
        for one in group:
            for name in one:
                columns.setdefault(name, place)
    rows = [{name: groups[place][row].get(name) for name, place in columns.items()} for row in range(len(groups[0]))]
    return list(columns), rows


def _prepared(trial: TrialRecord) -> dict[str, Any]:
    """Return the number of frozen layers, and whether their output was cached or computed in every step."""
    prepared = trial.prepared
    layers = {"frozen_layers": prepared.frozen_layers, "backbone_layers": prepared.backbone_layers}
    facts = {**layers, "features_kept": prepared.features.get("kept")}
    return {name: value for name, value in facts.items() if value is not None}


def _seconds(trial: TrialRecord) -> dict[str, float]:
    """Return the seconds of each phase, and their sum as `seconds`."""
    phases = trial.seconds
    return {**{f"seconds_{phase}": value for phase, value in phases.items()}, "seconds": sum(phases.values())}


def ended_value(trial: TrialRecord) -> float | None:
    """Return a trial's best value; None for a trial that ended without a usable model."""
    return None if trial.status in FAILED_STATUSES else trial.best


def ranked(record: StudyRecord, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials best first, those without a value last.

    Args:
        record: The study, whose objective decides.
        trials: The trials to order.
    """
    key = record.header.objective.sort_key
    values = {trial.trial: ended_value(trial) for trial in trials}
    return sorted(trials, key=lambda trial: math.inf if (value := values[trial.trial]) is None else key(value))
