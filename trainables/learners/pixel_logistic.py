"""Logistic regression on small images: the floor under every network, and a learner without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.learner import Infeasible
from trainables.learners import logistic_regression
from trainables.learners.array_learner import BATCH, ArrayLearner
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches


class PixelsLearner(ArrayLearner):
    """Multinomial logistic regression (scikit-learn, L-BFGS, L2) on pixels pooled by area.

    config: C (inverse strength of the L2 penalty, above 0), pooled_side (pixels; 1 to the view's image size).
    Pixels are standardised by the training split's mean and deviation of each colour.
    """

    model_name = "pixels model"
    unlearned = ("pooled_side", "num_classes", "mean", "deviation", "classes")
    needed = (*unlearned, "coefficients", "intercepts")

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Pool the training images.

        Args:
            spec: Specification of the trial.
            train: Training images.
            val: Validation images.

        Raises:
            Infeasible: The configuration or the split cannot work.
        """
        side = int(spec.config["pooled_side"])
        if not 1 <= side <= spec.view.image_size:
            raise Infeasible(f"pooled_side is {side}, but must be from 1 to the image's {spec.view.image_size}")
        self._regression = logistic_regression.Regression(spec.config, np.asarray(train.labels), spec.seed)
        self._arrays = {
            "pooled_side": np.array(side),
            "num_classes": np.array(spec.num_classes),
            "mean": np.asarray(train.store.channel_mean, np.float32),
            # At least one grey level: a colour that never varies must not divide by 0.
            "deviation": np.maximum(np.asarray(train.store.channel_std, np.float32), 1.0),
        }
        self._val = val
        with self._watch("features"):
            # In place: 87,000 traffic signs at 32 px are 1 GB, and twice that beside the parts they are joined from.
            self._features = np.empty((len(train), side * side * 3), np.float32)
            for number, batch in enumerate(train.batches(BATCH)):
                self._features[number * BATCH : number * BATCH + len(batch)] = self.pool(batch)
        return {}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Twenty more iterations. Returns loss (cross-entropy in nats, without the penalty) and accuracy on train."""
        with self._watch("train"):
            seen = self._regression.epoch(self._features)
        self._arrays |= {
            "coefficients": self._regression.coefficients,
            "intercepts": self._regression.intercepts,
            "classes": self._regression.classes,
        }
        return seen

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return class probabilities; 0 for a class without training images.

        Args:
            batches: uint8 [B, S, S, 3] each.

        Returns:
            float32 [N, classes].
        """
        parts = [self._probabilities(self.pool(batch)) for batch in batches]
        return np.concatenate(parts) if parts else np.empty((0, int(self._arrays["num_classes"])), np.float32)

    def pool(self, images: np.ndarray) -> np.ndarray:
        pooled = pool_by_area(images, int(self._arrays["pooled_side"]))
        standardised = (pooled - self._arrays["mean"]) / self._arrays["deviation"]
        features: np.ndarray = standardised.reshape(len(images), -1).astype(np.float32)
        return features

    def _probabilities(self, features: np.ndarray) -> np.ndarray:
        held = self._arrays
        result = np.zeros((len(features), int(held["num_classes"])), np.float32)
        # A class missing from the training split stays 0.
        result[:, held["classes"]] = logistic_regression.probabilities(
            features, held["coefficients"], held["intercepts"]
        )
        return result


def pool_by_area(images: np.ndarray, side: int) -> np.ndarray:
    """Average the pixels under each of side x side equal squares.

    A pixel on a border counts by the share of it that lies inside.

    Args:
        images: [B, S, S, 3].
        side: Squares along a side.

    Returns:
        float32 [B, side, side, 3].
    """
    rows, columns = _area_weights(images.shape[1], side), _area_weights(images.shape[2], side)
    narrowed = np.tensordot(images.astype(np.float32), columns, axes=(2, 1))  # [B, S, 3, side]
    return np.ascontiguousarray(np.tensordot(narrowed, rows, axes=(1, 1)).transpose(0, 3, 2, 1))


def _area_weights(size: int, side: int) -> np.ndarray:
    """[side, size] float32, rows sum to 1: how much of each of `size` pixels lies in each of `side` equal parts."""
    edges = np.arange(side + 1) * (size / side)
    starts = np.arange(size)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    weights = np.clip(overlap, 0, None)
    shares: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return shares.astype(np.float32)


create = PixelsLearner
