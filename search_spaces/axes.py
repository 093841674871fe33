"""Axes: what may vary, over which values. Knows no framework."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from errors import PodiumError

Value = float | int | str | bool
Config = Mapping[str, Value]


class SpaceError(PodiumError):
    """A configuration or a change of a space that cannot be: the message is one line for the user."""


class Suggester(Protocol):
    """What a space needs of a sampler; Optuna's Trial is one."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class When:
    """An axis exists only where another axis, named earlier in the space, has one of these values."""

    axis: str
    values: tuple[Value, ...]

    def holds(self, config: Config) -> bool:
        return config.get(self.axis) in self.values


@dataclass(frozen=True, kw_only=True)
class Real:
    """A continuous axis, both ends included; `log` samples uniformly in the logarithm."""

    name: str
    low: float
    high: float
    log: bool = False
    when: When | None = None
    source: str  # the document's section or the paper the range comes from

    def __post_init__(self) -> None:
        _check_bounds(self.name, self.low, self.high, self.log)

    @property
    def size(self) -> float:
        return 1 if self.low == self.high else math.inf

    def suggest(self, suggester: Suggester) -> float:
        return suggester.suggest_float(self.name, self.low, self.high, log=self.log)

    def grid(self, points: int) -> list[Value]:
        if self.low == self.high or points == 1:
            return [self.low]
        steps = [i / (points - 1) for i in range(points)]
        if self.log:
            inner: list[Value] = [self.low * (self.high / self.low) ** step for step in steps]
        else:
            inner = [self.low + (self.high - self.low) * step for step in steps]
        return [self.low, *inner[1:-1], self.high]  # the ends exactly, whatever rounding says

    def check(self, value: Any) -> Value:
        if not is_number(value):
            raise SpaceError(f"{self.name} is {value!r}, but must be a number from {self.low:g} to {self.high:g}")
        # A published setting may lie outside the searched range (an edge the document tried by hand); what makes
        # no sense at all is refused: a log axis has no zero and no negatives, a fraction stays in [0, 1].
        if self.log and value <= 0:
            raise SpaceError(f"{self.name} is {value:g}, but must be above 0 (the searched range is {self})")
        if not self.log and self.low >= 0 and self.high <= 1 and not 0 <= value <= 1:
            raise SpaceError(f"{self.name} is {value:g}, but must be from 0 to 1 (the searched range is {self})")
        return float(value)

    def __str__(self) -> str:
        return _written(self.low, self.high, self.log)


@dataclass(frozen=True, kw_only=True)
class Integer:
    """A whole-number axis, both ends included."""

    name: str
    low: int
    high: int
    log: bool = False
    when: When | None = None
    source: str

    def __post_init__(self) -> None:
        _check_bounds(self.name, self.low, self.high, self.log)

    @property
    def size(self) -> float:
        return self.high - self.low + 1

    def suggest(self, suggester: Suggester) -> int:
        return suggester.suggest_int(self.name, self.low, self.high, log=self.log)

    def grid(self, points: int) -> list[Value]:
        if self.size <= points:
            return list(range(self.low, self.high + 1))
        return sorted({round(self.low + (self.high - self.low) * i / max(points - 1, 1)) for i in range(points)})

    def check(self, value: Any) -> Value:
        if not is_number(value) or value != int(value) or value < 0:
            raise SpaceError(f"{self.name} is {value!r}, but must be a whole number from {self.low} to {self.high}")
        return int(value)

    def __str__(self) -> str:
        return _written(self.low, self.high, self.log)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An axis with a finite list of values; `allowed` names others that `--space` and `--set` may ask for."""

    name: str
    values: tuple[Value, ...]
    allowed: tuple[Value, ...] = ()
    when: When | None = None
    source: str

    def __post_init__(self) -> None:
        if not self.values or len(set(map(repr, self.values))) != len(self.values):
            raise SpaceError(f"{self.name} has the choices {self.values}, but needs at least one, each once")

    @property
    def size(self) -> float:
        return len(self.values)

    def suggest(self, suggester: Suggester) -> Value:
        value: Value = suggester.suggest_categorical(self.name, self.values)
        return value

    def grid(self, points: int) -> list[Value]:
        return list(self.values)

    def check(self, value: Any) -> Value:
        for choice in self._known():
            asked = as_text(value) if isinstance(choice, str) else value
            # True == 1 in Python, but a truth value is no number here.
            if isinstance(choice, bool) == isinstance(asked, bool) and choice == asked:
                return choice
        raise SpaceError(f"{self.name} is {value!r}, but must be one of {', '.join(map(str, self._known()))}")

    def _known(self) -> list[Value]:
        return list(dict.fromkeys((*self.values, *self.allowed)))

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


Axis = Real | Integer | Choice


def is_number(value: Any) -> bool:
    """Whether it is a finite number; True and False are none."""
    # Compared, not converted: an integer may be larger than any float.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def as_text(value: Any) -> Any:
    """Where text is asked for, 25 stands for "25": hidden_layers=25 beside 25-25."""
    return str(value) if type(value) is int else value


def _written(low: float, high: float, log: bool) -> str:
    """1e-05..0.01 (log), or the one value there is."""
    return f"{low:g}" if low == high else f"{low:g}..{high:g}" + (" (log)" if log else "")


def _check_bounds(name: str, low: float, high: float, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise SpaceError(f"{name} has the range {low:g}..{high:g}, but its lower end must not exceed its upper end")
    if log and low <= 0:
        raise SpaceError(f"{name} has the range {low:g}..{high:g}, but a logarithmic range must start above 0")
