"""Base of learners whose model is a few arrays: one file without pickle, no framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainables import npz
from trainables.learner import ModelFacts
from trainables.phase_timer import PhaseTimer
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

FILE_NAME = "model.npz"
BATCH = 256  # images read at a time, where nothing is trained


class ArrayLearner(ABC):
    """A learner that keeps its model in `_arrays`. Subclasses have `start`, `epoch` and `predict`, see Learner."""

    model_name = ""  # in an error about a damaged file
    needed: tuple[str, ...] = ()  # names without which a file is no model
    unlearned: tuple[str, ...] = ()  # names of arrays that are no parameters
    _val: SplitBatches  # from start() on

    def __init__(self, gpu_fraction: float = 0.0, watch: PhaseTimer | None = None) -> None:
        """Have not started. It leaves any share of a GPU alone."""
        self._watch = watch or PhaseTimer()
        self._arrays: dict[str, np.ndarray] = {}  # from start() or load() on

    @abstractmethod
    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return predictions for batches of images; subclasses implement it.

        Args:
            batches: uint8 [B, S, S, 3] each.

        Returns:
            float32 [N, outputs].
        """

    def validate(self, epoch: int = 0) -> np.ndarray:
        """Return predictions for the validation images of an epoch.

        Returns:
            float32 [N, outputs].
        """
        return self.predict(self._val.batches(BATCH, self._val.validation_subset(epoch)))

    def save(self, folder: Path) -> None:
        """Write model.npz: arrays only, whole or not at all."""
        npz.write(folder / FILE_NAME, self._arrays)

    def load(self, folder: Path, spec: TrainingSpec, train: SplitBatches) -> None:
        """Load the saved model.

        Args:
            folder: Folder of the model.
            spec: Specification of the trial that saved it.
            train: Training images; not read.

        Raises:
            ValueError: model.npz is missing, damaged or incomplete.
        """
        self._arrays = npz.read(folder / FILE_NAME, self.model_name, self.needed)

    def export(self, folder: Path) -> ModelFacts:
        """Write what `save` writes: it is plain arrays already."""
        self.save(folder)
        parameters = sum(array.size for name, array in self._arrays.items() if name not in self.unlearned)
        return ModelFacts(parameters=parameters, size_bytes=(folder / FILE_NAME).stat().st_size)
