"""Learning curves of an arm's single trials, those that were stopped among them, each with its setting of an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.plots.axis_effects import choices_of, position_of
from reporting.results.trial_rows import ended_value, ranked
from tuning.records.events import TrialRole
from tuning.records.study_record import StudyRecord, TrialRecord

MOST = 120  # more curves are no picture; these are spread evenly from the best to the worst
POINTS = 200  # of a curve: a picture is some 800 pixels wide
# Document 4 shows the effect of these two on its training curves.
OF_INTEREST = ("learning_rate", "schedule")


@dataclass(frozen=True, kw_only=True)
class TrialCurve:
    """One trial over its epochs."""

    trial: str
    status: str
    value: float | None  # its best of the objective
    epochs: tuple[int, ...]
    scores: Mapping[str, tuple[float | None, ...]]  # by metric, as long as `epochs`


@dataclass(frozen=True, kw_only=True)
class TrialCurves:
    """Trials of one arm's search, the worst first, so that the best are drawn on top."""

    arm: str
    metric: str
    curves: tuple[TrialCurve, ...]
    of: int  # trials with a value in some epoch, whether they are among `curves` or not


@dataclass(frozen=True, kw_only=True)
class AxisCurves:
    """The same curves with each trial's setting of one axis."""

    axis: str
    log: bool
    ticks: tuple[str, ...]  # the choices; empty for a numeric axis
    positions: Mapping[str, float]  # by trial: the number itself, or the place of the choice in `ticks`
    shown: TrialCurves


def trial_curves(record: StudyRecord, arm: str) -> TrialCurves:
    """Empty where no trial of the search has a value."""
    metric = record.header.objective.metric
    begun = [
        trial
        for trial in record.of_arm(arm, TrialRole.SEARCH)
        if any(epoch.metrics.get(metric) is not None for epoch in trial.epochs)
    ]
    chosen = thinned(ranked(record, begun), MOST)
    return TrialCurves(
        arm=arm,
        metric=metric,
        curves=tuple(_curve(trial, (metric, "train_loss")) for trial in reversed(chosen)),
        of=len(begun),
    )


def axis_curves(record: StudyRecord, arm: str, axis: str) -> AxisCurves | None:
    """None where the axis did not vary between the trials that would be shown."""
    found = record.arm(arm).axis(axis)
    if found is None:
        return None
    shown = trial_curves(record, arm)
    settings = {curve.trial: record.trials[curve.trial].config.get(axis) for curve in shown.curves}
    present = {trial: value for trial, value in settings.items() if value is not None}
    if len({repr(value) for value in present.values()}) < 2:
        return None
    ticks = choices_of(found, list(present.values()))
    return AxisCurves(
        axis=axis,
        log=found.log,
        ticks=ticks,
        positions={trial: position_of(value, ticks) for trial, value in present.items()},
        shown=shown,
    )


def thinned(items: Sequence[Any], most: int) -> list[Any]:
    """First and last, and evenly chosen ones between them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _curve(trial: TrialRecord, metrics: Sequence[str]) -> TrialCurve:
    epochs = thinned(trial.epochs, POINTS)
    return TrialCurve(
        trial=trial.trial,
        status=trial.status,
        value=ended_value(trial),
        epochs=tuple(epoch.epoch for epoch in epochs),
        scores={metric: tuple(epoch.metrics.get(metric) for epoch in epochs) for metric in metrics},
    )
