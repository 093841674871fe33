"""Configurations and names in words, the same in every room."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

MOST_NAMES = 50  # in one message: of backbones all, of a study's trials the first


def setting(value: Any) -> str:
    """One value of a configuration: 3.2e-4, 0.6, 32, reduce_on_plateau."""
    if isinstance(value, float) and math.isfinite(value):
        if value != 0 and (abs(value) < 1e-2 or abs(value) >= 1e5):
            mantissa, exponent = f"{value:.1e}".split("e")
            return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
        return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"  # 999.7 in three digits would be 1e+03
    return str(value)


def configuration(config: Mapping[str, Any], constants: Collection[str] = ()) -> str:
    """adam, learning_rate 3.2e-4, conv_blocks 4, batch_size 32: what was searched, then what was held."""
    held = {name: value for name, value in config.items() if name in constants}
    words: list[str] = []
    for name, value in {**{name: value for name, value in config.items() if name not in held}, **held}.items():
        if name == "optimizer":  # its values name themselves, and the other settings are read in its light
            words.insert(0, str(value))
        elif isinstance(value, bool):
            words.append(name if value else f"no {name}")
        else:
            words.append(f"{name} {setting(value)}")
    return ", ".join(words)


def whole_numbers(name: str, text: object) -> tuple[int, ...]:
    """(9, 9, 9) of "9-9-9": how a setting says several numbers. Raises ValueError (one line)."""
    parts = str(text).split("-")
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"{name} is {text!r}, but must be whole numbers above 0 with - between them, such as 64-32")
    return tuple(map(int, parts))


def plural(count: int, one: str, many: str) -> str:
    """1 class, 10 classes."""
    return f"{count} {one if count == 1 else many}"


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """One line for a name that does not exist: what was given, the nearest that does, and those that do.

    Upper and lower case count the same in looking for the nearest.
    """
    names = list(known)
    by_lower = {each.lower(): each for each in names}
    # 0.5: an abbreviation such as "sg" or "EfficientNet" still finds its neighbour; unrelated words find none.
    nearest = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.5)
    hint = f"; did you mean {by_lower[nearest[0]]}?" if nearest else "."
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"unknown {kind} {name!r}{hint} Known: {', '.join(names[:MOST_NAMES])}{more}"
