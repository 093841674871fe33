"""Which run comes when: rounds in which the systems take turns, each round in another order, then single checks.

Every peer runs in the first round. The rounds after it, and the check with more trials, are for the fastest two and
this project: a ratio to the best peer is what counts, and all of them would take twice as long.
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
    system: str
    trials: int
    round: int  # from 1; 0 for a check


def plan(
    workload: Workload, systems: Sequence[str], rounds: int, seconds: Mapping[str, Sequence[float]]
) -> Iterator[Planned]:
    """One run after the other.

    seconds: wall clock of every run in a round, by system; the caller adds to it before asking for the next run. A peer
    without one after the first round has failed and does not come again.
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
    """This project and the fastest peers, in the order given."""
    peers = sorted((name for name in systems if name != PODIUM and name in seconds), key=lambda n: median(seconds[n]))
    return [name for name in systems if name == PODIUM or name in peers[:CONTENDERS]]
