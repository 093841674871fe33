from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tuning.execution.ray_callbacks import WAIT_SECONDS, EventCallback

pytestmark = pytest.mark.slow  # imports Ray


def test_a_study_says_what_it_waits_for_while_none_of_its_trials_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("tuning.execution.ray_callbacks.time.monotonic", lambda: clock.now)
    monkeypatch.setattr("ray.available_resources", lambda: {"CPU": 1.0})
    callback = EventCallback(Any, Any, told.append)  # type: ignore[arg-type]
    share = SimpleNamespace(required_resources={"CPU": 4.0, "GPU": 0.5})
    waiting: Any = SimpleNamespace(status="PENDING", placement_group_factory=share)
    running: Any = SimpleNamespace(status="RUNNING", placement_group_factory=share)
    for trials, seconds, expected in (
        ([waiting], 0, 0),
        ([waiting], WAIT_SECONDS - 1, 0),
        ([waiting], 1, 1),
        ([waiting, running], WAIT_SECONDS, 1),  # a free slot is no matter while others run
        ([waiting], 1, 1),
        ([waiting], WAIT_SECONDS, 2),
        ([], WAIT_SECONDS, 2),
    ):
        clock.now += seconds
        callback.on_step_begin(1, trials)
        assert len(told) == expected
    assert "4 cores, 0.5 GPUs" in told[0]
    assert "1 cores, 0 GPUs" in told[0]
