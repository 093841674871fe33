"""The schedules `polynomial_decay_DEGREE`."""

from __future__ import annotations

from trainables.training.progress import Progress


def learning_rate(base: float, progress: Progress, degree: str) -> float:
    """Return base * (1 - epoch / max_epochs) ** degree.

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
        degree: Exponent, as written in the schedule's name.
    """
    return float(base * (1 - progress.fraction) ** int(degree))
