"""The expected best validation value of a search as a function of its number of trials."""

from __future__ import annotations

import math
from collections.abc import Sequence

from search_spaces.objective import SCORE, Objective


def expected_best(values: Sequence[float], draws: int, objective: Objective = SCORE) -> float:
    """Return the expected best of so many draws with replacement from the given values.

    This is the limit of resampling (Dodge et al., "Show Your Work", 2019). The probability that the best of n draws is
    the i-th smallest of B is (i / B)^n - ((i - 1) / B)^n. For n = B the result is below the best value, since B draws
    may miss it (Tang et al., 2020).

    Args:
        values: Values of the objective, at least one.
        draws: Number of draws n.
        objective: Defines the better direction.
    """
    ordered = sorted(values, key=objective.sort_key, reverse=True)
    number = len(ordered)
    reached = [(place / number) ** draws for place in range(number + 1)]
    return math.fsum(value * (reached[place] - reached[place - 1]) for place, value in enumerate(ordered, 1))


def shown(number: int) -> list[int]:
    """Return the n at which the curve over so many trials is printed: 1, 2, 5, 10, 20, 50, ... and all."""
    steps = [lead * 10**power for power in range(6) for lead in (1, 2, 5)]
    return [step for step in steps if step < number] + ([number] if number else [])
