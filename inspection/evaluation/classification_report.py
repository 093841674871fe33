"""The classification report of stored test predictions, as scikit-learn lays it out and document 2 prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def report_text(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> str:
    """Precision, recall, f1-score and support of every class; accuracy; macro and weighted averages.

    labels, predicted: int [N], positions in `names`. A class that is never predicted, or of which there is no image,
    has 0 where there is nothing to divide by.
    """
    return str(_report(labels, predicted, names, output_dict=False))


def report_numbers(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """The same as numbers: {class or average: {"precision", "recall", "f1-score", "support"}, "accuracy": number}."""
    return dict(_report(labels, predicted, names, output_dict=True))


def _report(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], *, output_dict: bool) -> Any:
    from sklearn.metrics import classification_report

    # All classes are named: without that, classes absent from a small test split would shift the names.
    return classification_report(
        labels, predicted, labels=range(len(names)), target_names=list(names), zero_division=0, output_dict=output_dict
    )
