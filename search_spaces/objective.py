"""The objective of a search: one validation metric and the direction that is better."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

Direction = Literal["max", "min"]
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A validation metric and its direction; a trial counts by the best value of its epochs."""

    metric: str = "val_accuracy"
    direction: Direction = "max"

    def is_better(self, value: float | None, than: float | None) -> bool:
        """Return whether `value` beats `than`; a missing value never wins, and loses to every other."""
        if value is None or than is None:
            return value is not None
        return value > than if self.direction == "max" else value < than

    def best_of(self, items: Iterable[Item], value: Callable[[Item], float | None]) -> Item | None:
        """Return the item with the best value, the earlier of two equals.

        Args:
            items: The candidates, in order.
            value: Reads a candidate's value; None where it has none.

        Returns:
            The best candidate, or None where no candidate has a value.
        """
        best: Item | None = None
        for item in items:
            if self.is_better(value(item), None if best is None else value(best)):
                best = item
        return best
