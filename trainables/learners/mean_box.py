"""The same box for every image, the mean of the training boxes: the floor under every network that says where."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables import npz, targets
from trainables.learner import Infeasible, ModelFacts
from trainables.phase_timer import PhaseTimer
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

FILE_NAME = "model.npz"


def create(gpu_fraction: float = 0.0, watch: PhaseTimer | None = None) -> MeanBoxLearner:
    """A learner that has not started. It leaves any share of a GPU alone."""
    return MeanBoxLearner(watch or PhaseTimer())


class MeanBoxLearner:
    """Of all boxes that do not look at the image, the one with the least mean squared error. config: nothing."""

    def __init__(self, watch: PhaseTimer) -> None:
        self._watch = watch
        self._box = np.empty(0, np.float32)

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Take the mean of the training boxes. Raises Infeasible where the task asks for classes."""
        if spec.target != "box":
            raise Infeasible(f"the mean box answers where, but this task asks for a {spec.target}")
        self._train, self._val = train, val
        self._box = train.targets.mean(axis=0, dtype=np.float64).astype(np.float32)
        return {}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Loss and iou on the training boxes; nothing is left to learn."""
        if not self._box.size:
            raise RuntimeError("epoch() before start(): this learner has nothing to train")
        with self._watch("train"):
            seen = targets.find("box").evaluate(self._of(len(self._train)), self._train.targets)
        return {"loss": seen["loss"], "iou": seen["iou"]}

    def validate(self, epoch: int = 0) -> np.ndarray:
        """See learner.Learner."""
        return self._of(len(self._val.validation_subset(epoch)))

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """The box [N, 4] float32 for batches uint8 [B, S, S, 3], whatever they show."""
        if not self._box.size:
            raise RuntimeError("predict() before start() or load(): this learner has no model")
        return self._of(sum(len(batch) for batch in batches))

    def save(self, folder: Path) -> None:
        """Write model.npz: box [4]."""
        if not self._box.size:
            raise RuntimeError("save() before start(): there is no model yet")
        npz.write(folder / FILE_NAME, {"box": self._box})

    def load(self, folder: Path, spec: TrainingSpec, train: SplitBatches) -> None:
        """Become the saved model. Raises ValueError (one line) where model.npz is missing, damaged or incomplete."""
        self._box = npz.read(folder / FILE_NAME, "mean box", needed=("box",))["box"]

    def export(self, folder: Path) -> ModelFacts:
        """What `save` writes is plain arrays already."""
        self.save(folder)
        return ModelFacts(parameters=4, size_bytes=(folder / FILE_NAME).stat().st_size)

    def _of(self, count: int) -> np.ndarray:
        return np.tile(self._box, (count, 1))
