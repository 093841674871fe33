"""Spaces: the parameters of one arm, drawn or held. Knows no framework."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from errors import arg, unknown_name
from search_spaces.parameters import (
    Axis,
    Condition,
    Config,
    FixedParameter,
    Parameter,
    SpaceError,
    Suggester,
    Value,
    fixed,
)


@dataclass(frozen=True, kw_only=True)
class Space:
    """The parameters of one arm in the order they are drawn, and settings known to be good.

    `published` holds the reports' own settings: they are the first points a search tries.
    """

    parameters: tuple[Parameter, ...] = ()
    published: tuple[Config, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for parameter in self.parameters:
            if parameter.name in seen:
                raise SpaceError(f"the axis {parameter.name} stands twice in one space")
            if parameter.when is not None and parameter.when.parameter not in seen:
                raise SpaceError(
                    f"the axis {parameter.name} depends on {parameter.when.parameter}, which must be named before it"
                )
            seen.add(parameter.name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The parameters that are not fixed."""
        return tuple(parameter for parameter in self.parameters if not isinstance(parameter, FixedParameter))

    @property
    def constants(self) -> dict[str, Value]:
        """The fixed parameters and their values."""
        return {
            parameter.name: parameter.value for parameter in self.parameters if isinstance(parameter, FixedParameter)
        }

    def parameter(self, name: str) -> Parameter:
        """Return the parameter of that name.

        Raises:
            SpaceError: There is none; the message has the nearest name.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise SpaceError(unknown_name("axis", name, self.names))

    @property
    def active_parameters(self) -> tuple[Parameter, ...]:
        """The parameters that some configuration has: those whose condition a searched value can meet."""
        reachable: dict[str, tuple[Value, ...]] = {}  # nothing listed: a range, which may hold any value
        active: list[Parameter] = []
        for parameter in self.parameters:
            if parameter.when is None or _may_hold(parameter.when, reachable):
                reachable[parameter.name] = parameter.values
                active.append(parameter)
        return tuple(active)

    def suggest(self, suggester: Suggester) -> dict[str, Value]:
        """Draw one configuration: every parameter whose condition holds."""
        config: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.when is None or parameter.when.holds(config):
                config[parameter.name] = parameter.suggest(suggester)
        return config

    def complete(self, config: Mapping[str, Any]) -> dict[str, Value]:
        """Check a configuration, add parameters with one value, drop those whose condition does not hold.

        Raises:
            SpaceError: A name is unknown, a value impossible, or a parameter missing.
        """
        given = {name: self.parameter(name).check(value) for name, value in config.items()}
        result: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.when is not None and not parameter.when.holds(result):
                continue
            if parameter.name not in given and parameter.size > 1:
                raise SpaceError(f"{parameter.name} is missing; it may be {parameter}")
            result[parameter.name] = given.get(parameter.name, parameter.grid(1)[0])
        return result

    def grid(self, points: int) -> Iterator[dict[str, Value]]:
        """Yield every configuration of the grid once: ranges at `points` values, conditions make no duplicates."""

        def extend(config: dict[str, Value], rest: tuple[Parameter, ...]) -> Iterator[dict[str, Value]]:
            if not rest:
                yield config
                return
            parameter, *others = rest
            if parameter.when is not None and not parameter.when.holds(config):
                yield from extend(config, tuple(others))
                return
            for value in parameter.grid(points):
                yield from extend({**config, parameter.name: value}, tuple(others))

        yield from extend({}, self.parameters)

    @property
    def size(self) -> float:
        """Number of different configurations; math.inf with any continuous parameter."""
        if any(math.isinf(parameter.size) for parameter in self.active_parameters):
            return math.inf
        limit = 100_000  # enough to know that no study exhausts it
        return sum(1 for _ in itertools.islice(self.grid(limit), limit))

    def choices(self, name: str) -> tuple[Value, ...]:
        """Return what a fixed or categorical parameter may be here; nothing for a range or one that is not there."""
        return self.parameter(name).values if name in self.names else ()

    def upper_bound(self, name: str) -> float:
        """Return the largest number that this parameter may be here."""
        return self.parameter(name).upper_bound

    def as_single(self, config: Mapping[str, Any]) -> Space:
        """Return the space of this one configuration, which is then its published one: nothing is searched."""
        return Space(parameters=fixed(**self.complete(config)), published=({},))

    def with_value(self, name: str, value: Any, source: str = arg.sets) -> Space:
        """Return the space with one parameter held at a value; its condition stays.

        Args:
            name: Name of the parameter.
            value: The value.
            source: The option or file that set the value, for error messages.

        Raises:
            SpaceError: The parameter is unknown or the value impossible.
        """
        return self.with_parameter(self.parameter(name).with_value(value, source))

    def with_parameter(self, parameter: Parameter) -> Space:
        """Return the space with the parameter of that name replaced (`--space`). Raises SpaceError."""
        self.parameter(parameter.name)
        # A published setting outside the new range keeps its other values; the search draws this one.
        published: list[Config] = []
        for config in self.published:
            kept = {
                name: value for name, value in config.items() if name != parameter.name or parameter.contains(value)
            }
            if kept not in published:
                published.append(kept)
        parameters = tuple(parameter if old.name == parameter.name else old for old in self.parameters)
        return replace(self, parameters=parameters, published=tuple(published))


def _may_hold(condition: Condition, reachable: Mapping[str, tuple[Value, ...]]) -> bool:
    """Return whether a searched value can meet the condition. reachable: values by parameter, none for a range."""
    if condition.parameter not in reachable:
        return False
    values = reachable[condition.parameter]
    return not values or bool(set(values) & set(condition.values))
