"""Logistic regression on what a wholly frozen backbone makes of an image (document 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables import devices, logistic
from trainables.compiled import MORE, configure_tensorflow, out_of_memory_is_infeasible
from trainables.features import feature_feed
from trainables.keras_learner import VALIDATION_BATCH, KerasLearner, channel_statistics
from trainables.learner import Infeasible
from trainables.models.head import LOGITS
from trainables.stopwatch import Stopwatch
from trainables.trial_spec import TrainingSpec
from trainables.workbench import WORKBENCH, WarmNetwork

if TYPE_CHECKING:
    from datasets.pipeline import Images

NEVER = -1e9  # the logit of a class without training images: its probability is exactly 0


def create(gpu_fraction: float = 0.0, watch: Stopwatch | None = None) -> FeaturesLearner:
    """A learner that has not started. With a share of a GPU (above 0), its memory is limited to that share."""
    if gpu_fraction:
        devices.limit_gpu(gpu_fraction)
    return FeaturesLearner(watch or Stopwatch())


class FeaturesLearner(KerasLearner):
    """Multinomial logistic regression (scikit-learn, L-BFGS, L2) on a backbone's last maps, not standardised.

    config: C (inverse strength of the L2 penalty, above 0), and what models/backbone_features.py reads.
    The features are computed once per machine, kept and mapped like those of any frozen prefix. After each epoch the
    network's dense softmax holds the regression's coefficients, so that it is validated, tested and exported as any
    network is; only they are saved, since all else comes from the backbone's own file.
    """

    remedy = MORE  # a configuration has no batch_size here

    def _start(self, spec: TrainingSpec, train: Images, val: Images) -> dict[str, Any]:
        configure_tensorflow()
        if train.view.augmentation != "none":
            raise Infeasible(
                f"augmentation is {train.view.augmentation}, but features are computed once for every image: use none"
            )
        self._regression = logistic.Regression(spec.config, np.asarray(train.labels), spec.seed)
        what = f"{spec.model} at {spec.view.image_size} px"
        # Every iteration of an epoch reads the features once: that decides whether to keep them.
        read = replace(spec, arm_epochs=spec.arm_epochs * logistic.ITERATIONS_PER_EPOCH)
        try:
            with out_of_memory_is_infeasible(what, self.remedy):
                with self._watch("build"):
                    self._warm = warm = WORKBENCH.take(spec, channel_statistics(train))
                cut = self._cut = len(warm.network.blocks)
                with self._watch("reset"):
                    warm.start(spec.seed, 0.0, cut)
                with self._watch("features"):
                    training, fact = feature_feed(warm, cut, read, train)
                    self._validation, _ = feature_feed(warm, cut, read, val)
        except ValueError as error:
            raise Infeasible(" ".join(str(error).split())[:300]) from None
        # scikit-learn computes in float32 as it stands; under mixed_bfloat16 a copy is made of half as many bytes.
        self._features = np.asarray(training.arrays[0], np.float32)
        prepared: dict[str, Any] = {"features": fact} if fact else {}
        layers = warm.network.layers
        return prepared | {"frozen_layers": layers, "backbone_layers": layers, "frozen_blocks": cut}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Twenty more iterations. Returns loss (cross-entropy in nats, without the penalty) and accuracy on train."""
        if self._warm is None:
            raise RuntimeError("epoch() before start(): this learner has nothing to train")
        with self._watch("train"):
            seen = self._regression.epoch(self._features)
            kernel, bias = self._kept(self._warm)
            coefficients = np.zeros(kernel.shape, np.float32)
            intercepts = np.full(bias.shape, NEVER, np.float32)
            coefficients[:, self._regression.classes] = self._regression.coefficients.T
            intercepts[self._regression.classes] = self._regression.intercepts
            kernel.assign(coefficients)
            bias.assign(intercepts)
        return seen

    def validate(self, epoch: int = 0) -> np.ndarray:
        """See learner.Learner."""
        if self._warm is None:
            raise RuntimeError("validate() before start(): this learner has no validation images")
        return self._finite(self._warm.prediction(self._cut), self._validation.checked_batches(VALIDATION_BATCH, epoch))

    def _kept(self, warm: WarmNetwork) -> list[Any]:
        """Kernel [D, C] and bias [C] of the dense softmax."""
        return list(warm.network.model.get_layer(LOGITS).variables)
