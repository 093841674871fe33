"""Several models as one: the mean of their probabilities (deep-learning report, ensemble of five MiniVGGNets)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


class Averages:
    """Sums up as models answer, so that only one array an ensemble is held, however many its members."""

    def __init__(self, ensembles: Mapping[str, Sequence[str]]) -> None:
        """ensembles: trials whose models are averaged, by the name of the row."""
        self._ensembles = ensembles
        self._sums: dict[str, np.ndarray] = {}
        self._members: dict[str, list[str]] = {name: [] for name in ensembles}

    def add(self, trial: str, probabilities: np.ndarray) -> None:
        """probabilities: float32 [N, C] of that trial's model for the same images as of every other."""
        for name, trials in self._ensembles.items():
            if trial in trials:
                self._sums[name] = self._sums.get(name, 0.0) + probabilities.astype(np.float64)
                self._members[name].append(trial)

    def of_all(self) -> dict[str, tuple[list[str], np.ndarray]]:
        """Members and mean float32 [N, C] of each ensemble that has any."""
        return {
            name: (self._members[name], (total / len(self._members[name])).astype(np.float32))
            for name, total in self._sums.items()
        }
