from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from machine import usable_cores
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


@pytest.fixture(autouse=True)
def _quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.5, 0.5))


def test_a_start_that_took_too_long_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = fail_first(1, monkeypatch)
    assert start_ray(None) == "127.0.0.1:8265"
    assert len(starts) == 2
    assert {start["num_cpus"] for start in starts} == {usable_cores()}  # the plan's own count


def test_then_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_first(9, monkeypatch)
    with pytest.raises(UsageError, match=r"2 tries.*timed out during startup") as caught:
        start_ray(None)
    assert "\n" not in str(caught.value)


def test_a_busy_machine_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, told = fail_first(4, monkeypatch), list[str]()
    monkeypatch.setattr(os, "getloadavg", lambda: (40.0, 40.0, 40.0))
    assert start_ray(None, told.append) == "127.0.0.1:8265"
    assert len(starts) == 5
    assert len(told) == 4
    assert "load 40" in told[0]


def test_a_machine_that_stays_busy_is_named_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_first(99, monkeypatch)
    monkeypatch.setattr(os, "getloadavg", lambda: (40.0, 40.0, 40.0))
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr("tuning.execution.ray_cluster.time.monotonic", lambda: float(next(clock)))
    with pytest.raises(UsageError, match="load 40"):
        start_ray(None)


def test_where_tune_would_write_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_first(0, monkeypatch)
    for name in ("TUNE_RESULT_DIR", "RAY_AIR_LOCAL_CACHE_DIR"):
        os.environ[name] = "/elsewhere"
    start_ray(None)
    assert not {"TUNE_RESULT_DIR", "RAY_AIR_LOCAL_CACHE_DIR"} & set(os.environ)


@pytest.mark.parametrize(
    ("folder", "expected"), [("/var/tmp", None), ("/" + "x" * 60, "/tmp"), ("/var/tmp/not-there", "/tmp")]
)
def test_a_long_or_missing_temporary_folder_gives_way(
    folder: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(0, monkeypatch)
    os.environ["TMPDIR"] = folder
    start_ray(None)
    assert os.environ.get("RAY_TMPDIR") == expected


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_first(0, monkeypatch)
    (tmp_path / "file").touch()
    os.environ["HOME"] = str(tmp_path / "file")
    with pytest.raises(UsageError, match="HOME"):
        start_ray(None)
