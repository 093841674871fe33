"""The pictures of axis_effects.py and of Optuna's importances."""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING

from reporting.plots.axis_effects import AxisEffect, Group, Point
from reporting.plots.figure import COLOURS, INFEASIBLE, NARROW, Picture, logarithmic
from reporting.tables.formatting import legible
from search_spaces.objective import Objective
from tuning.listeners.param_importances import METHOD, Importances

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONG_TICKS = 35  # letters of an axis' choices that fit side by side
BEST, SPREAD = COLOURS[1], COLOURS[0]


def effect_picture(effect: AxisEffect, objective: Objective) -> Picture:
    """Isolation plot: every trial, and for each value or bin the best, the quartiles and the median."""
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
    else:  # where everything has a known size, to measure it all would take half of the time
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
    if not effect.groups:
        if valued:
            best = objective.best(valued)
            axes.plot(best[1], best[0], "D", color=BEST, markersize=6, label="best of all", zorder=4)
        return
    single = all(group.low == group.high for group in effect.groups)
    axes.plot(
        [group.best_at for group in effect.groups],
        [group.best for group in effect.groups],
        "D-" if len(effect.groups) > 1 and not effect.ticks else "D",
        color=BEST,
        markersize=6,
        linewidth=1.5,
        label="best of each value" if single else "best of each bin",
        zorder=4,
    )


def _draw_points(axes: Axes, effect: AxisEffect, objective: Objective) -> None:
    valued = [point for point in effect.points if point.value is not None]
    values = [point.value for point in valued if point.value is not None]
    if values:
        low, high = legible(values, objective)
        axes.set_ylim(low, high)
    size = 22 if len(effect.points) < 500 else 6
    for status, label, face in (("completed", "finished", SPREAD), ("stopped", "stopped early", "none")):
        shown = [point for point in valued if (point.status == "stopped") == (status == "stopped")]
        axes.scatter(
            [_jittered(point, effect) for point in shown],
            [point.value or 0.0 for point in shown],
            s=size,
            facecolors=face,
            edgecolors=SPREAD,
            alpha=0.75 if status == "completed" else 0.5,
            linewidths=1.0,
            label=label if shown else None,
            zorder=3,
        )
    lost = [point for point in effect.points if point.value is None]
    axes.plot(
        [_jittered(point, effect) for point in lost],
        [0.02 if objective.maximizes else 0.98] * len(lost),
        "x",
        color=INFEASIBLE,
        markersize=6,
        transform=axes.get_xaxis_transform(),
        label="infeasible or failed" if lost else None,
        zorder=3,
    )


def _jittered(point: Point, effect: AxisEffect) -> float:
    """Choices are drawn side by side, by a number that the trial's name gives, the same each time."""
    if not effect.ticks:
        return point.position
    return point.position + (zlib.crc32(point.trial.encode()) % 1000 / 1000 - 0.5) * 0.3


def _draw_group(axes: Axes, effect: AxisEffect, group: Group, label: str | None) -> None:
    low, high = group.low, group.high
    if low == high:  # one value: a box as wide as the room that it has
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
    """Bars; of an arm that has importances."""
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
