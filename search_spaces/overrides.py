"""Changes of a space from the command line: `--set name=value` and `--space name=low..high` or `name=a,b,c`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from errors import arg, unknown_name
from search_spaces.parameters import CategoricalParameter, FixedParameter, SpaceError, Value
from search_spaces.space import Space

_RANGE = re.compile(r"^(?P<low>[^.,]*(?:\.\d+[^.,]*)?)\.\.(?P<high>[^.].*)$")


def parse_value(text: str) -> Value:
    """Return the number, truth value or text that is written."""
    lowered = text.strip().lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    for kind in (int, float):
        try:
            return kind(lowered)
        except ValueError:
            continue
    return text.strip()


def split_assignment(option: str, text: str) -> tuple[str | None, str, str]:
    """Split "from_scratch.dropout=0.2" into ("from_scratch", "dropout", "0.2").

    Args:
        option: The argument that the text belongs to, for messages.
        text: The assignment; the arm is None where none is named.

    Raises:
        SpaceError: The text is no assignment.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise SpaceError(f"{option} is {text!r}, but must look like name=value, such as learning_rate=1e-4")
    arm, dot, axis = name.strip().rpartition(".")
    return (arm if dot else None), axis, value.strip()


def _hold(space: Space, name: str, text: str) -> Space:
    return space.with_value(name, parse_value(text))


def _change(space: Space, name: str, text: str) -> Space:
    """Return the space with that parameter over another range or other choices; a logarithmic range stays one."""
    parameter = space.parameter(name)
    match = _RANGE.match(text)
    if match is None:
        choices = tuple(parameter.check(parse_value(part)) for part in text.split(","))
        if isinstance(parameter, CategoricalParameter):
            allowed = (*parameter.values, *parameter.allowed)
            return space.with_parameter(replace(parameter, values=choices, allowed=allowed, source=arg.spaces))
        return space.with_parameter(
            CategoricalParameter(name=name, values=choices, when=parameter.when, source=arg.spaces)
        )
    if isinstance(parameter, CategoricalParameter | FixedParameter):
        raise SpaceError(f"{name} is chosen from a list; write {name}=a,b of {parameter}")
    ends: dict[str, Any] = {end: parameter.check(parse_value(match[end])) for end in ("low", "high")}
    return space.with_parameter(replace(parameter, **ends, source=arg.spaces))


def set_in_arms(spaces: dict[str, Space], sets: tuple[str, ...], ranges: tuple[str, ...]) -> dict[str, Space]:
    """Apply every `--set` and `--space` to each arm that has such an axis.

    Args:
        spaces: Spaces by arm.
        sets: Assignments of `--set`; "arm.axis=..." changes one arm.
        ranges: Assignments of `--space`.

    Raises:
        SpaceError: No arm has such an axis, or the value is impossible.
    """
    changed = dict(spaces)
    for option, texts, change in ((arg.sets, sets, _hold), (arg.spaces, ranges, _change)):
        for text in texts:
            arm, axis, value = split_assignment(option, text)
            if arm is not None and arm not in spaces:
                raise SpaceError(f"{option} {text}: " + unknown_name("arm", arm, tuple(spaces)))
            having = [
                name
                for name, space in changed.items()
                if arm in (None, name)
                and axis in (space.names if option == arg.sets else {own.name for own in space.axes})
            ]
            if not having:
                raise SpaceError(f"{option} {text}: " + _why_not(changed, arm, axis))
            for name in having:
                try:
                    changed[name] = change(changed[name], axis, value)
                except SpaceError as error:
                    raise SpaceError(f"{option} {text} ({name}): {error.template}") from None
    return changed


def _why_not(spaces: dict[str, Space], arm: str | None, axis: str) -> str:
    """Explain why no arm can take the change: the axis is unknown, or held at a value."""
    asked = [space for name, space in spaces.items() if arm in (None, name)]
    held = sorted({str(space.constants[axis]) for space in asked if axis in space.constants})
    if held:
        return f"{axis} is not searched but held at {' or '.join(held)}; hold it elsewhere with {arg.sets} {axis}=VALUE"
    known = sorted({name for space in asked for name in space.names})
    return unknown_name("axis" if arm is None else f"axis of {arm}", axis, known)
