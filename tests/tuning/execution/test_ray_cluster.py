from __future__ import annotations

import pytest

from tuning.execution.ray_cluster import _patiently
from tuning.plan.settings import UsageError

pytestmark = pytest.mark.slow  # imports Ray


def test_a_start_that_took_too_long_is_tried_once_more() -> None:
    tries = []

    def start() -> str:
        tries.append(len(tries))
        if len(tries) == 1:
            raise Exception("The current node timed out during startup.")
        return "started"

    assert _patiently(start) == "started"
    assert tries == [0, 1]


def test_then_it_is_one_line() -> None:
    def start() -> None:
        raise Exception("The current node timed out during startup.\nThis could happen because")

    with pytest.raises(UsageError, match=r"Ray did not start, twice \(The current node timed out during startup.\)"):
        _patiently(start)
