"""Changes of a space from the command line: `--set name=value` and `--space name=low..high` or `name=a,b,c`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from errors import unknown_name
from search_spaces.axes import Axis, Choice, SpaceError, Value
from search_spaces.space import Space

_RANGE = re.compile(r"^(?P<low>[^.,]*(?:\.\d+[^.,]*)?)\.\.(?P<high>[^.].*)$")


def parse_value(text: str) -> Value:
    """A number, true or false, or the text itself."""
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
    """("from_scratch", "dropout", "0.2") of "from_scratch.dropout=0.2"; the arm is None where none is named."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise SpaceError(f"{option} is {text!r}, but must look like name=value, such as learning_rate=1e-4")
    arm, dot, axis = name.strip().rpartition(".")
    return (arm if dot else None), axis, value.strip()


def set_value(space: Space, name: str, text: str) -> Space:
    """The space with that axis or constant held at the value."""
    return space.fix(name, parse_value(text))


def change_axis(space: Space, name: str, text: str) -> Space:
    """The space with that axis over another range or other choices. A logarithmic axis stays logarithmic."""
    axis = space.axis(name)
    match = _RANGE.match(text)
    if match is None:
        return space.restrict(_choices(axis, [parse_value(part) for part in text.split(",")]))
    if isinstance(axis, Choice):
        raise SpaceError(f"{name} is chosen from a list; write {name}=a,b of {axis}")
    ends: dict[str, Any] = {end: axis.check(parse_value(match[end])) for end in ("low", "high")}
    return space.restrict(replace(axis, **ends, source="{spaces}"))


def set_in_arms(spaces: dict[str, Space], sets: tuple[str, ...], ranges: tuple[str, ...]) -> dict[str, Space]:
    """The arms' spaces with every `--set` and `--space` applied to each arm that has such an axis.

    "arm.axis=..." changes one arm. Raises SpaceError where no arm has it.
    """
    changed = dict(spaces)
    for option, texts, change in (("{sets}", sets, set_value), ("{spaces}", ranges, change_axis)):
        for text in texts:
            arm, axis, value = split_assignment(option, text)
            if arm is not None and arm not in spaces:
                raise SpaceError(f"{option} {text}: " + unknown_name("arm", arm, tuple(spaces)))
            having = [
                name
                for name, space in changed.items()
                if arm in (None, name) and axis in (space.names if option == "{sets}" else _axes(space))
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
    """No arm, or not the one that is named, has such an axis; or it is held at a value, which is no range."""
    asked = [space for name, space in spaces.items() if arm in (None, name)]
    held = sorted({str(space.constants[axis]) for space in asked if axis in space.constants})
    if held:
        return f"{axis} is not searched but held at {' or '.join(held)}; hold it elsewhere with {{sets}} {axis}=VALUE"
    known = sorted({name for space in asked for name in space.names})
    return unknown_name("axis" if arm is None else f"axis of {arm}", axis, known)


def _axes(space: Space) -> tuple[str, ...]:
    return tuple(axis.name for axis in space.axes)


def _choices(axis: Axis, values: list[Any]) -> Choice:
    checked = tuple(axis.check(value) for value in values)
    allowed = (*axis.values, *axis.allowed) if isinstance(axis, Choice) else ()
    return Choice(name=axis.name, values=checked, allowed=allowed, when=axis.when, source="{spaces}")
