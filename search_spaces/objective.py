"""The objective of a study: a validation metric and which direction is better."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

Direction = Literal["max", "min"]
Value = TypeVar("Value", float, tuple[float, float])


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A validation metric and its better direction; "best" means the best value of any epoch so far."""

    metric: str = "val_accuracy"
    direction: Direction = "max"

    @property
    def maximizes(self) -> bool:
        return self.direction == "max"

    def is_better(self, value: float | None, than: float | None) -> bool:
        """Compare two values of the metric.

        Args:
            value: The candidate; None where it was not measured or not finite, which never wins.
            than: The value to beat; None is beaten by any value.

        Returns:
            True where `value` is strictly better.
        """
        if value is None or than is None:
            return value is not None
        return value > than if self.maximizes else value < than

    def best(self, values: Iterable[Value]) -> Value:
        """Return the best of at least one value, or tuple that begins with one."""
        return max(values) if self.maximizes else min(values)

    @property
    def worst(self) -> float:
        """The value that every other one beats."""
        return -math.inf if self.maximizes else math.inf

    def sort_key(self, value: float) -> float:
        """Return a key that sorts better values first."""
        return -value if self.maximizes else value


LOSS = Objective(metric="loss", direction="min")  # of any split, whatever a study's objective is
SCORE = Objective(metric="score", direction="max")
