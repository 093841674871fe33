"""Test images judged by ten crops each (Krizhevsky et al., 2012, section 4.1; deep-learning report, AlexNet)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

_IMAGES = 3  # at a time: their 30 crops are as many as a batch of test images


def ten_crop_metrics(predict: Callable[[Iterable[np.ndarray]], np.ndarray], images: SplitBatches) -> dict[str, float]:
    """Return ten_crop_accuracy: of the mean probabilities of each image's ten crops; nothing without crops.

    Args:
        predict: See learner.Learner.
        images: The split.
    """
    if images.view.crops == 1:
        return {}
    batches = (batch.reshape(-1, *batch.shape[2:]) for batch in images.crop_batches(_IMAGES))
    of_crops = predict(batches)
    mean = of_crops.reshape(len(images), images.view.crops, -1).mean(axis=1)
    return {"ten_crop_accuracy": float((mean.argmax(axis=1) == images.labels).mean())}
