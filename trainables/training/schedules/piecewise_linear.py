"""The schedule `piecewise_linear`: linearly to a tenth at 70 % of the epochs, then linearly to 0."""

from __future__ import annotations

from trainables.training.progress import Progress

# deep-learning report, ResNet on CIFAR-10, version 4: 0.1 - 9 e / 7000 up to epoch 70 of 100, then (100 - e) / 3000
BEND, AT_BEND = 0.7, 0.1


def learning_rate(base: float, progress: Progress) -> float:
    """Return the value on the two straight lines.

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
    """
    if progress.fraction <= BEND:
        return base * (1 - (1 - AT_BEND) * progress.fraction / BEND)
    return base * AT_BEND * (1 - progress.fraction) / (1 - BEND)
