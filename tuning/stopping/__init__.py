"""Stopping rules, one a file: each has `create`, with the signature of asha.create, which returns Ray's scheduler.

Each arm has its own scheduler, which is told of that arm's search trials alone. Its time is the reported `epoch`; it
compares the reported `objective`, a trial's best value so far.
"""

from __future__ import annotations

import pkgutil

NONE = "none"


def stopping_rules() -> list[str]:
    """Return the name of every rule, in alphabetical order. Imports none of them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))
