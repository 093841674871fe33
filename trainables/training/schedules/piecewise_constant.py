"""The schedule `piecewise_constant`: a tenth from 70 % of the epochs on, a hundredth from 90 %."""

from __future__ import annotations

from trainables.training.progress import Progress

BOUNDARIES = (
    0.7,
    0.9,
)  # deep-learning report, ResNet on CIFAR-10, version 3: 0.1, from epoch 70 of 100 0.01, from 90 0.001


def learning_rate(base: float, progress: Progress) -> float:
    """Return `base`, divided by ten at each boundary.

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
    """
    # In epochs, which are whole: 0.7 * 100 is 70.00000000000001 in binary.
    return base / 10.0 ** sum(progress.epoch >= round(share * progress.max_epochs, 6) for share in BOUNDARIES)
