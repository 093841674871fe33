"""What holds for all tests, and the order of the files: two run side by side, so the longest come first."""

from __future__ import annotations

import pytest
from hypothesis import settings

# A busy machine is no failure: examples that took 200 ms, Hypothesis's own limit, once took 20.
settings.register_profile("podium", deadline=None)
settings.load_profile("podium")

LONGEST = ("test_study", "test_equivalence", "test_benchmarks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
