"""Logistic regression on the features of a wholly frozen backbone (deep-learning report)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.features.frozen_features import feature_feed
from trainables.learner import Infeasible, value_errors_are_infeasible
from trainables.learners.logistic_regression import ITERATIONS_PER_EPOCH, Regression
from trainables.learners.network_learner import NetworkLearner
from trainables.learners.training_session import VALIDATION_BATCH, predict_finite
from trainables.models.parts.heads import LOGITS
from trainables.phase_timer import PhaseTimer
from trainables.training.model_cache import CachedModel
from trainables.training.train_step import MORE, configure_tensorflow, raise_oom_as_infeasible
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

NEVER = -1e9  # the logit of a class without training images: its probability is exactly 0


class FeaturesSession:
    """A regression on features that are computed once, and the network whose dense softmax takes its coefficients."""

    def __init__(
        self,
        warm: CachedModel,
        regression: Regression,
        spec: TrainingSpec,
        train: SplitBatches,
        val: SplitBatches,
        watch: PhaseTimer,
    ) -> None:
        self._warm, self._regression, self._watch = warm, regression, watch
        self._cut = len(warm.network.blocks)
        # Every iteration of an epoch reads the features once: that decides whether to keep them.
        read = replace(spec, arm_epochs=spec.arm_epochs * ITERATIONS_PER_EPOCH)
        with watch("reset"):
            warm.reset(spec.seed, 0.0, self._cut)
        with watch("features"):
            training, fact = feature_feed(warm, self._cut, read, train)
            self._validation, _ = feature_feed(warm, self._cut, read, val)
        # scikit-learn reads float32 features without a copy; mixed_bfloat16 features are copied to float32 first.
        self._features = np.asarray(training.arrays[0], np.float32)
        layers = warm.network.layers
        self.prepared: dict[str, Any] = {"features": fact} if fact else {}
        self.prepared |= {"frozen_layers": layers, "backbone_layers": layers, "frozen_blocks": self._cut}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Do twenty more iterations. Returns loss (cross-entropy in nats, without penalty) and accuracy on train."""
        with self._watch("train"):
            seen = self._regression.epoch(self._features)
            kernel, bias = _softmax_variables(self._warm)
            coefficients = np.zeros(kernel.shape, np.float32)
            intercepts = np.full(bias.shape, NEVER, np.float32)
            coefficients[:, self._regression.classes] = self._regression.coefficients.T
            intercepts[self._regression.classes] = self._regression.intercepts
            kernel.assign(coefficients)
            bias.assign(intercepts)
        return seen

    def validate(self, epoch: int) -> np.ndarray:
        return predict_finite(self._warm, self._cut, self._validation.checked_batches(VALIDATION_BATCH, epoch), MORE)


class FeaturesLearner(NetworkLearner[FeaturesSession]):
    """Multinomial logistic regression (scikit-learn, L-BFGS, L2) on a backbone's last maps, not standardised.

    config: C (inverse strength of the L2 penalty, above 0), and what models/families/linear_probe.py reads.
    The features are computed once per machine, kept and mapped like those of any frozen prefix. After each epoch the
    network's dense softmax holds the regression's coefficients, so that it is validated, tested and exported as any
    network is; only they are saved, since all else comes from the backbone's own file.
    """

    def _new_session(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> FeaturesSession:
        configure_tensorflow()
        if train.view.augmentation != "none":
            raise Infeasible(
                f"augmentation is {train.view.augmentation}, but features are computed once for every image: use none"
            )
        regression = Regression(spec.config, np.asarray(train.labels), spec.seed)
        what = f"{spec.model} at {spec.view.image_size} px"
        with value_errors_are_infeasible(), raise_oom_as_infeasible(what, self.remedy):
            with self._watch("build"):
                warm = self._take(spec, train)
            return FeaturesSession(warm, regression, spec, train, val, self._watch)

    def _kept(self, warm: CachedModel) -> list[Any]:
        return _softmax_variables(warm)


def _softmax_variables(warm: CachedModel) -> list[Any]:
    """Kernel [D, C] and bias [C] of the dense softmax."""
    return list(warm.network.model.get_layer(LOGITS).variables)


create = FeaturesLearner
