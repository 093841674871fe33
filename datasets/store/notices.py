"""Notices about a store that users read at the start of a study."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.dataset import Dataset
from errors import pluralize


def notices_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the notices of a data set of the user's own about what lies beside its images, or none."""
    return tuple(getattr(dataset, "notices", ()))


def broken_notice(broken: dict[str, str]) -> list[str]:
    """Return a notice of images that were left out, or none."""
    if not broken:
        return []
    shown = ", ".join(sorted(broken)[:3]) + (", ..." if len(broken) > 3 else "")
    return [f"{pluralize(len(broken), 'broken image', 'broken images')} left out: {shown}"]


def alike_notice(names: Sequence[tuple[str, str]], all_compared: bool) -> list[str]:
    """Return a notice of near-duplicates across the store's own splits (folds divide otherwise).

    Args:
        names: Pairs of images that look the same.
        all_compared: Whether every pair was compared.
    """
    if not names and all_compared:
        return []
    more = " (`datasets describe` names more)" if len(names) > 3 else ""
    shown = ", ".join(f"{one} and {other}" for one, other in names[:3]) + more
    pairs = pluralize(len(names), "pair of images looks", "pairs of images look")
    count = pairs if all_compared else f"at least {pairs}"
    ending = f": {shown}" if names else ""
    partly = "" if all_compared else " (not all were compared)"
    return [f"{count} the same but lie in different splits of the store{partly}{ending}"]
