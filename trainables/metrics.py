"""Validation and test numbers, the same for every learner."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

ROWS = 4096  # ranked at a time, so that ranking takes a few MB beside the probabilities, however many there are
CLIP = 1e-7  # keras.config.epsilon(): a probability of 0 for the true class costs 16.1, not infinity


def evaluate(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Loss, accuracy, macro_f1, balanced_accuracy, and top5_accuracy where there are more than 5 classes.

    probabilities: float [N, C], rows sum to 1. labels: int [N], 0 <= label < C.
    loss is the mean categorical cross-entropy in nats with probabilities clipped to [1e-7, 1 - 1e-7] as in Keras; the
    others lie in [0, 1]. macro_f1 and balanced_accuracy are means over the classes that occur (scikit-learn's rule:
    macro_f1 over classes true or predicted, balanced_accuracy over classes true). Of equal probabilities the lowest
    class counts as predicted; for top5_accuracy a tie counts against the classifier's true class if it is not among
    the five lowest of the tied classes.
    Raises ValueError (one line) for shapes or values that cannot be.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(
            f"probabilities have shape {probabilities.shape} and labels {labels.shape}, "
            "but must be [N, C] and [N] with N above 0"
        )
    classes = probabilities.shape[1]
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}, but must lie in 0..{classes - 1}")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities are not finite, but must be: the model has diverged")
    predicted = probabilities.argmax(axis=1)
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    with warnings.catch_warnings():
        # scikit-learn warns of classes predicted but never true; a small validation split may lack some.
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", message="A single label was found")
        balanced = float(balanced_accuracy_score(labels, predicted))
    result = {
        "loss": float(-np.log(np.clip(true, CLIP, 1 - CLIP)).mean()),
        "accuracy": float(accuracy_score(labels, predicted)),
        "macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0.0)),
        "balanced_accuracy": balanced,
    }
    if classes > 5:
        # Not sklearn's top_k_accuracy_score: it needs every class among the labels or a list of them, and breaks
        # ties towards the highest class, against argmax.
        result["top5_accuracy"] = float((_ranks(probabilities, labels) < 5).mean())
    return result


def _ranks(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes stand before the true one, int [N]: those more probable, and of equally probable ones the lower.

    Counted, not sorted: 87,000 images in 1000 classes would be sorted through two copies of eight bytes a probability.
    """
    ranks = np.empty(len(labels), np.int64)
    classes = np.arange(probabilities.shape[1])
    for start in range(0, len(labels), ROWS):
        rows = slice(start, start + ROWS)
        some, label = probabilities[rows], labels[rows, None]
        true = np.take_along_axis(some, label, axis=1)
        ranks[rows] = np.count_nonzero((some > true) | ((some == true) & (classes < label)), axis=1)
    return ranks
