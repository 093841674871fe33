"""Is one arm better than another, on the same test images? A difference with its 95 % interval and its p-value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporting.significance.confidence_intervals import LEVEL, Interval, wilson

if TYPE_CHECKING:
    import numpy as np

SIGNIFICANT = 1 - LEVEL
MCNEMAR = "exact McNemar test over images"
CROSSED = "t test over images and seeds"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean accuracy of one arm less another's."""

    difference: float
    interval: Interval  # 95 %
    p: float  # two-sided, of no difference
    test: str  # MCNEMAR or CROSSED
    images: int


def compare(first: np.ndarray, second: np.ndarray) -> Difference:
    """The first arm's accuracy less the second's. first, second: bool [seeds, images], columns of the same images.

    One seed each: images alone vary. McNemar's exact test asks whether, of the images that one model alone got right,
    each has its half (McNemar, 1947; advised for two classifiers by Dietterich, 1998); the interval is Newcombe's
    (1998, method 10). What other seeds would do, it cannot say.

    Several seeds: both images and seeds vary, and every seed met every image. The variance of the difference is that
    over images plus that over the seeds of each arm, and the degrees of freedom are Satterthwaite's (1946): few seeds
    that differ much make the interval wide, as two seeds must. An image's luck with one seed is in both parts, so the
    test errs to the careful side. Resampling images and seeds instead draws the same of two or three seeds again and
    again: of 300 simulated comparisons of equal arms (500 images, two seeds that differ by 0.3 in the logarithm of the
    odds) it called 15 % significant, this test 6 %; where seeds differ by 0.1, 1.3 and 1.7 %. An arm of one seed has no
    variance over seeds to add.
    """
    images = first.shape[1]
    means = [float(arm.mean()) for arm in (first, second)]
    if len(first) == len(second) == 1:
        alone, other = int((first & ~second).sum()), int((~first & second).sum())
        interval = newcombe(means, [wilson(mean, images) for mean in means], correlation(first[0], second[0]))
        p, test = mcnemar(alone, other), MCNEMAR
    else:
        interval, p = _crossed(first, second)
        test = CROSSED
    return Difference(difference=means[0] - means[1], interval=interval, p=p, test=test, images=images)


def mcnemar(first_alone: int, second_alone: int) -> float:
    """Two-sided exact p-value: a fair coin deals the images that only one model got right. 1 where there are none."""
    from scipy.special import bdtr  # type: ignore[import-untyped]

    return min(1.0, 2 * float(bdtr(min(first_alone, second_alone), first_alone + second_alone, 0.5)))


def newcombe(means: Sequence[float], intervals: Sequence[Interval], phi: float) -> Interval:
    """95 % interval of a difference of paired proportions out of each one's own (Newcombe, 1998, method 10)."""
    (first, second), ((first_low, first_high), (second_low, second_high)) = means, intervals
    below = _joined(first - first_low, second_high - second, phi)
    above = _joined(first_high - first, second - second_low, phi)
    return max(-1.0, first - second - below), min(1.0, first - second + above)


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Of two models' answers, bool [images] each, as method 10 has it: corrected for continuity where positive."""
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    alone, other = int((first & ~second).sum()), int((~first & second).sum())
    margins = (both + alone) * (other + neither) * (both + other) * (alone + neither)
    if not margins:
        return 0.0
    product = float(both * neither - alone * other)
    if product > 0:
        product = max(product - len(first) / 2, 0.0)
    return product / math.sqrt(margins)


def _crossed(first: np.ndarray, second: np.ndarray) -> tuple[Interval, float]:
    """95 % interval and p-value of the difference of mean accuracies; images and seeds both vary."""
    from scipy.special import stdtr, stdtrit

    by_image = first.mean(axis=0) - second.mean(axis=0)
    images = len(by_image)
    difference = float(by_image.mean())
    parts = [(float(by_image.var(ddof=1)) / images, images - 1)] if images > 1 else []
    for arm in (first, second):
        if len(arm) > 1:
            parts.append((float(arm.mean(axis=1).var(ddof=1)) / len(arm), len(arm) - 1))
    variance = math.fsum(part for part, _ in parts)
    if variance == 0:  # every image answered alike by all: only so many images can tell
        means = [float(arm.mean()) for arm in (first, second)]
        return newcombe(means, [wilson(mean, images) for mean in means], 0.0), float(difference == 0)
    freedom = variance**2 / math.fsum(part**2 / degrees for part, degrees in parts)
    error = math.sqrt(variance)
    half = error * float(stdtrit(freedom, 0.5 + LEVEL / 2))
    p = 2 * float(stdtr(freedom, -abs(difference) / error))
    return (max(-1.0, difference - half), min(1.0, difference + half)), p


def holm(values: Sequence[float]) -> list[float]:
    """p-values of several comparisons, so that 5 % stay 5 % for all of them together (Holm, 1979)."""
    ordered = sorted(range(len(values)), key=lambda place: values[place])
    adjusted, least = [0.0] * len(values), 0.0
    for rank, place in enumerate(ordered):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = least
    return adjusted
