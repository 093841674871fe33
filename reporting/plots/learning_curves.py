"""Learning curves of all arms in one plot: the mean and the range over the seeds of each row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reporting.plots.figure import COLOURS, WIDE, Picture, logarithmic, write_picture
from reporting.results.arm_results import summarize_arms
from reporting.results.headings import titled
from reporting.tables.formatting import legible
from search_spaces.objective import LOSS, SCORE, Objective
from tuning.records.events import FAILED_STATUSES, TrialRole
from tuning.records.study_record import StudyRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "curves"
TOGETHER = 4  # most arms in one panel
# The panels of each target: a score and the loss, each with the label of its axis.
PANELS = {
    "class": (("accuracy", "Accuracy"), ("loss", "Loss (nats)")),
    "box": (("iou", "Overlap over union (IoU)"), ("loss", "Loss (mean squared error)")),
}
DOTS_PER_INCH = 120  # 1200 pixels wide
FAR_APART = 20  # ratio of the highest shown to the least loss
CONVERGED = 0.01  # relative distance from its best within which a curve has converged


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One score of one arm by epoch: mean, least and most over the seeds that reached the epoch."""

    arm: str
    label: str
    seeds: int
    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    least: tuple[float, ...]
    most: tuple[float, ...]
    joined_after: int = 0  # epochs of the training that this one continued; 0 where it continued none

    @property
    def own(self) -> Curve:
        """The curve without the training it continued, its epochs counted from 1."""
        first = next((place for place, epoch in enumerate(self.epochs) if epoch > self.joined_after), len(self.epochs))
        return replace(
            self,
            epochs=tuple(epoch - self.joined_after for epoch in self.epochs[first:]),
            mean=self.mean[first:],
            least=self.least[first:],
            most=self.most[first:],
            joined_after=0,
        )

    def converged(self, objective: Objective) -> int:
        """Return the first epoch whose mean is within 1 % of the best mean."""
        best = objective.best(self.mean)
        distance = CONVERGED * abs(best)
        return next(epoch for epoch, value in zip(self.epochs, self.mean, strict=True) if abs(value - best) <= distance)


def curves(record: StudyRecord, score: str) -> list[Curve]:
    """Return a curve for each arm whose row's seeds have the score.

    An arm without a row has the curve of its best trial so far. Curves are computed once per record. Where a study
    resumed a training, the curve begins with the epochs of that training.

    Args:
        record: The study.
        score: Name of a metric, such as "val_accuracy".
    """
    return record.derived(("curves", score), lambda: list(_curves(record, score)))


def _curves(record: StudyRecord, score: str) -> Iterator[Curve]:
    before = record.header.goes_on.history if record.header.goes_on else ()
    for row in summarize_arms(record):
        running = record.best_of(t for t in record.of_arm(row.arm, TrialRole.SEARCH) if t.status not in FAILED_STATUSES)
        trials = record.confirmed(row.arm) or ([running] if running and not row.members else [])
        values: dict[int, list[float]] = {}
        for trial in trials:
            for number, metrics in enumerate([*(e.metrics for e in before), *(e.metrics for e in trial.epochs)], 1):
                value = metrics.get(score)
                if value is not None:
                    values.setdefault(number, []).append(value)
        epochs = sorted(values)
        if epochs:
            yield Curve(
                arm=row.arm,
                label=row.label,
                seeds=len(trials),
                epochs=tuple(epochs),
                mean=tuple(math.fsum(values[epoch]) / len(values[epoch]) for epoch in epochs),
                least=tuple(min(values[epoch]) for epoch in epochs),
                most=tuple(max(values[epoch]) for epoch in epochs),
                joined_after=len(before),
            )


def draw_curves(record: StudyRecord, path: Path) -> bool:
    """Write the plot of a study's learning curves atomically as PNG.

    Args:
        record: The study.
        path: The file to write.

    Returns:
        False where no arm has an epoch, and no file is written.
    """
    picture = curves_picture(record)
    if picture is None:
        return False
    write_picture(picture, path)
    return True


def curves_picture(record: StudyRecord) -> Picture | None:
    """Return the plot of all arms' learning curves, or None where no arm has an epoch.

    Up to TOGETHER arms share their panels. With more arms each has a row of panels, all on the same scales.
    """
    arms = list(dict.fromkeys(curve.arm for curve in curves(record, "val_loss")))
    if not arms:
        return None
    objective = record.header.objective
    needed = "; ".join(
        f"{curve.label}: {len(curve.epochs)} epochs, best {objective.best(curve.mean):.4f}, within 1 % of "
        f"it from epoch {curve.converged(objective)}"
        for curve in curves(record, objective.metric)
    )
    together = len(arms) <= TOGETHER
    return Picture(
        name=NAME,
        title="Learning curves of the arms",
        alt=f"The score and the loss of each arm over its epochs, validation in lines, training in dashes. "
        f"By {objective.metric}: {needed}.",
        caption=f"Diamonds: converged, the first epoch within 1 % of its best. By {objective.metric}: {needed}.",
        size=(WIDE, 5.0 if together else 1.9 * len(arms) + 0.8),
        draw=lambda figure: _draw(figure, record, arms),
        dots_per_inch=DOTS_PER_INCH,
    )


def _draw(figure: Figure, record: StudyRecord, arms: Sequence[str]) -> None:
    together = len(arms) <= TOGETHER
    labels = _labels(record)
    scores = PANELS[record.header.target]  # studies recorded before box tasks existed count as "class"
    heading = f"{record.task}/{record.name}: validation (lines) and training (dashes)"
    if record.header.goes_on is not None:
        heading += f"\nleft of the dotted line: {record.header.goes_on.trial}"
    figure.suptitle(titled(record, heading))
    panels: Any = figure.subplots(1 if together else len(arms), len(scores), squeeze=False, sharex=True, sharey="col")
    for place, row in enumerate(panels):
        for axes, (score, heading) in zip(row, scores, strict=True):
            _draw_panel(axes, record, score, arms if together else [arms[place]])
            axes.set_ylabel(heading)
            axes.grid(alpha=0.3)
            if place == len(panels) - 1:
                axes.set_xlabel("Epoch (diamond: the first within 1 % of the best)")
        if not together:
            row[0].set_title(labels[arms[place]], loc="left", fontsize="medium")
    if together:
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, [labels[name] for name in names], loc="outside lower center", ncols=1, frameon=False)


def _draw_panel(axes: Axes, record: StudyRecord, score: str, arms: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    colours = dict(zip(arms, COLOURS, strict=False))
    dots: dict[str, Any] = {"marker": ".", "markersize": 3}
    validated = curves(record, f"val_{score}")
    for curve in curves(record, f"train_{score}"):
        if colour := colours.get(curve.arm):
            axes.plot(curve.epochs, curve.mean, color=colour, linestyle=(0, (2, 2)), linewidth=1.0, **dots)
    for curve in validated:
        if colour := colours.get(curve.arm):
            axes.plot(curve.epochs, curve.mean, label=curve.arm, color=colour, linewidth=2.0, **dots)
            axes.fill_between(curve.epochs, curve.least, curve.most, color=colour, alpha=0.15, lw=0)
            epoch = curve.converged(LOSS if score == "loss" else SCORE)
            value = curve.mean[curve.epochs.index(epoch)]
            mark: dict[str, Any] = {"markeredgecolor": "black", "markersize": 8, "clip_on": False, "zorder": 5}
            axes.plot(epoch, value, "D", color=colour, **mark)
    for epochs in {curve.joined_after for curve in validated} - {0}:
        axes.axvline(epochs + 0.5, color="grey", linestyle=":", linewidth=1.2)
    if score == "loss" and validated:
        _limit_losses(axes, validated)
    else:
        axes.set_ylim(0, 1.02)  # a line at 1 is then drawn with its full width
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if max((curve.epochs[-1] for curve in validated), default=0) == 1:
        axes.set_xlim(0.5, 2.5)  # by itself the axis would go from 0.945 to 1.055 around a single dot


def _limit_losses(axes: Axes, validated: Sequence[Curve]) -> None:
    """Set the limits of a loss axis: from 0, or logarithmic where the losses differ by a factor over FAR_APART.

    On a linear axis the better losses would then be one flat line. On the logarithmic one, much lower training losses
    are outside the plot.
    """
    high = legible([value for curve in validated for value in curve.mean], LOSS)[1]
    least = min(min(curve.mean) for curve in validated)
    if not 0 < FAR_APART * least < high:
        axes.set_ylim(0, high)
        return
    axes.set_yscale("log")
    axes.set_ylim(least / 3, 1.2 * high)
    logarithmic(axes.yaxis)


def _labels(record: StudyRecord) -> dict[str, str]:
    """Return each arm's legend: its label, its seeds, and its first converged epoch by the study's objective."""
    objective = record.header.objective
    needed = {curve.arm: _convergence(curve, objective) for curve in curves(record, objective.metric)}
    labels = {}
    for curve in curves(record, "val_loss"):
        seeds = f" (mean of {curve.seeds} seeds, band: all)" if curve.seeds > 1 else ""
        labels[curve.arm] = f"{curve.label}{seeds}{needed.get(curve.arm, '')}"
    return labels


def _convergence(curve: Curve, objective: Objective) -> str:
    epoch = curve.converged(objective)
    if epoch < curve.epochs[-1]:
        return f", converged in epoch {epoch}"
    return f", still improving in epoch {epoch}, its last" if len(curve.epochs) > 1 else ""
