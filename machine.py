"""Cores and memory that this process may use: the machine's, less what affinity and control groups take away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
UNLIMITED_BYTES = 2**60  # version 1 writes a number above any machine's memory for "no limit"


def usable_cores() -> int:
    """Return the cores this process may keep busy, at least 1.

    A container started with a quota of processor time (docker run --cpus=2) sees every core of its host, and so does
    Python before 3.13.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([cores, *_quotas()])))


def usable_memory() -> int:
    """Return the bytes of memory this process may fill: the machine's, or the smallest limit of its control groups."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([total, *_memory_limits()])


def _quotas() -> Iterator[float]:
    """Yield the processor quota of each control group, in cores; the smallest one holds."""
    for folder in _groups(""):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            yield int(quota) / int(period)  # "max" is no number
    for folder in _groups("cpu"):
        with suppress(OSError, ValueError):
            quota_us, period_us = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
            if quota_us > 0:
                yield quota_us / period_us


def _memory_limits() -> Iterator[int]:
    for controller, file in (("", "memory.max"), ("memory", "memory.limit_in_bytes")):
        for folder in _groups(controller):
            with suppress(OSError, ValueError):
                limit = int((folder / file).read_text())
                if limit < UNLIMITED_BYTES:
                    yield limit


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control group and of all above it.

    Args:
        controller: "" for version 2, which has one tree for all; else the name of one of version 1.
    """
    root = CONTROL_GROUPS / controller
    path = "/"
    with suppress(OSError):
        for line in OWN_GROUPS.read_text().splitlines():
            _, controllers, own = line.split(":", 2)
            if controller in controllers.split(","):
                path = own
    folder = root / path.lstrip("/")
    yield folder
    while folder != root and root in folder.parents:
        folder = folder.parent
        yield folder
