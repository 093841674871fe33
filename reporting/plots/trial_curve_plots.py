"""The pictures of trial_curves.py: every trial's learning curve, and the same curves coloured by one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reporting.plots.figure import COLOURS, FADED, INFEASIBLE, NARROW, Picture, logarithmic, shades
from reporting.plots.trial_curves import AxisCurves, TrialCurve, TrialCurves
from reporting.results.arm_results import WORDS
from reporting.tables.formatting import legible
from search_spaces.objective import LOSS, Objective
from tuning.records.events import FAILED_STATUSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def trial_curves_picture(shown: TrialCurves, objective: Objective) -> Picture:
    """Finished trials in colour, stopped ones faded, where a trial became infeasible a cross."""
    counts = {status: sum(curve.status == status for curve in shown.curves) for status in ("completed", "stopped")}
    return Picture(
        name=f"{shown.arm}/learning_curves",
        title="Learning curves of the search",
        alt=(
            f"{shown.metric} of each trial over its epochs: {counts['completed']} finished, {counts['stopped']} "
            f"stopped early, {sum(curve.status in FAILED_STATUSES for curve in shown.curves)} infeasible or failed."
        ),
        caption=_part(shown),
        size=(NARROW, 3.7),
        draw=lambda figure: _draw_trials(figure, shown, objective),
    )


def axis_curves_picture(found: AxisCurves, objective: Objective) -> Picture:
    """Training loss above, the objective below, each trial in the colour of its setting."""
    return Picture(
        name=f"{found.shown.arm}/curves_by_{found.axis}",
        title=f"Effect of {found.axis} on training curves",
        alt=(
            f"Training loss and {found.shown.metric} over the epochs of {len(found.positions)} trials, coloured by "
            f"{found.axis}{': ' + ', '.join(found.ticks) if found.ticks else ''}."
        ),
        caption=_part(found.shown),
        size=(NARROW, 5.2),
        draw=lambda figure: _draw_by_axis(figure, found, objective),
    )


def _part(shown: TrialCurves) -> str:
    if shown.of <= len(shown.curves):
        return ""
    return f"{len(shown.curves)} of {shown.of:,} trials, evenly from best to worst"


def _draw_trials(figure: Figure, shown: TrialCurves, objective: Objective) -> None:
    axes = figure.add_subplot()
    labelled: set[str] = set()
    for curve in shown.curves:
        style, label = _style(curve)
        _draw_curve(axes, curve, shown.metric, label=None if label in labelled else label, **style)
        labelled.add(label)
    _limit(axes, shown.curves, shown.metric, objective)
    axes.set_xlabel("epoch")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")


def _style(curve: TrialCurve) -> tuple[dict[str, Any], str]:
    if curve.status in FAILED_STATUSES:
        return {"color": INFEASIBLE, "alpha": 0.9, "linewidth": 1.0, "linestyle": ":"}, "infeasible or failed"
    if curve.status == "stopped":
        return {"color": FADED, "alpha": 0.5, "linewidth": 1.0}, "stopped early"
    return {"color": COLOURS[0], "alpha": 0.85, "linewidth": 1.4}, WORDS.get(curve.status, curve.status)


def _draw_by_axis(figure: Figure, found: AxisCurves, objective: Objective) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.lines import Line2D

    shown = found.shown
    having = [curve for curve in shown.curves if curve.trial in found.positions]
    lossy = any(value is not None for curve in having for value in curve.scores["train_loss"])
    panels = [("train_loss", LOSS)] if lossy and shown.metric != "train_loss" else []
    panels.append((shown.metric, objective))
    low, high = min(found.positions.values()), max(found.positions.values())
    scale = LogNorm(low, high) if found.log and not found.ticks else Normalize(low, high)
    colours = shades()

    def colour(curve: TrialCurve) -> Any:
        position = found.positions[curve.trial]
        return COLOURS[int(position) % len(COLOURS)] if found.ticks else colours(scale(position))

    grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
    for row, (metric, better) in zip(grid, panels, strict=True):
        for curve in having:
            faded = curve.status != "completed"
            _draw_curve(
                row[0],
                curve,
                metric,
                color=colour(curve),
                alpha=0.45 if faded else 0.95,
                linewidth=1.0 if faded else 1.6,
            )
        _limit(row[0], having, metric, better)
    grid[-1][0].set_xlabel("epoch (thin: stopped early)")
    if found.ticks:
        handles = [
            Line2D([], [], color=COLOURS[place % len(COLOURS)], linewidth=2, label=tick)
            for place, tick in enumerate(found.ticks)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    else:
        bar = figure.colorbar(ScalarMappable(scale, colours), ax=[row[0] for row in grid], label=found.axis)
        if found.log:
            logarithmic(bar.ax.yaxis)


def _draw_curve(axes: Axes, curve: TrialCurve, metric: str, **style: Any) -> None:
    points = [
        (epoch, value) for epoch, value in zip(curve.epochs, curve.scores[metric], strict=True) if value is not None
    ]
    if not points:
        return
    epochs, values = zip(*points, strict=True)
    axes.plot(epochs, values, marker="." if len(points) < 3 else None, markersize=5, **style)
    if curve.status in FAILED_STATUSES:
        axes.plot(epochs[-1], values[-1], "x", color=INFEASIBLE, markersize=6)


def _limit(axes: Axes, curves: Sequence[TrialCurve], metric: str, objective: Objective) -> None:
    from matplotlib.ticker import MaxNLocator

    values = [value for curve in curves for value in curve.scores[metric] if value is not None]
    if values:
        axes.set_ylim(*legible(values, objective))
    axes.set_ylabel("train_loss (nats)" if metric == "train_loss" else metric)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.grid(alpha=0.3)
