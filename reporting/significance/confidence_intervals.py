"""Confidence intervals of proportions: Wilson's interval, and its extension to several seeds on the same images."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.95
Interval = tuple[float, float]
_Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)


def wilson(proportion: float, number: float) -> Interval:
    """Return the 95 % score interval of a proportion (Wilson, 1927).

    The interval also holds for proportions of 0 and 1, where the usual mean ± 1.96 standard errors has no width.

    Args:
        proportion: Share of correct answers, from 0 to 1.
        number: Number of independent answers, above 0. An effective number may be fractional.

    Returns:
        The lower and the upper end.
    """
    centre = (proportion + _Z**2 / (2 * number)) / (1 + _Z**2 / number)
    spread = proportion * (1 - proportion) / number + _Z**2 / (4 * number**2)
    half = _Z * math.sqrt(max(spread, 0.0)) / (1 + _Z**2 / number)
    # Clipped, since rounding can give 1.0000000000000002.
    return max(0.0, min(centre - half, proportion)), min(1.0, max(centre + half, proportion))


def mean_accuracy_interval(correct: np.ndarray) -> Interval:
    """Return the 95 % interval of the models' mean accuracy on other images of the same kind.

    The images are the sample. The seeds are fixed, since two or three say little about all seeds; their deviation is
    reported separately. Answers of several seeds on the same images are not independent, so the number of answers is
    the effective one, p (1 - p) over the measured variance of the mean (Korn and Graubard, 1998; with Wilson's interval
    the best of those compared by Dean and Pagano, 2015). It ranges from the number of images, where all seeds make the
    same errors, to the number of answers. For one seed the result is Wilson's interval.

    Args:
        correct: `[seeds, images] bool`, whether each answer is correct.

    Returns:
        The lower and the upper end.
    """
    seeds, images = correct.shape
    by_image = correct.mean(axis=0)
    mean = float(by_image.mean())
    variance = float(by_image.var())  # over images; p (1 - p) where seeds agree everywhere
    effective = float(images)
    if variance > 0:
        effective = min(max(images * mean * (1 - mean) / variance, images), images * seeds)
    return wilson(mean, effective)
