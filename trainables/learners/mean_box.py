"""The same box for every image, the mean of the training boxes: the baseline of networks that predict boxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables import targets
from trainables.learner import Infeasible
from trainables.learners.array_learner import ArrayLearner
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches


class MeanBoxLearner(ArrayLearner):
    """Learner of the constant box with the least mean squared error; it has no settings."""

    model_name = "mean box"
    needed = ("box",)  # [4]

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Take the mean of the training boxes.

        Args:
            spec: Specification of the trial.
            train: Training images.
            val: Validation images.

        Raises:
            Infeasible: The task asks for classes.
        """
        if spec.target != "box":
            raise Infeasible(f"the mean box answers where, but this task asks for a {spec.target}")
        self._train, self._val = train, val
        self._arrays = {"box": train.targets.mean(axis=0, dtype=np.float64).astype(np.float32)}
        return {}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Loss and iou on the training boxes; nothing is left to learn."""
        with self._watch("train"):
            seen = targets.find("box").evaluate(self._of(len(self._train)), self._train.targets)
        return {"loss": seen["loss"], "iou": seen["iou"]}

    def validate(self, epoch: int = 0) -> np.ndarray:
        return self._of(len(self._val.validation_subset(epoch)))

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return the same box for every image.

        Args:
            batches: uint8 [B, S, S, 3] each.

        Returns:
            float32 [N, 4].
        """
        return self._of(sum(len(batch) for batch in batches))

    def _of(self, count: int) -> np.ndarray:
        return np.tile(self._arrays["box"], (count, 1))


create = MeanBoxLearner
