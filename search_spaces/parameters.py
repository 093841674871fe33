"""Parameters: what may vary or is held, over which values. Knows no framework."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self

from errors import PodiumError, unknown_name
from search_spaces.aliases import current_word
from search_spaces.known_names import COUNTED, NAMES

Value = float | int | str | bool
Config = Mapping[str, Value]


class SpaceError(PodiumError):
    """An impossible configuration or change of a space, explained in one line for the user."""


class Suggester(Protocol):
    """Interface of a sampler; Optuna's Trial implements it."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Condition:
    """The condition of a parameter: another one, named earlier in the space, has one of these values."""

    parameter: str
    values: tuple[Value, ...]

    def holds(self, config: Config) -> bool:
        """Return whether the configuration meets it."""
        return config.get(self.parameter) in self.values


@dataclass(frozen=True, kw_only=True)
class _Range:
    """A range of numbers, both ends included; `log` samples uniformly in the logarithm."""

    name: str
    low: float
    high: float
    log: bool = False
    when: Condition | None = None
    source: str  # the report's section or the paper the range comes from
    values: ClassVar[tuple[Value, ...]] = ()  # a range lists none

    def __post_init__(self) -> None:
        written = f"{self.name} has the range {self.low:g}..{self.high:g}"
        if not (math.isfinite(self.low) and math.isfinite(self.high)) or self.low > self.high:
            raise SpaceError(f"{written}, but its lower end must not exceed its upper end")
        if self.log and self.low <= 0:
            raise SpaceError(f"{written}, but a logarithmic range must start above 0")

    @property
    def upper_bound(self) -> float:
        return float(self.high)

    def contains(self, value: Any) -> bool:
        """Return whether the value lies in the searched range."""
        return self.low <= float(value) <= self.high

    def check(self, value: Any) -> Any:
        raise NotImplementedError

    def with_value(self, value: Any, source: str) -> Self:
        """Return the parameter with that value alone, checked; its condition stays."""
        checked = self.check(value)
        return replace(self, low=checked, high=checked, source=source)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g}"
        return f"{self.low:g}..{self.high:g}" + (" (log)" if self.log else "")


@dataclass(frozen=True, kw_only=True)
class FloatParameter(_Range):
    """A continuous parameter, both ends included; `log` samples uniformly in the logarithm."""

    @property
    def size(self) -> float:
        return 1 if self.low == self.high else math.inf

    def suggest(self, suggester: Suggester) -> Value:
        """Draw a value."""
        return suggester.suggest_float(self.name, self.low, self.high, log=self.log)

    def grid(self, points: int) -> list[Value]:
        """Return that many values, evenly spaced from end to end."""
        if self.low == self.high or points == 1:
            return [self.low]
        steps = [i / (points - 1) for i in range(points)]
        if self.log:
            inner: list[Value] = [self.low * (self.high / self.low) ** step for step in steps]
        else:
            inner = [self.low + (self.high - self.low) * step for step in steps]
        return [self.low, *inner[1:-1], self.high]  # the ends exactly, whatever rounding says

    def check(self, value: Any) -> Value:
        """Return the value as a float.

        Raises:
            SpaceError: The value is no number or makes no sense for this range.
        """
        if not is_number(value):
            raise SpaceError(f"{self.name} is {value!r}, but must be a number from {self.low:g} to {self.high:g}")
        # A published setting may lie outside the searched range (an edge the report tried by hand); what makes
        # no sense at all is refused: a log axis has no zero and no negatives, a fraction stays in [0, 1].
        if self.log and value <= 0:
            raise SpaceError(f"{self.name} is {value:g}, but must be above 0 (the searched range is {self})")
        if not self.log and self.low >= 0 and self.high <= 1 and not 0 <= value <= 1:
            raise SpaceError(f"{self.name} is {value:g}, but must be from 0 to 1 (the searched range is {self})")
        return float(value)


@dataclass(frozen=True, kw_only=True)
class IntParameter(_Range):
    """A whole-number parameter, both ends included."""

    low: int
    high: int

    @property
    def size(self) -> float:
        return self.high - self.low + 1

    def suggest(self, suggester: Suggester) -> Value:
        """Draw a value."""
        return suggester.suggest_int(self.name, self.low, self.high, log=self.log)

    def grid(self, points: int) -> list[Value]:
        """Return all values, or that many of them, evenly spaced from end to end."""
        if self.size <= points:
            return list(range(self.low, self.high + 1))
        return sorted({round(self.low + (self.high - self.low) * i / max(points - 1, 1)) for i in range(points)})

    def check(self, value: Any) -> Value:
        """Return the value as an integer.

        Raises:
            SpaceError: The value is no whole number from 0.
        """
        if not is_number(value) or value != int(value) or value < 0:
            raise SpaceError(f"{self.name} is {value!r}, but must be a whole number from {self.low} to {self.high}")
        return int(value)


class _Values:
    """A parameter whose values are listed."""

    values: tuple[Value, ...]

    @property
    def size(self) -> float:
        return len(self.values)

    @property
    def upper_bound(self) -> float:
        return float(max(self.values))

    def grid(self, points: int) -> list[Value]:
        """Return all values."""
        return list(self.values)

    def contains(self, value: Any) -> bool:
        """Return whether the value is one of them."""
        return value in self.values

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


@dataclass(frozen=True, kw_only=True)
class CategoricalParameter(_Values):
    """A parameter with a finite list of values; `allowed` names others that `--space` and `--set` may ask for."""

    name: str
    values: tuple[Value, ...]
    allowed: tuple[Value, ...] = ()
    when: Condition | None = None
    source: str

    def __post_init__(self) -> None:
        if not self.values or len(set(map(repr, self.values))) != len(self.values):
            raise SpaceError(f"{self.name} has the choices {self.values}, but needs at least one, each once")

    def suggest(self, suggester: Suggester) -> Value:
        """Draw a value."""
        value: Value = suggester.suggest_categorical(self.name, self.values)
        return value

    def check(self, value: Any) -> Value:
        """Return the choice that is meant; a former word becomes today's.

        Raises:
            SpaceError: The value is no choice.
        """
        value = current_word(self.name, value)
        known = list(dict.fromkeys((*self.values, *self.allowed)))
        for choice in known:
            asked = as_text(value) if isinstance(choice, str) else value
            # True == 1 in Python, but a truth value is no number here.
            if isinstance(choice, bool) == isinstance(asked, bool) and choice == asked:
                return choice
        raise SpaceError(f"{self.name} is {value!r}, but must be one of {', '.join(map(str, known))}")

    def with_value(self, value: Any, source: str) -> CategoricalParameter:
        """Return the parameter with one value, checked; its condition stays.

        Args:
            value: The value.
            source: The option or file that set the value, for error messages.
        """
        return replace(self, values=(self.check(value),), allowed=(*self.values, *self.allowed), source=source)


@dataclass(frozen=True, kw_only=True)
class FixedParameter(_Values):
    """A parameter held at a value and recorded as a constant; `--set` may change the value, not the type."""

    name: str
    value: Value
    when: ClassVar[None] = None

    @property
    def values(self) -> tuple[Value, ...]:  # type: ignore[override]  # there: a field of the choices
        return (self.value,)

    def suggest(self, suggester: Suggester) -> Value:
        """Return the fixed value without asking the sampler."""
        return self.value

    def check(self, value: Any) -> Value:
        """Return the value in the type of the held one.

        Raises:
            SpaceError: The value has another type or makes no sense.
        """
        held = self.value
        value = current_word(self.name, as_text(value) if isinstance(held, str) else value)
        whole_for_real = isinstance(held, float) and isinstance(value, int) and not isinstance(value, bool)
        if type(held) is not type(value) and not whole_for_real:
            kind = {int: "whole number", float: "number", bool: "truth value", str: "name"}[type(held)]
            raise SpaceError(f"{self.name} is {value!r}, but must be a {kind} such as {held!r}")
        if isinstance(value, str) and value not in NAMES.get(self.name, (value,)):
            raise SpaceError(unknown_name(self.name, value, NAMES[self.name]))
        counted = self.name in COUNTED
        if is_number(held) and not (is_number(value) and (value > 0 if counted else value >= 0)):
            least = "above 0" if counted else "at least 0"
            raise SpaceError(f"{self.name} is {value!r}, but must be {least}, such as {held!r}")
        return type(held)(value)

    def with_value(self, value: Any, source: str) -> FixedParameter:
        """Return the parameter held at another value, checked.

        Args:
            value: The value.
            source: Not recorded for constants.
        """
        return replace(self, value=self.check(value))


Axis = FloatParameter | IntParameter | CategoricalParameter  # what a search varies
Parameter = Axis | FixedParameter


def fixed(**values: Value) -> tuple[FixedParameter, ...]:
    """Return parameters that are held at these values, in order."""
    return tuple(FixedParameter(name=name, value=value) for name, value in values.items())


def is_number(value: Any) -> bool:
    """Whether it is a finite number; True and False are none."""
    # Compared, not converted: an integer may be larger than any float.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def as_text(value: Any) -> Any:
    """Return an integer or float as text, so that hidden_layers=25 is read like 25-25."""
    return str(value) if type(value) is int else value
