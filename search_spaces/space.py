"""Spaces: the axes of one arm, and what is held fixed beside them. Knows no framework."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from errors import unknown_name
from search_spaces.axes import Axis, Choice, Config, SpaceError, Suggester, Value, as_text, is_number
from search_spaces.names import NAMES

# Of constants, those that count something: there is none of them at 0. A rate or a share may be 0.
COUNTED = ("batch_size", "outputs", "zoom")


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
        raise SpaceError(unknown_name("axis", name, [axis.name for axis in self.axes]))

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
                raise SpaceError(unknown_name("axis", name, self.names))
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
            value = as_text(value)
        whole_for_real = isinstance(held, float) and isinstance(value, int) and not isinstance(value, bool)
        if type(held) is not type(value) and not whole_for_real:
            kind = {int: "whole number", float: "number", bool: "truth value", str: "name"}[type(held)]
            raise SpaceError(f"{name} is {value!r}, but must be a {kind} such as {held!r}")
        if isinstance(value, str) and name in NAMES and value not in NAMES[name]:
            raise SpaceError(unknown_name(name, value, NAMES[name]))
        if is_number(held) and not (is_number(value) and (value > 0 if name in COUNTED else value >= 0)):
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

    def fix(self, name: str, value: Any, source: str = "{sets}") -> Space:
        """The space with one axis or constant held at a value (`--set`); an axis keeps its condition."""
        if name in self.constants:
            published = _unique(
                [{key: kept for key, kept in config.items() if key != name} for config in self.published]
            )
            return replace(self, constants={**self.constants, name: self._held(name, value)}, published=published)
        if name not in self.names:
            raise SpaceError(unknown_name("axis", name, self.names))
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
