"""Multinomial logistic regression, an epoch of L-BFGS at a time: what the learners without gradient descent share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import softmax  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from trainables.learner import Infeasible

ITERATIONS_PER_EPOCH = 20  # of L-BFGS: an "epoch" is what a scheduler may stop after


class Regression:
    """Logistic regression of scikit-learn (L-BFGS, L2) that continues in each epoch where the last one ended."""

    def __init__(self, config: Mapping[str, Any], labels: np.ndarray, seed: int) -> None:
        """Check the settings and set up the solver.

        Args:
            config: C, the inverse strength of the L2 penalty, above 0.
            labels: Of the training images, int [N].
            seed: Seed of the solver.

        Raises:
            Infeasible: C is impossible, or there is only one class.
        """
        strength = float(config["C"])
        if not 0 < strength < float("inf"):
            raise Infeasible(f"C is {strength:g}, but must be above 0 and finite, such as 0.01")
        if len(np.unique(labels)) < 2:
            raise Infeasible("the training split has images of one class only, but a classifier needs two")
        self._labels = labels
        self._regression = LogisticRegression(
            C=strength, solver="lbfgs", max_iter=ITERATIONS_PER_EPOCH, warm_start=True, random_state=seed
        )

    def epoch(self, features: np.ndarray) -> dict[str, float]:
        """Run twenty more iterations.

        Args:
            features: float32 [N, D]; never copied, so that they may be mapped from disk.

        Returns:
            loss (cross-entropy in nats, without the penalty) and accuracy on the features.

        Raises:
            Infeasible: The coefficients are not finite.
        """
        with warnings.catch_warnings():
            # Twenty iterations end before convergence by design: the next epoch goes on from there.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._regression.fit(features, self._labels)
        coefficients, intercepts = self._regression.coef_, self._regression.intercept_
        if not (np.isfinite(coefficients).all() and np.isfinite(intercepts).all()):
            raise Infeasible("the coefficients are not finite: try a smaller C")
        if len(coefficients) == 1:  # two classes: one row, for the second; the same model as two opposite halves
            coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
            intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
        self.coefficients, self.intercepts = coefficients, intercepts  # [classes trained, D], [classes trained]
        self.classes: np.ndarray = self._regression.classes_  # those with training images, ascending
        own = np.searchsorted(self.classes, self._labels)
        likely = probabilities(features, coefficients, intercepts)
        true = likely[np.arange(len(own)), own]
        return {
            "loss": float(abs(np.log(np.clip(true, 1e-7, 1.0)).mean())),  # not -0.0 where it is certain
            "accuracy": float((likely.argmax(axis=1) == own).mean()),
        }


def probabilities(features: np.ndarray, coefficients: np.ndarray, intercepts: np.ndarray) -> np.ndarray:
    """Return softmax probabilities.

    Args:
        features: float32 [N, D].
        coefficients: [K, D].
        intercepts: [K].

    Returns:
        float32 [N, K]; rows sum to 1.
    """
    scores = features @ coefficients.T.astype(np.float32) + intercepts
    likely: np.ndarray = softmax(scores, axis=1).astype(np.float32)
    return likely
