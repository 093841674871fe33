"""The schedule `inverse_time_decay`: the `decay` of Keras's optimizers before 2.11, with decay = base / max_epochs."""

from __future__ import annotations

from trainables.training.progress import Progress

VARIES_WITHIN_EPOCH = True


def learning_rate(base: float, progress: Progress) -> float:
    """Return base / (1 + decay * iteration).

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
    """
    iteration = progress.epoch * progress.steps_per_epoch + progress.step
    return base / (1 + base / progress.max_epochs * iteration)
