"""The schedule `cosine` (Loshchilov and Hutter, 2017, without restarts)."""

from __future__ import annotations

import math

from trainables.training.progress import Progress


def learning_rate(base: float, progress: Progress) -> float:
    """Return base * (1 + cos(pi * epoch / max_epochs)) / 2.

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
    """
    return base * (1 + math.cos(math.pi * progress.fraction)) / 2
