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
        """Add the probabilities of one model.

        Args:
            trial: Name of the trial.
            probabilities: float32 [N, C], for the same images as of every other model.
        """
        for name, trials in self._ensembles.items():
            if trial in trials:
                self._sums[name] = self._sums.get(name, 0.0) + probabilities.astype(np.float64)
                self._members[name].append(trial)

    def of_all(self) -> dict[str, tuple[list[str], np.ndarray]]:
        """Return members and mean of each ensemble that has any.

        Returns:
            Names of the members and float32 [N, C], by ensemble.
        """
        return {
            name: (self._members[name], (total / len(self._members[name])).astype(np.float32))
            for name, total in self._sums.items()
        }
