"""Order of runs: rounds in which systems take turns, each rotated, then single checks.

Every peer runs in the first round. Later rounds and the check with more trials are for the fastest two peers and this
project: only the ratio to the best peer counts, and all peers would take twice as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.systems import PODIUM
from benchmarks.workloads import Workload

CONTENDERS = 2


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One run to do."""

    system: str
    trials: int
    round: int  # from 1; 0 for a check


def plan(
    workload: Workload, systems: Sequence[str], rounds: int, seconds: Mapping[str, Sequence[float]]
) -> Iterator[Planned]:
    """Yield the runs of a workload in their order, one round of all systems after the other.

    Args:
        workload: The workload.
        systems: Names of systems.
        rounds: Number of rounds.
        seconds: Wall clock of every run in a round, by system. The caller adds to it before asking for the next run. A
            peer without one after the first round has failed and is left out.
    """
    for number in range(rounds):
        # Rotated, so that none is always first.
        shift = number % len(systems)
        for system in (*systems[shift:], *systems[:shift]):
            trials = workload.podium_trials if system == PODIUM else workload.peer_trials
            yield Planned(system=system, trials=trials, round=number + 1)
        systems = _fastest(systems, seconds)
    if workload.peer_check is not None:
        for system in systems:
            if system != PODIUM:
                yield Planned(system=system, trials=workload.peer_check, round=0)
    if PODIUM in systems:
        for trials in workload.podium_checks:
            yield Planned(system=PODIUM, trials=trials, round=0)


def _fastest(systems: Sequence[str], seconds: Mapping[str, Sequence[float]]) -> list[str]:
    """Return this project and the fastest peers, in the given order."""
    peers = sorted((name for name in systems if name != PODIUM and name in seconds), key=lambda n: median(seconds[n]))
    return [name for name in systems if name == PODIUM or name in peers[:CONTENDERS]]
