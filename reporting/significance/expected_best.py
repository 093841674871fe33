"""What a search of n trials would have found: the expected best validation value as a curve over n."""

from __future__ import annotations

import math
from collections.abc import Sequence

from search_spaces.objective import SCORE, Objective


def expected_best(values: Sequence[float], draws: int, objective: Objective = SCORE) -> float:
    """The expected best of so many values drawn from these with replacement. values: at least one.

    Dodge et al., "Show Your Work" (2019): what resampling would approach, without resampling. The probability that the
    best of n draws is the i-th smallest of B is (i / B)^n - ((i - 1) / B)^n. For n = B it stays below the best that was
    found, since B draws may miss it (Tang et al., 2020).
    """
    ordered = sorted(values, key=objective.sort_key, reverse=True)
    number = len(ordered)
    reached = [(place / number) ** draws for place in range(number + 1)]
    return math.fsum(value * (reached[place] - reached[place - 1]) for place, value in enumerate(ordered, 1))


def shown(number: int) -> list[int]:
    """The n at which a curve over so many trials is told: 1, 2, 5, 10, 20, 50, ... and all."""
    steps = [lead * 10**power for power in range(6) for lead in (1, 2, 5)]
    return [step for step in steps if step < number] + ([number] if number else [])
