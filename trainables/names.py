"""One line for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """What was given, the nearest name that exists, and all that exist; upper and lower case count the same."""
    names = list(known)
    by_lower = {each.lower(): each for each in names}
    # 0.5: an abbreviation such as "sg" or "EfficientNet" still finds its neighbour; unrelated words find none.
    nearest = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.5)
    hint = f"; did you mean {by_lower[nearest[0]]}?" if nearest else "."
    return f"unknown {kind} {name!r}{hint} Known: {', '.join(names)}"
