"""The arithmetic of the tables: runs gathered into cells, and cells carried forward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import LinearRegression, linear_regression, median
from typing import Any

from benchmarks.systems import PODIUM, SYSTEMS

QUIET = 0.2  # cores at work before a run; above it, somebody else is working there


@dataclass(frozen=True, kw_only=True)
class Cell:
    """All runs of one system at one number of trials; or one calculated run, where `carried`."""

    system: str
    trials: int
    walls: tuple[float, ...]  # seconds, one a run
    cpus: tuple[float, ...]
    peaks: tuple[float, ...] = ()  # bytes
    accuracies: tuple[float, ...] = ()  # validation after the last epoch, of every trial of every run
    carried: bool = False
    quiet: bool = True  # whether nobody else was at work on the machine before any of the runs

    @property
    def wall(self) -> float:
        return median(self.walls)

    @property
    def cpu(self) -> float:
        return median(self.cpus)

    @property
    def a_trial(self) -> float:
        """Wall-clock seconds, start-up included."""
        return self.wall / self.trials


def cost(small: Cell, large: Cell) -> LinearRegression:
    """Return wall-clock seconds as a line over trials: the start (intercept), and one more trial (slope).

    Args:
        small: Runs with the smaller number of trials.
        large: Runs with the larger one.
    """
    return linear_regression((small.trials, large.trials), (small.wall, large.wall))


def cells(runs: Iterable[Mapping[str, Any]]) -> list[Cell]:
    """Gather the successful runs of one workload, measured and carried forward, by trials, then system."""
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for run in runs:
        if run["error"] is None:
            groups.setdefault((run["system"], run["trials"]), []).append(run)
    found = [_gather(system, trials, group) for (system, trials), group in groups.items()]
    found += _carried(found)
    order = list(SYSTEMS)
    return sorted(found, key=lambda cell: (cell.trials, order.index(cell.system)))


def _gather(system: str, trials: int, runs: list[Mapping[str, Any]]) -> Cell:
    return Cell(
        system=system,
        trials=trials,
        walls=tuple(run["wall_seconds"] for run in runs),
        cpus=tuple(run["cpu_seconds"] for run in runs),
        peaks=tuple(run["peak_bytes"] for run in runs),
        accuracies=tuple(values[-1] for run in runs for values in run["val_accuracy"]),
        quiet=all(run["busy_before"] <= QUIET for run in runs),
    )


def _carried(found: list[Cell]) -> list[Cell]:
    """Extrapolate each peer, along the line through its two measured cells, to this project's numbers of trials."""
    made = []
    for system in {cell.system for cell in found} - {PODIUM}:
        own = sorted((cell for cell in found if cell.system == system), key=lambda cell: cell.trials)
        if len(own) < 2:
            continue
        small, large = own[0], own[-1]
        wall, cpu = cost(small, large), linear_regression((small.trials, large.trials), (small.cpu, large.cpu))
        for trials in {cell.trials for cell in found if cell.system == PODIUM and cell.trials > large.trials}:
            at = [(line.intercept + line.slope * trials,) for line in (wall, cpu)]
            made.append(Cell(system=system, trials=trials, walls=at[0], cpus=at[1], carried=True))
    return made


def ratios(found: list[Cell]) -> dict[tuple[str, int], float]:
    """Return each cell's wall clock in multiples of this project's, where both are known."""
    own = {cell.trials: cell.wall for cell in found if cell.system == PODIUM}
    return {(cell.system, cell.trials): cell.wall / own[cell.trials] for cell in found if cell.trials in own}


def best_peer(found: list[Cell], trials: int) -> str | None:
    """Return the peer with the shortest wall clock.

    Args:
        found: The cells.
        trials: The number of trials compared.
    """
    peers = [cell for cell in found if cell.trials == trials and cell.system != PODIUM]
    return min(peers, key=lambda cell: cell.wall).system if peers else None
