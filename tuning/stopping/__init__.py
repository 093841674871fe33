"""Stopping rules, one a file: each has `create`, with the signature of asha.create, which returns Ray's scheduler.

The scheduler is one arm's own: it hears of search trials of that arm alone, counts our own `epoch` and looks at
`objective`, the best value so far.
"""

from __future__ import annotations

import pkgutil

NONE = "none"


def stopping_rules() -> list[str]:
    """Return the name of every rule, in alphabetical order. Imports none of them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))
