"""Learning curves of an arm's single trials, stopped ones included, optionally coloured by one axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reporting.plots.axis_effects import choices_of, position_of
from reporting.plots.figure import COLOURS, FADED, INFEASIBLE, NARROW, Picture, logarithmic, shades
from reporting.results.arm_results import WORDS
from reporting.results.trial_rows import ranked
from reporting.tables.formatting import legible
from search_spaces.objective import LOSS, Objective
from tuning.records.events import FAILED_STATUSES, TrialRole
from tuning.records.study_record import StudyRecord, TrialRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 120  # most curves in a plot, spread evenly from the best to the worst; more cannot be distinguished
POINTS = 200  # most points of a curve: a plot is some 800 pixels wide
# Axes whose effect on the training curves the food10 report shows.
OF_INTEREST = ("learning_rate", "schedule")


@dataclass(frozen=True, kw_only=True)
class TrialCurves:
    """The trials of one arm's search, the worst first, so that the best are drawn on top."""

    arm: str
    curves: tuple[TrialRecord, ...]  # each thinned to POINTS epochs
    of: int  # number of trials with a value in some epoch, whether or not they are among `curves`


@dataclass(frozen=True, kw_only=True)
class AxisCurves:
    """The same curves with each trial's value of one axis."""

    axis: str
    log: bool
    ticks: tuple[str, ...]  # the choices; empty for a numeric axis
    positions: Mapping[str, float]  # by trial, the number itself, or the place of the choice in `ticks`
    shown: TrialCurves


def trial_curves(record: StudyRecord, arm: str) -> TrialCurves:
    """Return the curves of an arm's search, at most MOST of them.

    Args:
        record: The study.
        arm: Name of the arm.

    Returns:
        No curves where no trial of the search has a value.
    """
    begun = [trial for trial in record.of_arm(arm, TrialRole.SEARCH) if _points(trial, record.header.objective.metric)]
    chosen = thinned(ranked(record, begun), MOST)
    curves = tuple(replace(trial, epochs=thinned(trial.epochs, POINTS)) for trial in reversed(chosen))
    return TrialCurves(arm=arm, curves=curves, of=len(begun))


def axis_curves(record: StudyRecord, arm: str, axis: str) -> AxisCurves | None:
    """Return the curves of an arm's search with each trial's value of an axis.

    Args:
        record: The study.
        arm: Name of the arm.
        axis: Name of the axis.

    Returns:
        None where the axis is unknown or does not vary between the trials that would be shown.
    """
    found, shown = record.arm(arm).axis(axis), trial_curves(record, arm)
    settings = {trial.trial: trial.config[axis] for trial in shown.curves if trial.config.get(axis) is not None}
    if found is None or len(set(map(repr, settings.values()))) < 2:
        return None
    ticks = choices_of(found, list(settings.values()))
    positions = {trial: position_of(value, ticks) for trial, value in settings.items()}
    return AxisCurves(axis=axis, log=found.log, ticks=ticks, positions=positions, shown=shown)


def thinned(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many items: the first, the last, and evenly spaced ones between them.

    Args:
        items: A sequence.
        most: Number of items to keep, at least 2.
    """
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def trial_curves_picture(shown: TrialCurves, objective: Objective) -> Picture:
    """Return the plot of the search: finished trials in colour, stopped ones faded, lost ones with a cross.

    Args:
        shown: The curves.
        objective: The study's objective.
    """
    counts = Counter("lost" if trial.status in FAILED_STATUSES else trial.status for trial in shown.curves)
    return Picture(
        name=f"{shown.arm}/learning_curves",
        title="Learning curves of the search",
        alt=(
            f"{objective.metric} of each trial over its epochs: {counts['completed']} finished, {counts['stopped']} "
            f"stopped early, {counts['lost']} infeasible or failed."
        ),
        caption=_part(shown),
        size=(NARROW, 3.7),
        draw=lambda figure: _draw_trials(figure, shown, objective),
    )


def axis_curves_picture(found: AxisCurves, objective: Objective) -> Picture:
    """Return a plot of training loss above and the objective below, coloured by the axis's value.

    Args:
        found: The curves with their values.
        objective: The study's objective.
    """
    return Picture(
        name=f"{found.shown.arm}/curves_by_{found.axis}",
        title=f"Effect of {found.axis} on training curves",
        alt=(
            f"Training loss and {objective.metric} over the epochs of {len(found.positions)} trials, coloured by "
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
    for trial in shown.curves:
        style, label = _style(trial)
        _draw_curve(axes, trial, objective.metric, label=None if label in labelled else label, **style)
        labelled.add(label)
    _limit(axes, shown.curves, objective.metric, objective)
    axes.set_xlabel("epoch")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")


def _style(trial: TrialRecord) -> tuple[dict[str, Any], str]:
    if trial.status in FAILED_STATUSES:
        return {"color": INFEASIBLE, "alpha": 0.9, "linewidth": 1.0, "linestyle": ":"}, "infeasible or failed"
    if trial.status == "stopped":
        return {"color": FADED, "alpha": 0.5, "linewidth": 1.0}, "stopped early"
    return {"color": COLOURS[0], "alpha": 0.85, "linewidth": 1.4}, WORDS.get(trial.status, trial.status)


def _draw_by_axis(figure: Figure, found: AxisCurves, objective: Objective) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.lines import Line2D

    having = [trial for trial in found.shown.curves if trial.trial in found.positions]
    panels = [(objective.metric, objective)]
    if objective.metric != "train_loss" and any(_points(trial, "train_loss") for trial in having):
        panels.insert(0, ("train_loss", LOSS))
    low, high = min(found.positions.values()), max(found.positions.values())
    scale = LogNorm(low, high) if found.log and not found.ticks else Normalize(low, high)
    colours = shades()
    grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
    for [axes], (metric, better) in zip(grid, panels, strict=True):
        for trial in having:
            position = found.positions[trial.trial]
            colour = COLOURS[int(position) % len(COLOURS)] if found.ticks else colours(scale(position))
            alpha, width = (0.95, 1.6) if trial.status == "completed" else (0.45, 1.0)
            _draw_curve(axes, trial, metric, color=colour, alpha=alpha, linewidth=width)
        _limit(axes, having, metric, better)
    axes.set_xlabel("epoch (thin: stopped early)")
    if found.ticks:
        handles = [
            Line2D([], [], color=COLOURS[place % len(COLOURS)], linewidth=2, label=tick)
            for place, tick in enumerate(found.ticks)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    else:
        bar = figure.colorbar(ScalarMappable(scale, colours), ax=list(grid.flat), label=found.axis)
        if found.log:
            logarithmic(bar.ax.yaxis)


def _points(trial: TrialRecord, metric: str) -> list[tuple[int, float]]:
    """Return the epochs that have a value of the metric, each with the value."""
    return [(epoch.epoch, value) for epoch in trial.epochs if (value := epoch.metrics.get(metric)) is not None]


def _draw_curve(axes: Axes, trial: TrialRecord, metric: str, **style: Any) -> None:
    if not (points := _points(trial, metric)):
        return
    epochs, values = zip(*points, strict=True)
    axes.plot(epochs, values, marker="." if len(points) < 3 else None, markersize=5, **style)
    if trial.status in FAILED_STATUSES:
        axes.plot(epochs[-1], values[-1], "x", color=INFEASIBLE, markersize=6)


def _limit(axes: Axes, trials: Sequence[TrialRecord], metric: str, objective: Objective) -> None:
    from matplotlib.ticker import MaxNLocator

    values = [value for trial in trials for _, value in _points(trial, metric)]
    if values:
        axes.set_ylim(*legible(values, objective))
    axes.set_ylabel("train_loss (nats)" if metric == "train_loss" else metric)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.grid(alpha=0.3)
