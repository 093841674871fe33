"""The schedule `reduce_on_plateau`: halved whenever the training loss has not fallen by 1e-4 for 10 epochs.

A function of the losses so far, since a trial trains an epoch at a time and may resume: Keras's own callback forgets at
every `fit` (`ReduceLROnPlateau.on_train_begin` resets it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainables.training.progress import Progress

FACTOR = 0.5  # food10 report, section 4, LR Annealing: halved
PATIENCE = 10  # epochs, food10 report
MIN_DELTA = 1e-4  # the default of keras.callbacks.ReduceLROnPlateau, which the food10 report's code leaves alone


def learning_rate(base: float, progress: Progress) -> float:
    """Return `base`, halved each time the training loss stopped falling.

    Args:
        base: Initial learning rate.
        progress: Progress of the training.
    """
    return base * FACTOR ** plateaus(progress.train_losses)


def plateaus(train_losses: Sequence[float]) -> int:
    """Return how often keras.callbacks.ReduceLROnPlateau(patience=10) would have reduced after these epochs."""
    best = math.inf
    waited = reductions = 0
    for loss in train_losses:
        if loss < best - MIN_DELTA:
            best = loss
            waited = 0
            continue
        waited += 1
        if waited >= PATIENCE:
            reductions += 1
            waited = 0
    return reductions
