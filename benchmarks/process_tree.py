"""Runs one command as a cold process tree and measures all of it: wall clock, processor time, peak of memory.

Ray's daemons and workers leave their parent's process group, and a worker that renames itself overwrites the
environment that /proc shows. So a process belongs to a run when the environment it was started with carries the run's
mark, when its parent belongs to it, or when it once did.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "PODIUM_BENCHMARK_RUN"
CPU_INTERVAL = 0.25  # seconds; what a process does after its last look is lost: half of this on average
# The kernel walks a process's page table for its share of memory: 15 to 20 ms of processor time for each TensorFlow.
MEMORY_INTERVAL = 2.0
GRACE = 5.0  # seconds for what outlives the command
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

Identity = tuple[int, int]  # process id, and when it started (in ticks since boot): ids are used again


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one command took."""

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
    """How many cores are at work on anything at all, on average over the next seconds.

    Not the load average: for minutes after a run that still tells of the run.
    """
    before = _idle_and_total()
    time.sleep(seconds)
    idle, total = (after - earlier for after, earlier in zip(_idle_and_total(), before, strict=True))
    return (os.cpu_count() or 1) * (1 - idle / total) if total else 0.0


def _idle_and_total() -> tuple[int, int]:
    """Ticks of all cores since the machine started. proc(5): user nice system idle iowait irq softirq steal."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


class Tree:
    """The processes of one run, looked at from outside."""

    def __init__(self, mark: str) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._ticks: dict[Identity, int] = {}
        self._strangers: set[Identity] = set()
        self._alive: set[Identity] = set()
        self.peak_bytes = 0

    def look(self, *, memory: bool) -> None:
        """Find the run's processes, note the processor time of each, and where asked the memory of all."""
        pids = [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]
        found = {seen.identity: seen for pid in pids if (seen := _stat(pid)) is not None}
        ours = {identity for identity in found if self._belongs(identity)}
        ours = _with_children(ours, {identity: seen.parent for identity, seen in found.items()})
        for identity in ours:
            self._ticks[identity] = found[identity].ticks
        self._alive = {identity for identity in ours if not found[identity].zombie}
        if memory:
            self.peak_bytes = max(self.peak_bytes, sum(_proportional_bytes(pid) for pid, _ in self._alive))

    def _belongs(self, identity: Identity) -> bool:
        if identity in self._ticks:
            return True
        if identity in self._strangers:
            return False
        environment = _read(identity[0], "environ")
        if environment is not None and self._mark in environment.split(b"\0"):
            return True
        if environment:  # empty between fork and exec, and in the kernel's own threads
            self._strangers.add(identity)
        return False

    @property
    def alive(self) -> frozenset[Identity]:
        """At the last look."""
        return frozenset(self._alive)

    @property
    def processes(self) -> int:
        return len(self._ticks)

    @property
    def cpu_seconds(self) -> float:
        return sum(self._ticks.values()) / TICKS


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
    """Run the command to its end, on those cores alone where any are named, its output in `log`.

    Raises TimeoutError after `timeout` seconds. In any case nothing of the run is left.
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
    """Wait for what outlives the command, then end it, each process by its id. Returns how many had to be ended."""
    deadline = time.perf_counter() + grace
    tree.look(memory=False)
    while tree.alive and time.perf_counter() < deadline:
        time.sleep(CPU_INTERVAL)
        tree.look(memory=False)
    left_over = tree.alive
    for pid, start in left_over:
        if (seen := _stat(pid)) is not None and seen.identity == (pid, start):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return len(left_over)


def _with_children(ours: set[Identity], parents: Mapping[Identity, int]) -> set[Identity]:
    """Children of the run's processes belong to it, whatever /proc says of their environment."""
    while True:
        ids = {pid for pid, _ in ours}
        adopted = {identity for identity, parent in parents.items() if parent in ids} - ours
        if not adopted:
            return ours
        ours = ours | adopted


@dataclass(frozen=True)
class _Seen:
    identity: Identity
    parent: int
    ticks: int  # of processor time, user and system
    zombie: bool  # ended, but its parent has not asked yet: its count is final


def _stat(pid: int) -> _Seen | None:
    content = _read(pid, "stat")
    if content is None:
        return None
    state, *fields = content[content.rindex(b")") + 2 :].split()  # the name before may hold anything
    return _Seen((pid, int(fields[18])), int(fields[0]), int(fields[10]) + int(fields[11]), state in (b"Z", b"X"))


def _proportional_bytes(pid: int) -> int:
    """Memory of a process, pages that it shares with others divided among them."""
    for line in (_read(pid, "smaps_rollup") or b"").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(pid: int, name: str) -> bytes | None:
    try:  # not through pathlib: four times a second for every process of the machine, it would be half of this
        file = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
    except OSError:
        return None
    try:
        return b"".join(iter(lambda: os.read(file, 1 << 16), b""))
    except OSError:  # it ended meanwhile
        return None
    finally:
        os.close(file)
