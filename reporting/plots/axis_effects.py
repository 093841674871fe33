"""Plots of each axis's effect on the objective (food10 report, section 4), and of Optuna's importances."""

from __future__ import annotations

import itertools
import statistics
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reporting.plots.figure import COLOURS, INFEASIBLE, NARROW, Picture, logarithmic
from reporting.results.trial_rows import ended_value
from reporting.tables.formatting import legible
from search_spaces.formatting import format_value
from search_spaces.objective import Objective
from tuning.listeners.param_importances import METHOD, Importances
from tuning.records.events import TrialRole
from tuning.records.header import AnyAxis, ChoiceAxis
from tuning.records.study_record import StudyRecord, TrialRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 5
OF_A_BIN = 3  # least trials per bin on average; fewer show no spread
SEPARATE = 6  # most different numbers that form a group each if they recur; more are put into bins
LONG_TICKS = 35  # letters of an axis's choices that fit side by side
BEST, SPREAD = COLOURS[1], COLOURS[0]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One trial of the search."""

    trial: str
    position: float  # position along the axis: the number itself, or the place of the choice in `ticks`
    value: float | None  # best value of the objective; None where the trial has none
    status: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """All trials with one value of the axis, or within one bin of it."""

    label: str  # the value, or its bin: "1e-4 to 2.5e-4"
    low: float
    high: float  # `low` and `high` are the positions of both ends; equal for one value
    trials: int  # number of trials that have a value
    best: float
    best_at: float  # position of the trial that reached the best
    quarter: float  # `quarter`, `median` and `three_quarters` are the objective's quartiles over all other axes
    median: float
    three_quarters: float


@dataclass(frozen=True, kw_only=True)
class AxisEffect:
    """The effect of one axis of one arm."""

    arm: str
    axis: str
    metric: str
    log: bool
    ticks: tuple[str, ...]  # the choices; empty for a numeric axis
    condition: str  # "with optimizer sgd", empty for an axis that every trial has
    points: tuple[Point, ...]
    groups: tuple[Group, ...]  # empty where a numeric axis has too few trials for two bins


def effects(record: StudyRecord, arm: str) -> list[AxisEffect]:
    """Return the effect of each axis that took several values in the search, in the order of the space.

    Args:
        record: The study.
        arm: Name of the arm.
    """
    trials = [trial for trial in record.of_arm(arm, TrialRole.SEARCH) if trial.ended_time is not None]
    found = []
    for axis in record.arm(arm).axes:
        having = [trial for trial in trials if axis.name in trial.config]
        if len({repr(trial.config[axis.name]) for trial in having}) > 1:
            found.append(_effect(record, arm, axis, having))
    return found


def _effect(record: StudyRecord, arm: str, axis: AnyAxis, trials: Sequence[TrialRecord]) -> AxisEffect:
    ticks = choices_of(axis, [trial.config[axis.name] for trial in trials])
    positions = [position_of(trial.config[axis.name], ticks) for trial in trials]
    points = tuple(
        Point(trial=trial.trial, position=position, value=ended_value(trial), status=trial.status)
        for trial, position in zip(trials, positions, strict=True)
    )
    return AxisEffect(
        arm=arm,
        axis=axis.name,
        metric=record.header.objective.metric,
        log=axis.log,
        ticks=ticks,
        condition=condition_of(axis),
        points=points,
        groups=_groups(points, ticks, axis.log, record.header.objective),
    )


def condition_of(axis: AnyAxis) -> str:
    """Write when a trial has the axis, such as "with optimizer sgd"; empty where every trial has it."""
    return f"with {axis.when.axis} {' or '.join(map(format_value, axis.when.values))}" if axis.when else ""


def choices_of(axis: AnyAxis, values: Sequence[Any]) -> tuple[str, ...]:
    """Return the choices that trials took, in the order of the space; none for a numeric axis.

    Args:
        axis: The axis.
        values: Its value in each trial.
    """
    if not isinstance(axis, ChoiceAxis):
        return ()
    taken = {format_value(value) for value in values}
    return tuple(text for text in dict.fromkeys(map(format_value, [*axis.values, *axis.allowed])) if text in taken)


def position_of(value: Any, ticks: Sequence[str]) -> float:
    """Return a value's position along a plot's axis: its place in `ticks`, or the number itself.

    Args:
        value: The value of the axis.
        ticks: The choices as text; empty for a numeric axis.
    """
    return float(ticks.index(format_value(value))) if ticks else float(value)


def _groups(points: Sequence[Point], ticks: Sequence[str], log: bool, objective: Objective) -> tuple[Group, ...]:
    valued = [(point.value, point.position) for point in points if point.value is not None]
    positions = sorted({position for _, position in valued})
    bounds: list[tuple[float, float]] = []
    if ticks or (len(positions) <= SEPARATE and len(valued) >= OF_A_BIN * len(positions)):
        bounds = [(position, position) for position in positions]
    elif (bins := min(BINS, len(valued) // OF_A_BIN)) > 1:
        bounds = _bins(positions[0], positions[-1], log, bins)
    groups = []
    for number, (low, high) in enumerate(bounds, 1):
        last = number == len(bounds)
        # A value on a bound belongs to the bin that begins there; the last bin includes both of its ends.
        inside = [(value, at) for value, at in valued if at == low or low < at < high or (last and at == high)]
        if inside:
            label = ticks[int(low)] if ticks else " to ".join(map(format_value, dict.fromkeys((low, high))))
            groups.append(_group(label, low, high, inside, objective))
    return tuple(groups)


def _bins(low: float, high: float, log: bool, number: int) -> list[tuple[float, float]]:
    inner = [
        low * (high / low) ** (step / number) if log else low + (high - low) * step / number
        for step in range(1, number)
    ]
    return list(itertools.pairwise([low, *inner, high]))  # both ends without rounding errors


def _group(label: str, low: float, high: float, inside: Sequence[tuple[float, float]], objective: Objective) -> Group:
    values = [value for value, _ in inside]
    quarter, median, three_quarters = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    best, best_at = objective.best(inside)
    return Group(
        label=label,
        low=low,
        high=high,
        trials=len(values),
        best=best,
        best_at=best_at,
        quarter=quarter,
        median=median,
        three_quarters=three_quarters,
    )


def effect_picture(effect: AxisEffect, objective: Objective) -> Picture:
    """Return the isolation plot of an axis: every trial, and the best, quartiles and median of each group.

    Args:
        effect: The effect of the axis.
        objective: The study's objective, which defines the better direction.
    """
    groups = "; ".join(
        f"{group.label}: best {group.best:.4f}, median {group.median:.4f} of {group.trials}" for group in effect.groups
    )
    lost = sum(point.value is None for point in effect.points)
    few = f"{len(effect.points) - lost} trials have a value, too few to compare groups of them"
    bad = f" {lost} infeasible or failed trials are marked at the edge." if lost else ""
    condition = f" {effect.condition}" if effect.condition else ""
    return Picture(
        name=f"{effect.arm}/effect_{effect.axis}",
        title=f"Effect of {effect.axis}{condition}",
        alt=f"Effect of {effect.axis} on {effect.metric}{condition}. {groups or few}.{bad}",
        size=(NARROW, 3.5),
        draw=lambda figure: _draw_effect(figure, effect, objective),
    )


def _draw_effect(figure: Figure, effect: AxisEffect, objective: Objective) -> None:
    long = len("".join(effect.ticks)) > LONG_TICKS
    if long:
        axes = figure.add_subplot()
    else:  # all sizes are known here; measuring them would take half of the drawing time
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.14, 0.33, 0.8, 0.63))
    if effect.log and not effect.ticks:
        axes.set_xscale("log")
    _draw_points(axes, effect, objective)
    for number, group in enumerate(effect.groups):
        _draw_group(axes, effect, group, label="middle half, median" if number == 0 else None)
    _draw_best(axes, effect, objective)
    if effect.ticks:
        axes.set_xticks(range(len(effect.ticks)), effect.ticks, rotation=20 if long else 0)
        axes.set_xlim(-0.6, len(effect.ticks) - 0.4)
    elif effect.log:
        logarithmic(axes.xaxis)
    axes.set_xlabel(f"{effect.axis}{f' ({effect.condition})' if effect.condition else ''}")
    axes.set_ylabel(effect.metric)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center" if long else "lower center", ncols=2, frameon=False, fontsize="small")


def _draw_best(axes: Axes, effect: AxisEffect, objective: Objective) -> None:
    valued = [(point.value, point.position) for point in effect.points if point.value is not None]
    best, label = [(group.best, group.best_at) for group in effect.groups], "best of each value"
    if not best:
        best, label = [objective.best(valued)] if valued else [], "best of all"
    elif any(group.low != group.high for group in effect.groups):
        label = "best of each bin"
    if best:
        values, positions = zip(*best, strict=True)
        line = "D-" if len(best) > 1 and not effect.ticks else "D"
        axes.plot(positions, values, line, color=BEST, markersize=6, linewidth=1.5, label=label, zorder=4)


def _draw_points(axes: Axes, effect: AxisEffect, objective: Objective) -> None:
    values = [point.value for point in effect.points if point.value is not None]
    if values:
        axes.set_ylim(*legible(values, objective))
    size = 22 if len(effect.points) < 500 else 6
    for stopped, label, face, alpha in ((False, "finished", SPREAD, 0.75), (True, "stopped early", "none", 0.5)):
        shown = [
            (_jittered(point, effect), point.value)
            for point in effect.points
            if point.value is not None and (point.status == "stopped") == stopped
        ]
        if shown:
            positions, heights = zip(*shown, strict=True)
            style: dict[str, Any] = {"facecolors": face, "edgecolors": SPREAD, "linewidths": 1.0, "zorder": 3}
            axes.scatter(positions, heights, s=size, alpha=alpha, label=label, **style)
    lost = [_jittered(point, effect) for point in effect.points if point.value is None]
    if lost:
        edge = 0.02 if objective.maximizes else 0.98
        style = {"color": INFEASIBLE, "markersize": 6, "label": "infeasible or failed", "zorder": 3}
        axes.plot(lost, [edge] * len(lost), "x", transform=axes.get_xaxis_transform(), **style)


def _jittered(point: Point, effect: AxisEffect) -> float:
    if not effect.ticks:
        return point.position
    return point.position + (zlib.crc32(point.trial.encode()) % 1000 / 1000 - 0.5) * 0.3  # reproducible


def _draw_group(axes: Axes, effect: AxisEffect, group: Group, label: str | None) -> None:
    low, high = group.low, group.high
    if low == high:  # one value: a box as wide as the distance to its neighbours allows
        factor, width = (1.06, 0.0) if effect.log and not effect.ticks else (1.0, _box(effect))
        low, high = low / factor - width, high * factor + width
    axes.fill_between(
        [low, high], group.quarter, group.three_quarters, color=SPREAD, alpha=0.16, linewidth=0, label=label
    )
    axes.plot([low, high], [group.median] * 2, color=SPREAD, linewidth=1.5, zorder=2)


def _box(effect: AxisEffect) -> float:
    if effect.ticks:
        return 0.3
    positions = sorted({group.low for group in effect.groups})
    return 0.2 * min((b - a for a, b in itertools.pairwise(positions)), default=1.0)


def importance_picture(found: Importances) -> Picture:
    """Return a bar plot of an arm's importances, which must not be empty."""
    shares = "; ".join(f"{axis} {share:.2f}" for axis, share in found.shares.items())
    few = ", a hint rather than a finding" if found.trials < 30 else ""
    return Picture(
        name=f"{found.arm}/importances",
        title="Importance of each axis",
        alt=f"Importance of each axis for the objective, of 1 in all: {shares}.",
        caption=f"{METHOD}. Over {found.trials} trials{few}; stopped ones with their best until then.",
        size=(NARROW, max(2.0, 0.34 * len(found.shares) + 1.0)),
        draw=lambda figure: _draw_importances(figure, found),
    )


def _draw_importances(figure: Figure, found: Importances) -> None:
    axes = figure.add_subplot()
    names = list(reversed(list(found.shares)))
    bars = axes.barh(names, [found.shares[name] for name in names], color=SPREAD, height=0.65)
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize="small")
    axes.set_xlim(0, min(1.15, max(found.shares.values()) * 1.2))
    axes.set_xlabel("importance (share of 1)")
    axes.spines[["top", "right"]].set_visible(False)
