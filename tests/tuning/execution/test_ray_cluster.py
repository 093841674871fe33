from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from tuning.execution.ray_cluster import start_ray
from tuning.plan.settings import UsageError

pytestmark = pytest.mark.slow  # imports Ray


def fail_first(count: int, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let Ray's start time out `count` times; return the arguments of all starts."""
    starts: list[dict[str, Any]] = []

    def init(**arguments: Any) -> SimpleNamespace:
        starts.append(arguments)
        if len(starts) <= count:
            raise Exception("The current node timed out during startup.\nThis could happen because")
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    monkeypatch.setattr("os.environ", dict(os.environ))
    monkeypatch.setattr("ray.init", init)
    return starts


def test_a_start_that_took_too_long_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = fail_first(1, monkeypatch)
    assert start_ray(None) == "127.0.0.1:8265"
    assert len(starts) == 2


def test_then_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_first(9, monkeypatch)
    with pytest.raises(UsageError, match="timed out during startup") as caught:
        start_ray(None)
    assert "\n" not in str(caught.value)
