"""What each axis of an arm did to the validation objective: every trial as a point, and for each value or bin the best
and the spread over everything else ("effect of X on validation accuracy", document 4, section 4). Data, no drawing.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reporting.results.trial_rows import ended_value
from search_spaces.formatting import format_value
from search_spaces.objective import Objective
from tuning.records.events import TrialRole
from tuning.records.header import AnyAxis, ChoiceAxis
from tuning.records.study_record import StudyRecord, TrialRecord

BINS = 5
OF_A_BIN = 3  # trials on average, at least; of fewer there is no spread to see
SEPARATE = 6  # up to so many different numbers that recur stand for themselves; others are put into bins


@dataclass(frozen=True, kw_only=True)
class Point:
    """One trial of the search."""

    trial: str
    position: float  # along the axis: the number itself, or the place of the choice in `ticks`
    value: float | None  # best of the objective; None where it reached none
    status: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """All trials with one value of the axis, or within one bin of it."""

    label: str  # the value, or its bin: "1e-4 to 2.5e-4"
    low: float
    high: float  # position of both ends; equal for one value
    trials: int  # that have a value
    best: float
    best_at: float  # position of the trial that reached it
    quarter: float  # the objective's quartiles over everything else that varied
    median: float
    three_quarters: float


@dataclass(frozen=True, kw_only=True)
class AxisEffect:
    """One axis of one arm."""

    arm: str
    axis: str
    metric: str
    log: bool
    ticks: tuple[str, ...]  # the choices; empty for a numeric axis
    condition: str  # "with optimizer sgd", empty for an axis that every trial has
    points: tuple[Point, ...]
    groups: tuple[Group, ...]  # none where a numeric axis has too few trials for two bins


def effects(record: StudyRecord, arm: str) -> list[AxisEffect]:
    """One for each axis that took two values or more in the arm's search, in the order of its space."""
    trials = [trial for trial in record.of_arm(arm, TrialRole.SEARCH) if trial.ended_time is not None]
    found = []
    for axis in record.arm(arm).axes:
        having = [trial for trial in trials if axis.name in trial.config]
        if len({repr(trial.config[axis.name]) for trial in having}) > 1:
            found.append(_effect(record, arm, axis, having))
    return found


def _effect(record: StudyRecord, arm: str, axis: AnyAxis, trials: Sequence[TrialRecord]) -> AxisEffect:
    ticks = choices_of(axis, [trial.config[axis.name] for trial in trials])
    points = tuple(
        Point(
            trial=trial.trial,
            position=position_of(trial.config[axis.name], ticks),
            value=ended_value(trial),
            status=trial.status,
        )
        for trial in trials
    )
    when = axis.when
    return AxisEffect(
        arm=arm,
        axis=axis.name,
        metric=record.header.objective.metric,
        log=axis.log,
        ticks=ticks,
        condition=f"with {when.axis} {' or '.join(map(format_value, when.values))}" if when else "",
        points=points,
        groups=_groups(points, ticks, axis.log, record.header.objective),
    )


def choices_of(axis: AnyAxis, values: Sequence[Any]) -> tuple[str, ...]:
    """The choices that were taken, in the order of the space; none for a numeric axis."""
    if not isinstance(axis, ChoiceAxis):
        return ()
    taken = {format_value(value) for value in values}
    return tuple(text for text in dict.fromkeys(map(format_value, [*axis.values, *axis.allowed])) if text in taken)


def position_of(value: Any, ticks: Sequence[str]) -> float:
    return float(ticks.index(format_value(value))) if ticks else float(value)


def _groups(points: Sequence[Point], ticks: Sequence[str], log: bool, objective: Objective) -> tuple[Group, ...]:
    valued = [(point.position, point.value) for point in points if point.value is not None]
    positions = sorted({position for position, _ in valued})
    if ticks or (len(positions) <= SEPARATE and len(valued) >= OF_A_BIN * len(positions)):
        bounds = [(position, position) for position in positions]
    elif (bins := min(BINS, len(valued) // OF_A_BIN)) > 1:
        bounds = _bins(positions[0], positions[-1], log, bins)
    else:
        bounds = []
    groups = []
    for number, (low, high) in enumerate(bounds):
        last = number == len(bounds) - 1
        # A value on a bound belongs to the bin that begins there; the last bin has both its ends.
        inside = [(value, at) for at, value in valued if at == low or low < at < high or (last and at == high)]
        if inside:
            label = (
                ticks[int(low)]
                if ticks
                else format_value(low)
                if low == high
                else f"{format_value(low)} to {format_value(high)}"
            )
            groups.append(_group(label, low, high, inside, objective))
    return tuple(groups)


def _bins(low: float, high: float, log: bool, number: int) -> list[tuple[float, float]]:
    if log:
        inner = [low * (high / low) ** (step / number) for step in range(1, number)]
    else:
        inner = [low + (high - low) * step / number for step in range(1, number)]
    edges = [low, *inner, high]  # the ends exactly, whatever rounding says
    return list(itertools.pairwise(edges))


def _group(label: str, low: float, high: float, inside: Sequence[tuple[float, float]], objective: Objective) -> Group:
    """inside: each trial's value and position."""
    values = [value for value, _ in inside]
    quarters = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    best, best_at = objective.best(inside)
    return Group(
        label=label,
        low=low,
        high=high,
        trials=len(values),
        best=best,
        best_at=best_at,
        quarter=quarters[0],
        median=quarters[1],
        three_quarters=quarters[2],
    )
