"""The objective of a study: a validation metric and which direction is better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Direction = Literal["max", "min"]


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

    def best(self, values: Iterable[float]) -> float:
        """Return the best of at least one value."""
        return max(values) if self.maximizes else min(values)

    def sort_key(self, value: float) -> float:
        """Return a key that sorts better values first."""
        return -value if self.maximizes else value
