"""Targets of a network, class or box: loss and score in the graph, metrics after prediction.

A batch's targets come from datasets.pipeline.batches.SplitBatches; everything that depends on their kind is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from errors import unknown_name
from trainables import classification_metrics
from trainables.box_overlap import HALF, iou

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches


class ClassificationTarget:
    """Target of one of C classes: probabilities, cross-entropy, accuracy.

    TensorFlow is imported inside, since learners without it evaluate too.
    """

    score = "accuracy"  # reported beside the loss of every epoch, the more the better
    element_shape: tuple[int, ...] = ()  # of one image's target
    dtype = "int64"  # of targets
    sum_dtype = "int64"  # in which the scores of an epoch are added up

    def check(self, outputs: int) -> None:
        """Raise ValueError (one line) for a network that ends in so many numbers an image and cannot answer.

        Any number of outputs may name classes; heads say themselves how many they can.
        """

    def losses(self, outputs: Any, targets: Any, *, from_logits: bool) -> Any:
        """Return the loss of every image [B], in the graph.

        Args:
            outputs: Symbolic outputs [B, ...].
            targets: Symbolic targets [B, ...].
            from_logits: Whether outputs are those before a softmax.
        """
        import keras
        import tensorflow as tf

        if from_logits:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs)
        return keras.losses.sparse_categorical_crossentropy(targets, outputs)

    def weighted(self, losses: Any, targets: Any, class_weights: Any) -> Any:
        """Weigh losses by class for the gradient, in the graph.

        Args:
            losses: [B].
            targets: [B].
            class_weights: Variable [C].
        """
        import tensorflow as tf

        return losses * tf.cast(tf.gather(class_weights.read_value(), targets), losses.dtype)

    def scores(self, outputs: Any, targets: Any) -> Any:
        """Return the score of every image [B], of `sum_dtype`, in the graph.

        Args:
            outputs: Symbolic outputs [B, ...].
            targets: Symbolic targets [B, ...].
        """
        import tensorflow as tf

        return tf.cast(tf.argmax(outputs, axis=-1) == targets, tf.int64)

    def evaluate(self, predictions: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """Return the metrics of a split: "loss", the score and others for tables.

        Args:
            predictions: float [N, C].
            targets: Labels [N].
        """
        return classification_metrics.evaluate(predictions, targets)

    def stored(self, predictions: np.ndarray, images: SplitBatches) -> dict[str, np.ndarray]:
        """Return predictions and truth for a winner's folder.

        Args:
            predictions: float [N, C].
            images: The split.

        Returns:
            probabilities [N, C] and labels [N].
        """
        return {"probabilities": predictions, "labels": images.labels}


class BoxTarget:
    """Target of a box (x1, y1, x2, y2 in shares of the sides): mean squared error, overlap over union."""

    score = "iou"
    element_shape: tuple[int, ...] = (4,)
    dtype = "float32"
    sum_dtype = "float64"

    def check(self, outputs: int) -> None:
        """Check that the network has four outputs.

        Raises:
            ValueError: It has not.
        """
        if outputs != 4:
            raise ValueError(f"the network ends in {outputs} numbers, but a box has 4: give it the head box")

    def losses(self, outputs: Any, targets: Any, *, from_logits: bool) -> Any:
        import keras

        if from_logits:
            raise ValueError("the network ends in a softmax, but a box is no distribution: give it the head box")
        return keras.losses.mean_squared_error(targets, outputs)

    def weighted(self, losses: Any, targets: Any, class_weights: Any) -> Any:
        """Return the losses as they are, since a box has no class.

        Args:
            losses: [B].
            targets: [B, 4].
            class_weights: Not used.
        """
        return losses

    def scores(self, outputs: Any, targets: Any) -> Any:
        import tensorflow as tf

        return tf.cast(iou(outputs, targets, library=tf), tf.float64)

    def evaluate(self, predictions: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """Return loss (mean squared error), mean iou, and iou_at_least_half, a share of images.

        Args:
            predictions: [N, 4].
            targets: [N, 4].

        Raises:
            ValueError: Shapes do not fit or values are not finite.
        """
        if predictions.ndim != 2 or predictions.shape[1] != 4 or predictions.shape != targets.shape or not len(targets):
            raise ValueError(
                f"predicted boxes have shape {predictions.shape} and true ones {targets.shape}, but must both be "
                "[N, 4] with N above 0"
            )
        if not np.isfinite(predictions).all():
            raise ValueError("predicted boxes are not finite, but must be: the model has diverged")
        predicted, true = predictions.astype(np.float64), targets.astype(np.float64)
        overlaps = iou(predicted, true)
        return {
            "loss": float(np.square(predicted - true).mean()),
            "iou": float(overlaps.mean()),
            "iou_at_least_half": float((overlaps >= HALF).mean()),
        }

    def stored(self, predictions: np.ndarray, images: SplitBatches) -> dict[str, np.ndarray]:
        """Return predictions and truth for a winner's folder.

        Args:
            predictions: [N, 4].
            images: The split.

        Returns:
            predicted_boxes [N, 4], true_boxes [N, 4] and their overlaps [N].
        """
        overlaps = iou(predictions.astype(np.float64), images.targets.astype(np.float64))
        return {"predicted_boxes": predictions, "true_boxes": images.targets, "overlaps": overlaps}


TargetType = ClassificationTarget | BoxTarget
CLASSES = ClassificationTarget()
KINDS: dict[str, TargetType] = {"class": CLASSES, "box": BoxTarget()}


def find(name: str) -> TargetType:
    """Return the target of that name.

    Raises:
        ValueError: There is none; the message has the nearest name.
    """
    if name not in KINDS:
        raise ValueError(unknown_name("target", name, tuple(KINDS)))
    return KINDS[name]
