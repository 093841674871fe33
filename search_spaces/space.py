"""Axes and spaces: what may vary inside one arm, and what is held fixed. Knows no framework."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from search_spaces.names import NAMES
from search_spaces.wording import unknown

Value = float | int | str | bool
Config = Mapping[str, Value]

# Of constants, those that count something: there is none of them at 0. A rate or a share may be 0.
COUNTED = ("batch_size", "outputs", "zoom")


class SpaceError(ValueError):
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
        if not _is_number(value):
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
        if not _is_number(value) or value != int(value) or value < 0:
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
            asked = _text(value) if isinstance(choice, str) else value
            # True == 1 in Python, but a truth value is no number here.
            if isinstance(choice, bool) == isinstance(asked, bool) and choice == asked:
                return choice
        raise SpaceError(f"{self.name} is {value!r}, but must be one of {', '.join(map(str, self._known()))}")

    def _known(self) -> list[Value]:
        return list(dict.fromkeys((*self.values, *self.allowed)))

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


Axis = Real | Integer | Choice


def _is_number(value: Any) -> bool:
    # Compared, not converted: an integer may be larger than any float.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _text(value: Any) -> Any:
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


@dataclass(frozen=True, kw_only=True)
class Space:
    """The axes of one arm in the order they are drawn, the constants beside them, and settings known to be good.

    `published` holds the documents' own settings: they are the first points a search tries.
    """

    axes: tuple[Axis, ...] = ()
    constants: Mapping[str, Value] = field(default_factory=dict)
    published: tuple[Config, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for axis in self.axes:
            if axis.name in seen or axis.name in self.constants:
                raise SpaceError(f"the axis {axis.name} stands twice in one space")
            if axis.when is not None and axis.when.axis not in seen | set(self.constants):
                raise SpaceError(f"the axis {axis.name} depends on {axis.when.axis}, which must be named before it")
            seen.add(axis.name)

    @property
    def names(self) -> tuple[str, ...]:
        return (*(axis.name for axis in self.axes), *self.constants)

    def axis(self, name: str) -> Axis:
        for axis in self.axes:
            if axis.name == name:
                return axis
        raise SpaceError(unknown("axis", name, [axis.name for axis in self.axes]))

    @property
    def drawn(self) -> tuple[Axis, ...]:
        """The axes that some configuration has: a condition that no searched value can meet leaves its axis out."""
        reachable: dict[str, set[Value] | None] = {name: {value} for name, value in self.constants.items()}
        drawn: list[Axis] = []
        for axis in self.axes:
            if axis.when is not None:
                values = reachable.get(axis.when.axis, set())
                if values is not None and not values & set(axis.when.values):
                    continue
            reachable[axis.name] = set(axis.values) if isinstance(axis, Choice) else None
            drawn.append(axis)
        return tuple(drawn)

    def suggest(self, suggester: Suggester) -> dict[str, Value]:
        """One configuration: every axis whose condition holds, then the constants."""
        config: dict[str, Value] = dict(self.constants)
        for axis in self.axes:
            if axis.when is None or axis.when.holds(config):
                config[axis.name] = axis.suggest(suggester)
        return config

    def complete(self, config: Mapping[str, Any]) -> dict[str, Value]:
        """The configuration checked, constants and axes with one value filled in, absent conditions dropped.

        Raises SpaceError for an unknown name, an impossible value or a missing axis.
        """
        for name in config:
            if name not in self.names:
                raise SpaceError(unknown("axis", name, self.names))
        result = {name: self._held(name, config.get(name, value)) for name, value in self.constants.items()}
        given = {axis.name: axis.check(config[axis.name]) for axis in self.axes if axis.name in config}
        for axis in self.axes:
            if axis.when is not None and not axis.when.holds(result):
                continue
            if axis.name not in given and axis.size > 1:
                raise SpaceError(f"{axis.name} is missing; it may be {axis}")
            result[axis.name] = given.get(axis.name, axis.grid(1)[0])
        return result

    def _held(self, name: str, value: Any) -> Value:
        """A constant's new value, of the kind it had."""
        held = self.constants[name]
        if isinstance(held, str):
            value = _text(value)
        whole_for_real = isinstance(held, float) and isinstance(value, int) and not isinstance(value, bool)
        if type(held) is not type(value) and not whole_for_real:
            kind = {int: "whole number", float: "number", bool: "truth value", str: "name"}[type(held)]
            raise SpaceError(f"{name} is {value!r}, but must be a {kind} such as {held!r}")
        if isinstance(value, str) and name in NAMES and value not in NAMES[name]:
            raise SpaceError(unknown(name, value, NAMES[name]))
        if _is_number(held) and not (_is_number(value) and (value > 0 if name in COUNTED else value >= 0)):
            least = "above 0" if name in COUNTED else "at least 0"
            raise SpaceError(f"{name} is {value!r}, but must be {least}, such as {held!r}")
        return type(held)(value)

    def grid(self, points: int) -> Iterator[dict[str, Value]]:
        """Every configuration of the grid once, continuous axes at `points` values; conditions make no duplicates."""

        def extend(config: dict[str, Value], rest: tuple[Axis, ...]) -> Iterator[dict[str, Value]]:
            if not rest:
                yield config
                return
            axis, *others = rest
            if axis.when is not None and not axis.when.holds(config):
                yield from extend(config, tuple(others))
                return
            for value in axis.grid(points):
                yield from extend({**config, axis.name: value}, tuple(others))

        yield from extend(dict(self.constants), self.axes)

    @property
    def size(self) -> float:
        """How many different configurations there are; math.inf with any continuous axis."""
        if any(math.isinf(axis.size) for axis in self.drawn):
            return math.inf
        limit = 100_000  # enough to know that no study exhausts it
        return sum(1 for _ in itertools.islice(self.grid(limit), limit))

    def choices(self, name: str) -> tuple[Value, ...]:
        """What that constant or choice may be here; nothing where it is a range or not there."""
        if name in self.constants:
            return (self.constants[name],)
        axes = [axis for axis in self.axes if axis.name == name]
        return axes[0].values if axes and isinstance(axes[0], Choice) else ()

    def most(self, name: str) -> float:
        """The largest number that this constant or axis may be here."""
        if name in self.constants:
            return float(self.constants[name])
        axis = self.axis(name)
        return float(max(axis.values) if isinstance(axis, Choice) else axis.high)

    def only(self, config: Mapping[str, Any]) -> Space:
        """The space of this one configuration, which is then its published one: nothing of it is searched."""
        return Space(constants=self.complete(config), published=({},))

    def fix(self, name: str, value: Any, source: str = "--set") -> Space:
        """The space with one axis or constant held at a value (`--set`); an axis keeps its condition."""
        if name in self.constants:
            published = _unique(
                [{key: kept for key, kept in config.items() if key != name} for config in self.published]
            )
            return replace(self, constants={**self.constants, name: self._held(name, value)}, published=published)
        if name not in self.names:
            raise SpaceError(unknown("axis", name, self.names))
        axis = self.axis(name)
        checked: Any = axis.check(value)
        if isinstance(axis, Choice):
            return self.restrict(replace(axis, values=(checked,), allowed=(*axis.values, *axis.allowed), source=source))
        return self.restrict(replace(axis, low=checked, high=checked, source=source))

    def restrict(self, axis: Axis) -> Space:
        """The space with the axis of that name replaced (`--space`)."""
        self.axis(axis.name)
        axes = tuple(axis if old.name == axis.name else old for old in self.axes)

        def fits(value: Value) -> bool:
            return value in axis.values if isinstance(axis, Choice) else axis.low <= float(value) <= axis.high

        # A published setting outside the new range keeps its other values; the search draws this one.
        published = [
            {name: value for name, value in config.items() if name != axis.name or fits(value)}
            for config in self.published
        ]
        return replace(self, axes=axes, published=_unique(published))


def _unique(configs: list[dict[str, Value]]) -> tuple[Config, ...]:
    return tuple(config for index, config in enumerate(configs) if config not in configs[:index])
