"""What users read, whole: after a change of a text, `make snapshots` and read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.cases import CASES, path, snapshot


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "report" else name for name in CASES]
)
def test_what_a_command_prints_is_what_was_edited(name: str, tmp_path: Path) -> None:
    assert snapshot(name, tmp_path) == path(name).read_text()
