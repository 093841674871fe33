"""Checks of how an arm's chosen configuration trained: long enough, or too well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reporting.audit_finding import Finding, Unjudged, next_command, relative_gain
from reporting.curves import Curve, curves
from search_spaces.wording import setting
from trainables.learners.registry import LEARNERS
from tuning.records import StudyRecord

LEAST_EPOCHS = 4  # of fewer a quarter is less than one
GAIN = 0.01  # over the last quarter of its epochs: 1 %, as in "converged"
LEAST_AFTER = 2  # epochs after the lowest validation loss: one alone may be chance
ROSE = 0.1  # validation loss above its lowest, while training loss still falls


def still_improving(record: StudyRecord) -> Iterator[Finding | Unjudged]:
    """The mean curve of an arm's seeds had not converged: its best lies in the last tenth of the epochs it was given,
    and its last quarter improved it by over 1 %.
    """
    objective = record.header["objective"]
    for curve, arm in _trained(record, objective["metric"]):
        last = int(arm["max_epochs"])
        if len(curve.epochs) < LEAST_EPOCHS or curve.epochs[-1] < last:
            yield Unjudged(
                check="whether it trained long enough",
                arm=curve.arm,
                why=f"it ran {curve.epochs[-1]} of {last} epochs"
                if curve.epochs[-1] < last
                else f"{last} epochs are too few to see a trend, {LEAST_EPOCHS} are needed",
            )
            continue
        quarter = max(1, len(curve.mean) // 4)
        earlier = _best(curve.mean[:-quarter], objective["direction"])
        best = curve.best(objective["direction"])
        gain = relative_gain(record, best, earlier)
        at = curve.epochs[curve.mean.index(best)]
        if at <= last - max(1, math.ceil(last / 10)) or gain <= GAIN:
            continue
        yield Finding(
            name="still_improving",
            severity="serious",
            title="Training ended while it was still improving",
            arm=curve.arm,
            sentence=(
                f"{curve.label} reached its best {objective['metric']}, {best:.4f}, in epoch {at} of {last}; the last "
                f"{f'{quarter} epochs' if quarter > 1 else 'epoch'} improved it by {gain:.1%}, from {earlier:.4f}. Its "
                "row says what it reaches in this budget, not what it can reach."
            ),
            evidence={"epoch": at, "epochs": last, "best": best, "before": earlier},
            command=next_command(record, epochs=2 * _most_epochs(record)),
        )


def overfitting(record: StudyRecord) -> Iterator[Finding | Unjudged]:
    """Validation loss rose by over 10 % from its lowest, and stayed there, while training loss fell on below it.

    Silent where one epoch alone says so, and where the objective gained until the last epoch all the same: a network
    that grows too sure of itself may still get better.
    """
    objective = record.header["objective"]
    training = {curve.arm: curve for curve, _ in _trained(record, "train_loss")}
    gaining = {
        curve.arm
        for curve, _ in _trained(record, objective["metric"])
        if curve.converged(objective["direction"]) == curve.epochs[-1]
    }
    for curve, arm in _trained(record, "val_loss"):
        trained = training.get(curve.arm)
        if trained is None or len(curve.epochs) < LEAST_EPOCHS or curve.arm in gaining:
            continue
        lowest = min(curve.mean)
        at = curve.epochs[curve.mean.index(lowest)]
        after = curve.mean[curve.mean.index(lowest) + 1 :]
        if len(after) < LEAST_AFTER or math.fsum(after) / len(after) <= (1 + ROSE) * lowest:
            continue
        tail = max(1, len(curve.mean) // 10)
        end = math.fsum(curve.mean[-tail:]) / tail
        train_then = trained.mean[trained.epochs.index(at)] if at in trained.epochs else trained.mean[-1]
        train_end = math.fsum(trained.mean[-tail:]) / tail
        if lowest <= 0 or end <= (1 + ROSE) * lowest or train_end >= min(train_then, end):
            continue
        changes, remedy = _against_overfitting(record, arm, at)
        yield Finding(
            name="overfitting",
            severity="note",
            title="It overfits",
            arm=curve.arm,
            sentence=(
                f"{curve.label}: validation loss rose from {lowest:.4f} in epoch {at} to {end:.4f}, while training "
                f"loss fell from {train_then:.4f} to {train_end:.4f}; the gap between them grew from "
                f"{lowest - train_then:.4f} to {end - train_end:.4f}. The row shows its best epoch; {remedy}"
            ),
            evidence={"epoch": at, "lowest": lowest, "end": end, "train_then": train_then, "train_end": train_end},
            command=next_command(record, **changes),
        )


def _against_overfitting(record: StudyRecord, arm: Mapping[str, Any], at: int) -> tuple[dict[str, Any], str]:
    """What to change: augmentation where there is none, else more dropout, else an earlier end."""
    name = arm["name"]
    learner = LEARNERS.get(arm.get("learner", ""))
    augments = learner is not None and learner.augments and record.header.get("target", "class") == "class"
    if augments and (arm.get("view") or {}).get("augmentation") == "none":
        return {"augmentation": "live"}, "its images are not augmented: augment them."
    for axis in arm.get("axes", ()):
        if axis["name"] == "dropout" and axis["kind"] == "real" and axis["low"] < axis["high"] < 0.75:
            high = min(0.75, axis["high"] + 0.25)
            text = f"{setting(axis['low'])}..{setting(high)}"
            return {"spaces": (f"{name}.dropout={text}",)}, f"search more dropout, {text}."
    epochs = max(1, math.ceil(1.25 * at))
    return {"epochs": epochs}, f"what comes after epoch {at} costs time for nothing: {epochs} epochs are enough."


def _trained(record: StudyRecord, score: str) -> Iterator[tuple[Curve, Mapping[str, Any]]]:
    """The mean curves of the arms that train, over the seeds of their rows; of the epochs this study gave them."""
    arms = {arm["name"]: arm for arm in record.arms}
    for curve in curves(record, score):
        if arms[curve.arm].get("trains", True) and curve.own.epochs:
            yield curve.own, arms[curve.arm]


def _most_epochs(record: StudyRecord) -> int:
    return max(int(arm["max_epochs"]) for arm in record.arms)


def _best(values: Sequence[float], direction: str) -> float:
    return max(values) if direction == "max" else min(values)
