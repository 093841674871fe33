"""Cores and memory as containers grant them, in both versions of control groups."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

import machine

CORES = len(os.sched_getaffinity(0))
TOTAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
NO_LIMIT = str(0x7FFFFFFFFFFFF000)  # what version 1 writes


def groups(root: Path, own: str, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Control groups below `root`, of which /proc/self/cgroup says `own`."""
    for name, content in files.items():
        (root / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "cgroup" / name).write_text(content + "\n")
    (root / "own").write_text(own)
    monkeypatch.setattr(machine, "CONTROL_GROUPS", root / "cgroup")
    monkeypatch.setattr(machine, "OWN_GROUPS", root / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))


@pytest.mark.parametrize(
    ("own", "files", "cores", "memory"),
    [
        ("0::/\n", {"cpu.max": "200000 100000", "memory.max": "1000000"}, 2, 1_000_000),
        ("0::/\n", {"cpu.max": "max 100000", "memory.max": "max"}, 8, TOTAL),
        ("0::/\n", {"cpu.max": "150000 100000"}, 1, TOTAL),  # whole cores
        ("0::/\n", {"cpu.max": "50000 100000"}, 1, TOTAL),  # at least one
        (
            "0::/a/b\n",
            {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000", "cpu.max": "900000 100000"},
            3,
            TOTAL,
        ),
        ("0::/a/b\n", {"a/memory.max": "5000", "a/b/memory.max": "7000"}, 8, 5000),
        (
            "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n",
            {
                "cpu/docker/x/cpu.cfs_quota_us": "400000",
                "cpu/docker/x/cpu.cfs_period_us": "100000",
                "memory/docker/x/memory.limit_in_bytes": "9000",
            },
            4,
            9000,
        ),
        (
            "3:cpu,cpuacct:/not/mounted/here\n4:memory:/\n",  # as in a container: the mounted root is its own group
            {
                "cpu/cpu.cfs_quota_us": "200000",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": NO_LIMIT,
            },
            2,
            TOTAL,
        ),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8, TOTAL),
        ("", {}, 8, TOTAL),
    ],
)
def test_the_smallest_limit_holds(
    own: str, files: Mapping[str, str], cores: int, memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups(tmp_path, own, files, monkeypatch)
    assert machine.usable_cores() == cores
    assert machine.usable_memory() == memory


def test_affinity_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups(tmp_path, "0::/\n", {"cpu.max": "600000 100000"}, monkeypatch)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5})
    assert machine.usable_cores() == 1


def test_without_control_groups_it_is_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "none")
    assert (machine.usable_cores(), machine.usable_memory()) == (CORES, TOTAL)
