"""A pre-trained network measured as it comes: nothing of it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainables import targets
from trainables.learner import value_errors_are_infeasible
from trainables.learners.network_learner import NetworkLearner
from trainables.learners.training_session import VALIDATION_BATCH, predict_finite
from trainables.phase_timer import PhaseTimer
from trainables.training.model_cache import CachedModel
from trainables.training.train_step import MORE, configure_tensorflow
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches


class MeasuredSession:
    """A network as its weights' authors left it, and the images it is measured on."""

    def __init__(
        self, warm: CachedModel, spec: TrainingSpec, train: SplitBatches, val: SplitBatches, watch: PhaseTimer
    ) -> None:
        self._warm, self._train, self._val, self._watch = warm, train, val, watch
        self._target = targets.find(spec.target)
        self.prepared: dict[str, Any] = {}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Return loss and score on every training image, as in prediction."""
        with self._watch("train"):
            seen = self._target.evaluate(self._predict(self._train), self._train.targets)
        return {"loss": seen["loss"], self._target.score: seen[self._target.score]}

    def validate(self, epoch: int) -> np.ndarray:
        return self._predict(self._val, self._val.validation_subset(epoch))

    def _predict(self, images: SplitBatches, positions: np.ndarray | None = None) -> np.ndarray:
        batches = images.batches(VALIDATION_BATCH, positions)
        return predict_finite(self._warm, 0, ([batch] for batch in batches), MORE)


class MeasuredLearner(NetworkLearner[MeasuredSession]):
    """Its one epoch looks at every training image and changes nothing; saved and loaded as any network is."""

    def _new_session(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> MeasuredSession:
        configure_tensorflow()
        with value_errors_are_infeasible(), self._watch("build"):
            warm = self._untrained(spec, train)
        return MeasuredSession(warm, spec, train, val, self._watch)


create = MeasuredLearner
