"""How far a proportion may be off: Wilson's interval, and what it becomes where several seeds met the same images."""

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
    """The 95 % score interval of a proportion of `number` independent answers (Wilson, 1927).

    It holds for proportions of 0 and 1 too, where the usual mean ± 1.96 standard errors has no width. number > 0, and
    may be fractional: an effective number.
    """
    centre = (proportion + _Z**2 / (2 * number)) / (1 + _Z**2 / number)
    spread = proportion * (1 - proportion) / number + _Z**2 / (4 * number**2)
    half = _Z * math.sqrt(max(spread, 0.0)) / (1 + _Z**2 / number)
    # Rounding alone would leave 1.0000000000000002.
    return max(0.0, min(centre - half, proportion)), min(1.0, max(centre + half, proportion))


def mean_accuracy_interval(correct: np.ndarray) -> Interval:
    """The 95 % interval of the mean accuracy of these models on other images of the same kind.

    correct: bool [seeds, images]. The images are the sample; the seeds are taken as they are, since two or three say
    little of all seeds: their deviation stands beside it. Seeds that met the same images are no independent answers, so
    the number of answers is the effective one, p (1 - p) over the measured variance of the mean (Korn and Graubard,
    1998; with Wilson's interval the best of those compared by Dean and Pagano, 2015): the number of images where all
    seeds err alike, at most as many answers as there are. One seed makes it Wilson's interval as it is.
    """
    seeds, images = correct.shape
    by_image = correct.mean(axis=0)
    mean = float(by_image.mean())
    variance = float(by_image.var())  # over images; p (1 - p) where seeds agree everywhere
    effective = float(images)
    if variance > 0:
        effective = min(max(images * mean * (1 - mean) / variance, images), images * seeds)
    return wilson(mean, effective)
