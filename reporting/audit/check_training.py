"""Checks of how an arm's chosen configuration trained: long enough, or with overfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from reporting.audit import thresholds
from reporting.audit.finding import Finding, Inconclusive, check, next_command, relative_gain
from reporting.plots.learning_curves import Curve, curves
from search_spaces.formatting import format_value
from trainables.learners.registry import LEARNERS
from tuning.records.header import ArmHeader, FloatAxis
from tuning.records.study_record import StudyRecord


@check("training")
def still_improving(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where the mean curve of an arm's seeds had not converged.

    The best value is in the last tenth of the arm's epochs, and the last quarter of the curve improved it by over 1 %.
    """
    objective = record.header.objective
    for curve, arm in _trained(record, objective.metric):
        last = arm.max_epochs
        if len(curve.epochs) < thresholds.LEAST_EPOCHS or curve.epochs[-1] < last:
            yield Inconclusive(
                check="whether it trained long enough",
                arm=curve.arm,
                why=f"it ran {curve.epochs[-1]} of {last} epochs"
                if curve.epochs[-1] < last
                else f"{last} epochs are too few to see a trend, {thresholds.LEAST_EPOCHS} are needed",
            )
            continue
        quarter = max(1, len(curve.mean) // 4)
        earlier = objective.best(curve.mean[:-quarter])
        best = objective.best(curve.mean)
        gain = relative_gain(record, best, earlier)
        at = curve.epochs[curve.mean.index(best)]
        if at <= last - max(1, math.ceil(last / 10)) or gain <= thresholds.GAIN:
            continue
        yield Finding(
            severity="serious",
            title="Training ended while it was still improving",
            arm=curve.arm,
            sentence=(
                f"{curve.label} reached its best {objective.metric}, {best:.4f}, in epoch {at} of {last}; the last "
                f"{f'{quarter} epochs' if quarter > 1 else 'epoch'} improved it by {gain:.1%}, from {earlier:.4f}. Its "
                "row says what it reaches in this budget, not what it can reach."
            ),
            command=next_command(record, epochs=2 * max(arm.max_epochs for arm in record.arms)),
        )


@check("training")
def overfitting(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where validation loss rose by over 10 % while training loss continued to fall.

    The loss must stay above its lowest value for more than one epoch. An arm whose objective improved until its last
    epoch has no finding: an overconfident network may still improve.
    """
    objective = record.header.objective
    training = {curve.arm: curve for curve, _ in _trained(record, "train_loss")}
    gaining = {
        curve.arm for curve, _ in _trained(record, objective.metric) if curve.converged(objective) == curve.epochs[-1]
    }
    for curve, arm in _trained(record, "val_loss"):
        trained = training.get(curve.arm)
        if trained is None or len(curve.epochs) < thresholds.LEAST_EPOCHS or curve.arm in gaining:
            continue
        lowest = min(curve.mean)
        at = curve.epochs[curve.mean.index(lowest)]
        after = curve.mean[curve.mean.index(lowest) + 1 :]
        risen = (1 + thresholds.LOSS_RISE) * lowest
        if len(after) < thresholds.LEAST_EPOCHS_AFTER or math.fsum(after) / len(after) <= risen:
            continue
        tail = max(1, len(curve.mean) // 10)
        end = math.fsum(curve.mean[-tail:]) / tail
        train_then = trained.mean[trained.epochs.index(at)] if at in trained.epochs else trained.mean[-1]
        train_end = math.fsum(trained.mean[-tail:]) / tail
        if lowest <= 0 or end <= risen or train_end >= min(train_then, end):
            continue
        changes, remedy = _against_overfitting(record, arm, at)
        yield Finding(
            severity="note",
            title="It overfits",
            arm=curve.arm,
            sentence=(
                f"{curve.label}: validation loss rose from {lowest:.4f} in epoch {at} to {end:.4f}, while training "
                f"loss fell from {train_then:.4f} to {train_end:.4f}; the gap between them grew from "
                f"{lowest - train_then:.4f} to {end - train_end:.4f}. The row shows its best epoch; {remedy}"
            ),
            command=next_command(record, **changes),
        )


def _against_overfitting(record: StudyRecord, arm: ArmHeader, at: int) -> tuple[dict[str, Any], str]:
    """Return the settings to change: augmentation if there is none, else more dropout, else fewer epochs."""
    name = arm.name
    learner = LEARNERS.get(arm.learner)
    augments = learner is not None and learner.augments and record.header.target == "class"
    if augments and arm.view.get("augmentation") == "none":
        return {"augmentation": "live"}, "its images are not augmented: augment them."
    for axis in arm.axes:
        if axis.name == "dropout" and isinstance(axis, FloatAxis) and axis.low < axis.high < 0.75:
            high = min(0.75, axis.high + 0.25)
            text = f"{format_value(axis.low)}..{format_value(high)}"
            return {"spaces": (f"{name}.dropout={text}",)}, f"search more dropout, {text}."
    epochs = max(1, math.ceil(1.25 * at))
    return {"epochs": epochs}, f"what comes after epoch {at} costs time for nothing: {epochs} epochs are enough."


def _trained(record: StudyRecord, score: str) -> Iterator[tuple[Curve, ArmHeader]]:
    """Yield the mean curve over the seeds of each arm that trains, restricted to this study's epochs."""
    arms = {arm.name: arm for arm in record.arms}
    for curve in curves(record, score):
        if arms[curve.arm].trains and curve.own.epochs:
            yield curve.own, arms[curve.arm]
