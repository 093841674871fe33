"""Command line of a peer, and the line it writes for each trial."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.workloads import Configuration, Workload, find


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of one peer. Picklable, and light: Ray sends it to every worker."""

    workload: Workload
    trials: int
    material: Path  # the folder that benchmarks/prepare_inputs.py filled
    out: Path  # a line of JSON for each trial
    scratch: Path  # an empty folder for the system's own files

    @classmethod
    def of_arguments(cls, arguments: Sequence[str]) -> Job:
        """WORKLOAD TRIALS MATERIAL OUT SCRATCH."""
        key, trials, *paths = arguments
        material, out, scratch = (Path(path).resolve() for path in paths)
        return cls(workload=find(key), trials=int(trials), material=material, out=out, scratch=scratch)

    def arguments(self) -> list[str]:
        return [self.workload.key, str(self.trials), str(self.material), str(self.out), str(self.scratch)]

    @property
    def configurations(self) -> list[Configuration]:
        return self.workload.configurations(self.trials)

    @property
    def weights(self) -> Path | None:
        """The backbone's initial weights; None where everything starts at random."""
        return next(iter(sorted(self.material.glob("backbone.*"))), None)

    def facts(self) -> dict[str, Any]:
        """Return channel_mean and channel_std of the training images, 0 to 255."""
        facts: dict[str, Any] = json.loads((self.material / "facts.json").read_text())
        return facts

    def record(self, index: int, started: float, val_accuracy: Sequence[float]) -> None:
        """Append a trial's line in one write, since two workers may write at once.

        Args:
            index: Position of the configuration.
            started: Start in seconds of time.time().
            val_accuracy: One value for each epoch.
        """
        line = {
            "index": index,
            "val_accuracy": [round(float(value), 6) for value in val_accuracy],
            "seconds": round(time.time() - started, 3),
            "started": round(started, 3),
        }
        file = os.open(self.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(file, (json.dumps(line) + "\n").encode())
        finally:
            os.close(file)
