"""The schedules `step_decay_FACTOR`."""

from __future__ import annotations

from trainables.training.progress import Progress

STEP_EPOCHS = 5  # deep-learning report, MiniVGGNet on CIFAR-10, variant b: lr = .01 * .25 ** floor((1 + e) / 5)


def learning_rate(base: float, progress: Progress, factor: str) -> float:
    """Return base * factor ** floor((1 + epoch) / 5).

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
        factor: Factor, as written in the schedule's name.
    """
    return base * float(factor) ** ((1 + progress.epoch) // STEP_EPOCHS)
