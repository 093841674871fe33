"""The hand-written network on small images: a learner without any framework."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search_spaces.known_names import whole_numbers
from trainables import devices
from trainables.learner import Infeasible
from trainables.learners import mlp
from trainables.learners.array_learner import BATCH, FILE_NAME, ArrayLearner
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches


class NumpyLearner(ArrayLearner):
    """The deep-learning report's multi-class network: dense layers, ReLU, softmax, AdaGrad (see mlp).

    config: hidden_layers (their units, such as "25-25"), learning_rate (AdaGrad's, above 0), batch_size.
    A network reads the mean of each pixel's three colours, standardised by that pixel's mean and deviation over the
    training images. The initial parameters and the order of the images derive from the seed.
    """

    model_name = "NumPy network"
    unlearned = ("mean", "deviation")  # of the pixels; then weights_1, biases_1, weights_2, ...
    needed = (*unlearned, "weights_1", "biases_1")

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Draw the parameters and measure the pixels.

        Args:
            spec: Specification of the trial.
            train: Training images.
            val: Validation images.

        Raises:
            Infeasible: The configuration is impossible.
        """
        config = spec.config
        try:
            hidden = whole_numbers("hidden_layers", config["hidden_layers"])
        except ValueError as error:
            raise Infeasible(str(error)) from None
        self._learning_rate = float(config["learning_rate"])
        if not 0 < self._learning_rate < math.inf:
            raise Infeasible(f"learning_rate is {self._learning_rate:g}, but must be above 0 and finite, such as 0.01")
        self._batch_size = int(config["batch_size"])
        if self._batch_size < 1:
            raise Infeasible(f"batch_size is {self._batch_size}, but must be at least 1")
        self._seed, self._train, self._val = spec.seed, train, val
        with self._watch("features"):
            mean, deviation = _pixel_statistics(train)
        sizes = (len(mean), *hidden, spec.num_classes)
        parameters = mlp.draw(sizes, np.random.default_rng(spec.seed), np.float32)
        self._arrays = {"mean": mean, "deviation": deviation, **dict(zip(_names(parameters), parameters, strict=True))}
        self._optimizer = mlp.AdaGrad(parameters)
        return {}

    def epoch(self, epoch: int) -> dict[str, float]:
        """Run one pass over the training images in a new order.

        Returns:
            loss (cross-entropy in nats) and accuracy before each step.

        Raises:
            Infeasible: The loss is not finite.
        """
        loss = hits = count = 0.0
        parameters = self._parameters
        batches = self._train.training_batches(self._batch_size, self._seed, epoch, threads=devices.threads())
        with self._watch("train"), closing(batches), np.errstate(over="ignore", invalid="ignore"):
            for images, labels in batches:
                of_batch, right, gradients = mlp.loss_and_gradients(parameters, self.standardize(images), labels)
                self._optimizer.step(gradients, self._learning_rate)
                loss, hits, count = loss + of_batch * len(labels), hits + right, count + len(labels)
        if not math.isfinite(loss):
            raise Infeasible(f"the loss is not finite in epoch {epoch + 1}: try a smaller learning_rate")
        return {"loss": loss / count, "accuracy": hits / count, "learning_rate": self._learning_rate}

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return class probabilities.

        Args:
            batches: uint8 [B, S, S, 3] each.

        Returns:
            float32 [N, classes].

        Raises:
            Infeasible: A number is not finite.
        """
        parameters = self._parameters
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [mlp.probabilities(parameters, self.standardize(batch)) for batch in batches]
        classes = len(parameters[-1])
        result = np.concatenate(parts).astype(np.float32) if parts else np.empty((0, classes), np.float32)
        if not np.isfinite(result).all():
            raise Infeasible("the predictions are not finite: training diverged, try a smaller learning_rate")
        return result

    def load(self, folder: Path, spec: TrainingSpec, train: SplitBatches) -> None:
        """Load the saved model.

        Args:
            folder: Folder of the model.
            spec: Specification of the trial that saved it.
            train: Training images; not read.

        Raises:
            ValueError: model.npz is missing, damaged or incomplete.
        """
        super().load(folder, spec, train)
        parameters = self._parameters
        if [*self.unlearned, *_names(parameters)] != list(self._arrays) or not _fit(self._arrays["mean"], parameters):
            path = folder / FILE_NAME
            raise ValueError(f"{path} is no saved NumPy network (its layers do not fit each other); train it again")

    @property
    def _parameters(self) -> list[mlp.Array]:
        return [array for name, array in self._arrays.items() if name not in self.unlearned]

    def standardize(self, images: np.ndarray) -> np.ndarray:
        standardised: np.ndarray = (_grey(images) - self._arrays["mean"]) / self._arrays["deviation"]
        return standardised


def _names(parameters: list[mlp.Array]) -> list[str]:
    return [f"{kind}_{layer + 1}" for layer in range(len(parameters) // 2) for kind in ("weights", "biases")]


def _grey(images: np.ndarray) -> np.ndarray:
    """Return the mean of each pixel's colours: float32 [B, S * S] of uint8 [B, S, S, 3]."""
    grey: np.ndarray = images.reshape(len(images), -1, 3).mean(axis=2, dtype=np.float32)
    return grey


def _pixel_statistics(train: SplitBatches) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of every pixel over the training images, float32 [S * S]."""
    total: Any = 0.0
    squares: Any = 0.0
    for batch in train.batches(BATCH):
        grey = _grey(batch).astype(np.float64)  # sums of squares of 60,000 images have more digits than float32
        total, squares = total + grey.sum(axis=0), squares + (grey**2).sum(axis=0)
    mean = total / len(train)
    # At least one grey level: a corner that is black in every image must not divide by 0.
    deviation = np.sqrt(np.maximum(squares / len(train) - mean**2, 1.0))
    return mean.astype(np.float32), deviation.astype(np.float32)


def _fit(mean: np.ndarray, parameters: list[mlp.Array]) -> bool:
    """Whether each layer reads as many numbers as the one before gives."""
    given = len(mean)
    for weights, biases in zip(parameters[::2], parameters[1::2], strict=False):
        if weights.shape != (given, len(biases)):
            return False
        given = len(biases)
    return True


create = NumpyLearner
