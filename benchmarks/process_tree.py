"""Runs one command as a cold process tree and measures all of it: wall clock, processor time, peak of memory.

Ray's daemons and workers leave their parent's process group, and a worker that renames itself overwrites the
environment that /proc shows. So a process belongs to a run when the environment it was started with carries the run's
mark, when its parent belongs to it, or when it once did.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "PODIUM_BENCHMARK_RUN"
CPU_INTERVAL = 0.25  # seconds; what a process does after its last look is lost: half of this on average
# The kernel walks a process's page table for its share of memory: 15 to 20 ms of processor time for each TensorFlow.
MEMORY_INTERVAL = 2.0
GRACE = 5.0  # seconds for what outlives the command


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Cost of one command."""

    wall_seconds: float  # until the command itself ended
    cpu_seconds: float  # user and system, of every process
    peak_bytes: int  # of the processes' summed proportional share (Pss), every MEMORY_INTERVAL seconds
    processes: int  # seen
    left_over: int  # that outlived the command by some seconds of grace, and were ended
    exit_status: int
    started: float  # of time.time()
    ended: float
    sampler_seconds: float  # processor time of this measuring itself


def busy_cores(seconds: float = 2.0) -> float:
    """Return how many cores are at work on anything at all, on average over the next seconds.

    The load average would still include the last run for minutes.
    """
    return psutil.cpu_percent(seconds) / 100 * (os.cpu_count() or 1)


class Tree:
    """The processes of one run, looked at from outside.

    Attributes:
        alive: Processes of the run at the last look.
        peak_bytes: Highest sum of their memory, pages shared with others divided among them.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._seconds: dict[psutil.Process, float] = {}  # a process equals another of the same id and start alone
        self._strangers: set[psutil.Process] = set()
        self.alive: set[psutil.Process] = set()
        self.peak_bytes = 0

    def look(self, *, memory: bool) -> None:
        """Find the run's processes, note the processor time of each, and where asked the memory of all."""
        found = {process: process.info for process in psutil.process_iter(["ppid", "cpu_times", "status"])}
        ours = {process for process in found if self._belongs(process)}
        while adopted := {each for each in found if found[each]["ppid"] in {own.pid for own in ours}} - ours:
            ours |= adopted  # children of the run's processes belong to it, whatever their environment
        for process in ours & {each for each in found if found[each]["cpu_times"] is not None}:
            self._seconds[process] = sum(found[process]["cpu_times"][:2])
        self.alive = {process for process in ours if found[process]["status"] != psutil.STATUS_ZOMBIE}
        if memory:
            self.peak_bytes = max(self.peak_bytes, sum(_shares(self.alive)))

    def _belongs(self, process: psutil.Process) -> bool:
        if process in self._seconds or process in self._strangers:
            return process in self._seconds
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if environment.get(MARK) == self._mark:
                return True
            if environment:  # empty between fork and exec, and in the kernel's own threads
                self._strangers.add(process)
        return False

    @property
    def processes(self) -> int:
        return len(self._seconds)

    @property
    def cpu_seconds(self) -> float:
        return sum(self._seconds.values())


def _shares(processes: set[psutil.Process]) -> Iterator[int]:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            yield process.memory_full_info().pss


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    cores: Sequence[int] = (),
    timeout: float = 6 * 3600,
    grace: float = GRACE,
) -> Measurement:
    """Run a command to its end and measure its process tree; no process of the run is left.

    Args:
        command: Program and arguments.
        folder: Working directory.
        log: File for its output.
        environment: Variables beside this process's own.
        cores: Processor numbers it may use; none means all.
        timeout: Seconds until TimeoutError.
        grace: Seconds for processes that outlive the command.

    Raises:
        TimeoutError: The command did not end in time.
    """
    mark = uuid.uuid4().hex
    tree = Tree(mark)
    own = time.process_time()
    started, clock = time.time(), time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, **environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            _watch(tree, process, clock + timeout)
            wall, ended = time.perf_counter() - clock, time.time()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            left_over = _end(tree, grace)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The kernel's own count of the command and of whatever it waited for: exact where there is one process.
    waited = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measurement(
        wall_seconds=wall,
        cpu_seconds=max(tree.cpu_seconds, waited),
        peak_bytes=tree.peak_bytes,
        processes=tree.processes,
        left_over=left_over,
        exit_status=process.returncode,
        started=started,
        ended=ended,
        sampler_seconds=time.process_time() - own,
    )


def _watch(tree: Tree, process: subprocess.Popen[bytes], deadline: float) -> None:
    next_memory = time.perf_counter()
    while True:
        now = time.perf_counter()
        tree.look(memory=now >= next_memory)
        if now >= next_memory:
            next_memory = now + MEMORY_INTERVAL
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(CPU_INTERVAL)  # looks every 0.05 s whether the command has ended
            return
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{process.args!r} did not end in time")


def _end(tree: Tree, grace: float) -> int:
    """Wait for what outlives the command, then end it. Returns how many had to be ended."""
    deadline = time.perf_counter() + grace
    tree.look(memory=False)
    while tree.alive and time.perf_counter() < deadline:
        time.sleep(CPU_INTERVAL)
        tree.look(memory=False)
    for process in tree.alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return len(tree.alive)
