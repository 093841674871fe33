"""Learning-rate schedules as pure functions of where training stands and what it has seen.

Pure, because a trial is trained one epoch at a time and may resume: Keras's own plateau callback forgets at every `fit`
(`ReduceLROnPlateau.on_train_begin` resets it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from errors import unknown_name
from search_spaces.aliases import current_word
from search_spaces.allowed_values import SCHEDULES

PLATEAU_FACTOR = 0.5  # document 4, section 4, LR Annealing: halved
PLATEAU_PATIENCE = 10  # epochs, document 4
PLATEAU_MIN_DELTA = 1e-4  # the default of keras.callbacks.ReduceLROnPlateau, which document 4's code leaves alone
STEP, POLYNOMIAL = "step_decay_", "polynomial_decay_"  # before the factor, and before the degree
STEP_EPOCHS = 5  # document 2, MiniVGGNet on CIFAR-10, variant b: lr = .01 * .25 ** floor((1 + e) / 5)
BOUNDARIES = (
    0.7,
    0.9,
)  # document 2, ResNet on CIFAR-10, version 3: 0.1, from epoch 70 of 100 0.01, from epoch 90 0.001
BEND, AT_BEND = 0.7, 0.1  # the same, version 4: 0.1 - 9 e / 7000 up to epoch 70 of 100, then (100 - e) / 3000


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a training stands, just before an optimizer's step."""

    epoch: int  # from 0
    max_epochs: int
    step: int  # within the epoch, from 0
    steps_per_epoch: int
    train_losses: Sequence[float] = ()  # of the epochs finished, in order


def check(schedule: str) -> str:
    """Return today's name of the schedule. Raises ValueError (one line, nearest match) where there is none."""
    current: str = current_word("schedule", schedule)
    if current not in SCHEDULES:
        raise ValueError(unknown_name("schedule", schedule, SCHEDULES))
    return current


def learning_rate(schedule: str, base: float, progress: Progress) -> float:
    """Return the learning rate of the next step: never negative, never above `base`.

    Args:
        schedule: one of
            constant: base.
            reduce_on_plateau: times 0.5 whenever the training loss has not fallen by 1e-4 for 10 epochs.
            step_decay_FACTOR: base * factor ** floor((1 + epoch) / 5), with factor 0.25 or 0.5.
            piecewise_constant: a tenth from 70 % of the epochs on, a hundredth from 90 %.
            polynomial_decay_DEGREE: base * (1 - epoch / max_epochs) ** degree, with degree 1 or 2.
            piecewise_linear: falls linearly to a tenth at 70 % of the epochs, then linearly to 0.
            inverse_time_decay: base / (1 + decay * iteration) with decay = base / max_epochs, the `decay` of Keras's
                optimizers before 2.11.
            cosine: base * (1 + cos(pi * epoch / max_epochs)) / 2 (Loshchilov and Hutter, 2017, without restarts).
        base: the rate that training starts with.
        progress: where training stands.

    Raises:
        ValueError: one line, for an unknown schedule or progress out of range.
    """
    schedule = check(schedule)
    if not (progress.epoch >= 0 and progress.step >= 0 and progress.max_epochs >= 1 and progress.steps_per_epoch >= 1):
        raise ValueError(f"progress is {progress}, but epochs and steps count from 0, their totals from 1")
    # A study may be extended beyond the epochs it was planned for: decaying schedules then stay at their end.
    fraction = min(progress.epoch / progress.max_epochs, 1.0)
    if schedule == "reduce_on_plateau":
        return base * PLATEAU_FACTOR ** plateaus(progress.train_losses)
    if schedule.startswith(STEP):
        return base * float(schedule.removeprefix(STEP)) ** ((1 + progress.epoch) // STEP_EPOCHS)
    if schedule == "piecewise_constant":
        # In epochs, which are whole: 0.7 * 100 is 70.00000000000001 in binary.
        return base / 10.0 ** sum(progress.epoch >= round(share * progress.max_epochs, 6) for share in BOUNDARIES)
    if schedule == "piecewise_linear":
        if fraction <= BEND:
            return base * (1 - (1 - AT_BEND) * fraction / BEND)
        return base * AT_BEND * (1 - fraction) / (1 - BEND)
    if schedule.startswith(POLYNOMIAL):
        return float(base * (1 - fraction) ** int(schedule.removeprefix(POLYNOMIAL)))
    if schedule == "inverse_time_decay":
        iteration = progress.epoch * progress.steps_per_epoch + progress.step
        return base / (1 + base / progress.max_epochs * iteration)
    if schedule == "cosine":
        return base * (1 + math.cos(math.pi * fraction)) / 2
    return base


def varies_within_epoch(schedule: str) -> bool:
    """Whether the learning rate must be asked for at every step rather than once an epoch."""
    return check(schedule) == "inverse_time_decay"


def plateaus(train_losses: Sequence[float]) -> int:
    """How often keras.callbacks.ReduceLROnPlateau(patience=10) would have reduced after these epochs."""
    best = math.inf
    waited = reductions = 0
    for loss in train_losses:
        if loss < best - PLATEAU_MIN_DELTA:
            best = loss
            waited = 0
            continue
        waited += 1
        if waited >= PLATEAU_PATIENCE:
            reductions += 1
            waited = 0
    return reductions
