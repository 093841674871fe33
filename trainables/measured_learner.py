"""A pre-trained network measured as it comes: nothing of it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainables import devices, targets
from trainables.compiled import MORE, configure_tensorflow
from trainables.keras_learner import VALIDATION_BATCH, KerasLearner
from trainables.learner import Infeasible
from trainables.stopwatch import Stopwatch
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline import Images


def create(gpu_fraction: float = 0.0, watch: Stopwatch | None = None) -> MeasuredLearner:
    """A learner that has not started. With a share of a GPU (above 0), its memory is limited to that share."""
    if gpu_fraction:
        devices.limit_gpu(gpu_fraction)
    return MeasuredLearner(watch or Stopwatch())


class MeasuredLearner(KerasLearner):
    """Its one epoch looks at every training image and changes nothing; saved and loaded as any network is."""

    remedy = MORE  # a configuration has no batch_size here

    def _start(self, spec: TrainingSpec, train: Images, val: Images) -> dict[str, Any]:
        """Have the network as its weights' authors left it."""
        configure_tensorflow()
        self._train, self._val = train, val
        self._target = targets.find(spec.target)
        try:
            with self._watch("build"):
                self._warm = self._begun(spec, train)
        except ValueError as error:
            raise Infeasible(" ".join(str(error).split())[:300]) from None
        return {}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Loss and score on every training image, as in prediction."""
        with self._watch("train"):
            seen = self._target.evaluate(self.predict(self._train.batches(VALIDATION_BATCH)), self._train.targets)
        return {"loss": seen["loss"], self._target.score: seen[self._target.score]}

    def validate(self, epoch: int = 0) -> np.ndarray:
        """See learner.Learner."""
        return self.predict(self._val.batches(VALIDATION_BATCH, self._val.checked(epoch)))
