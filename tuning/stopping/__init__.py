"""Stopping rules, one a file: each has `create(budget)`, which returns Ray's scheduler of one arm, or None.

The scheduler hears of search trials of that arm alone; it counts our own `epoch` and looks at `objective`, the best
value so far.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass

from search_spaces.objective import Objective

NONE = "none"


@dataclass(frozen=True, kw_only=True)
class ArmBudget:
    """What a rule may know of an arm."""

    objective: Objective
    max_epochs: int  # of a trial that is not stopped
    grace_epochs: int  # before these are over, no trial is stopped
    reduction_factor: int  # one in so many trials goes on


def stopping_rules() -> list[str]:
    """Return the name of every rule, in alphabetical order. Imports none of them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))
