"""A study of any length, written as events as a real one writes them, without running anything."""

from __future__ import annotations

from pathlib import Path

from tests.study_fixtures import many_events, write_study


def write_long_study(results: Path, trials: int = 10_000, epochs: int = 10) -> Path:
    """results/food10/long: completed trials of two arms."""
    return write_study(results / "food10" / "long", many_events(trials, epochs))
