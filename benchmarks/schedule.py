"""Which run comes when: rounds in which the systems take turns, each round in another order, then single checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.systems import PODIUM
from benchmarks.workloads import Workload


@dataclass(frozen=True, kw_only=True)
class Planned:
    system: str
    trials: int
    round: int  # from 1; 0 for a check


def plan(workload: Workload, systems: Sequence[str], rounds: int) -> list[Planned]:
    """Interleaved, so that whatever drifts on the machine meets every system; rotated, so that none is always first."""
    runs: list[Planned] = []
    for number in range(rounds):
        shift = 2 * number % len(systems)
        for system in (*systems[shift:], *systems[:shift]):
            trials = workload.podium_trials if system == PODIUM else workload.peer_trials
            runs.append(Planned(system=system, trials=trials, round=number + 1))
    for system in systems:
        if system != PODIUM and workload.peer_check is not None:
            runs.append(Planned(system=system, trials=workload.peer_check, round=0))
    if PODIUM in systems:
        runs += [Planned(system=PODIUM, trials=trials, round=0) for trials in workload.podium_checks]
    return runs
