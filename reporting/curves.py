"""Learning curves of all arms in one picture: what the documents draw, with every seed of a row behind its mean."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reporting.headlines import titled
from reporting.rows import rows
from tuning.records import StudyRecord, TrialRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE_NAME = "curves.png"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # told apart by the colour-blind (Okabe and Ito, 2008)
TOGETHER = len(COLOURS)
# A target's score and its loss, and what their axes say.
PANELS = {
    "class": (("accuracy", "Accuracy"), ("loss", "Loss (nats)")),
    "box": (("iou", "Overlap over union (IoU)"), ("loss", "Loss (mean squared error)")),
}
WIDTH, DOTS_PER_INCH = 10.0, 120  # inches; 1200 pixels
LEGIBLE = 0.99  # of all losses: a few that are far out would flatten the rest


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One score of one arm over its epochs: over the seeds that reached an epoch, mean, least and most."""

    arm: str
    label: str
    seeds: int
    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]


def curves(record: StudyRecord, score: str) -> list[Curve]:
    """One for each arm that has a finished trial: its row's seeds. score: such as "val_accuracy"."""
    found = []
    for row in rows(record):
        curve = _curve(row.arm, row.label, record.confirmed(row.arm), score)
        if curve is not None:
            found.append(curve)
    return found


def _curve(arm: str, label: str, trials: Sequence[TrialRecord], score: str) -> Curve | None:
    values: dict[int, list[float]] = {}
    for trial in trials:
        for epoch in trial.epochs:
            value = epoch.metrics.get(score)
            if value is not None:
                values.setdefault(epoch.epoch, []).append(value)
    if not values:
        return None
    epochs = sorted(values)
    return Curve(
        arm=arm,
        label=label,
        seeds=len(trials),
        epochs=tuple(epochs),
        mean=tuple(math.fsum(values[epoch]) / len(values[epoch]) for epoch in epochs),
        least=tuple(min(values[epoch]) for epoch in epochs),
        most=tuple(max(values[epoch]) for epoch in epochs),
    )


def draw_curves(record: StudyRecord, path: Path) -> bool:
    """Write the picture, whole or not at all. Returns whether there was anything to draw.

    Up to TOGETHER arms share their panels; of more, each has a row of its own, all on the same axes.
    """
    arms = list(dict.fromkeys(curve.arm for curve in curves(record, "val_loss")))
    if not arms:
        return False
    import matplotlib.figure  # no pyplot: nothing here may look for a display

    scores = PANELS[record.header.get("target", "class")]  # studies older than boxes do not say
    together = len(arms) <= TOGETHER
    height = 4.6 if together else 1.9 * len(arms) + 0.8
    figure = matplotlib.figure.Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, layout="constrained")
    figure.suptitle(titled(record, f"{record.task}/{record.name}: validation (lines) and training (dashes)"))
    panels: Any = figure.subplots(1 if together else len(arms), len(scores), squeeze=False, sharex=True, sharey="col")
    for place, row in enumerate(panels):
        for axes, (score, heading) in zip(row, scores, strict=True):
            _draw_panel(axes, record, score, arms if together else [arms[place]])
            axes.set_ylabel(heading)
            axes.grid(alpha=0.3)
            if place == len(panels) - 1:
                axes.set_xlabel("Epoch")
        if not together:
            row[0].set_title(_label(curves(record, "val_loss")[place]), loc="left", fontsize="medium")
    if together:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(2, len(labels)), frameon=False)
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        figure.savefig(partial, format="png")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return True


def _draw_panel(axes: Axes, record: StudyRecord, score: str, arms: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    styles = {arm: _style(place) for place, arm in enumerate(arms)}
    validated = curves(record, f"val_{score}")
    for curve in curves(record, f"train_{score}"):
        if curve.arm in styles:
            axes.plot(curve.epochs, curve.mean, **{**styles[curve.arm], "linestyle": (0, (2, 2)), "linewidth": 1.0})
    for curve in validated:
        if curve.arm in styles:
            style = styles[curve.arm]
            axes.plot(curve.epochs, curve.mean, label=_label(curve), linewidth=2.0, **style)
            axes.fill_between(curve.epochs, curve.least, curve.most, color=style["color"], alpha=0.15, lw=0)
            if len(curve.epochs) == 1:
                axes.plot(curve.epochs, curve.mean, "o", color=style["color"], markersize=7, clip_on=False)
    axes.set_ylim(0, _legible([value for curve in validated for value in curve.mean]) if score == "loss" else 1)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def _label(curve: Curve) -> str:
    return curve.label + (f" (mean of {curve.seeds} seeds, band: all)" if curve.seeds > 1 else "")


def _style(place: int) -> dict[str, Any]:
    return {"color": COLOURS[place], "linestyle": "-", "marker": ".", "markersize": 3}


def _legible(losses: Sequence[float]) -> float:
    ordered = sorted(losses)
    return 1.1 * ordered[min(len(ordered) - 1, int(LEGIBLE * len(ordered)))]
