"""Histograms of pixel values: exact integers, from which mean and deviation follow without rounding."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

EXACT_IN_FLOAT32 = 2**24  # OpenCV returns counts as float32, exact up to this many pixels


def channel_histogram(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the values 0 to 255 in each channel.

    Args:
        image: uint8 [H, W, 3].

    Returns:
        int64 [3, 256].
    """
    import cv2

    if image.shape[0] * image.shape[1] >= EXACT_IN_FLOAT32:
        return np.stack([np.bincount(image[..., channel].ravel(), minlength=256) for channel in range(3)])
    counts = [cv2.calcHist([image], [channel], None, [256], [0, 256]).ravel() for channel in range(3)]
    return np.stack(counts).astype(np.int64)


def mean_and_deviation(histogram: NDArray[np.int64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and population standard deviation of each channel, 0 to 255.

    Sums are Python integers, so that nothing overflows or rounds before the last division.

    Args:
        histogram: Counts, int64 [3, 256].

    Returns:
        Three means and three deviations; NaN without pixels.
    """
    pixels = int(histogram[0].sum())  # each channel has the same
    if pixels == 0:
        return (math.nan,) * 3, (math.nan,) * 3
    values = np.arange(256).astype(object)
    totals, squares = histogram.astype(object) @ values, histogram.astype(object) @ values**2
    deviations = (
        math.sqrt((pixels * square - total * total) / pixels**2) for total, square in zip(totals, squares, strict=True)
    )
    return tuple(total / pixels for total in totals), tuple(deviations)
