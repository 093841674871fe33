"""Class weights in the loss, so that rare classes are not ignored."""

from __future__ import annotations

import numpy as np

MODES = ("none", "balanced", "auto")
UNBALANCED = 1.5  # largest class over smallest; "auto" weighs from there on


def class_weights(mode: str, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Return one weight for each class; a class without training images weighs 1.

    Args:
        mode: "none", all 1; "balanced", N / (classes x images of the class), so that every class weighs the same in an
            epoch and the mean over images is 1 (King and Zeng, 2001; scikit-learn's rule); "auto", balanced where the
            largest class has more than 1.5 times the images of the smallest.
        labels: Of the training images, int [N].
        num_classes: Number of classes.

    Returns:
        float32 [num_classes].

    Raises:
        ValueError: There is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"class_weights is {mode!r}, but must be one of {', '.join(MODES)}")
    counts = np.bincount(labels, minlength=num_classes)
    present = counts > 0
    even = counts[present].max() <= UNBALANCED * counts[present].min()
    weights = np.ones(num_classes, np.float32)
    if mode == "balanced" or (mode == "auto" and not even):
        weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights
