"""The schedule `constant`."""

from __future__ import annotations

from trainables.training.progress import Progress


def learning_rate(base: float, progress: Progress) -> float:
    """Return `base`.

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
    """
    return base
