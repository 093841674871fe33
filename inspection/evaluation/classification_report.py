"""Classification report of stored test predictions, in scikit-learn's layout, which the deep-learning report prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def report(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], *, numbers: bool = False) -> Any:
    """Return precision, recall, f1-score and support of every class; accuracy; macro and weighted averages.

    A class that is never predicted, or of which there is no image, has 0 where there is nothing to divide by.

    Args:
        labels: int [N], positions in `names`.
        predicted: int [N], positions in `names`.
        names: Of the classes.
        numbers: Return {class or average: {"precision", "recall", "f1-score", "support"}, "accuracy": number} in place
            of a text.
    """
    from sklearn.metrics import classification_report

    # All classes are named: without that, classes absent from a small test split would shift the names.
    return classification_report(
        labels, predicted, labels=range(len(names)), target_names=list(names), zero_division=0, output_dict=numbers
    )
