"""Grad-CAM (Selvaraju et al., 2017, arXiv 1610.02391): where in an image a network sees a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inspection.loading.best_model import InspectionError

if TYPE_CHECKING:
    import keras

BATCH = 8  # images at a time: every map of a batch is in memory at once


@dataclass(frozen=True, kw_only=True)
class GradCamResult:
    """Predictions for some images with heat maps and feature maps."""

    probabilities: NDArray[np.float32]  # [N, C]
    explained: NDArray[np.int64]  # [N], the class whose score was followed back
    heat: dict[str, NDArray[np.float32]]  # by layer: [N, h, w], at least 0; not scaled
    maps: dict[str, NDArray[np.float32]]  # by layer: [N, h, w, channels]


def grad_cam(
    network: keras.Model, images: NDArray[np.uint8], heat: Sequence[str], maps: Sequence[str] = ()
) -> GradCamResult:
    """Compute heat maps of the most probable class, and feature maps (Selvaraju et al., 2017).

    The heat at a layer is max(0, sum over channels k of a_k A_k): A_k is map k of the layer, a_k the mean over places
    of the gradient of the score by A_k. The score is the class's logit, as in the paper; with two classes it is the
    difference of both logits, on which a softmax of two (or one sigmoid unit) depends alone.

    Args:
        network: The network.
        images: uint8 [N, S, S, 3].
        heat: Names of the layers of heat maps.
        maps: Names of the layers whose feature maps are returned.

    Raises:
        InspectionError: A score does not depend on a layer.
    """
    parts = [_look(network, images[start : start + BATCH], heat, maps) for start in range(0, len(images), BATCH)]
    return GradCamResult(
        probabilities=np.concatenate([part.probabilities for part in parts]),
        explained=np.concatenate([part.explained for part in parts]),
        heat={name: np.concatenate([part.heat[name] for part in parts]) for name in heat},
        maps={name: np.concatenate([part.maps[name] for part in parts]) for name in maps},
    )


def _look(network: keras.Model, images: NDArray[np.uint8], heat: Sequence[str], maps: Sequence[str]) -> GradCamResult:
    import tensorflow as tf

    from trainables.models.parts.model_graph import Graph
    from trainables.training import fused_layers

    graph = Graph(network)
    part = graph.after(None, graph.output)
    last = part.calls[-1]
    kept: dict[str, Any] = {}
    wanted = {*heat, *maps}
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        logits: Any = None

        def call(layer: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
            nonlocal logits
            output = fused_layers.predicting(layer, arguments, keywords)
            if layer.name in wanted:
                tape.watch(output)
                kept[layer.name] = output
            if layer is last.operation:
                logits = _before_softmax(layer, arguments[0], output)
            return output

        (probabilities,) = part.run([tf.convert_to_tensor(images)], call)
        explained = tf.argmax(probabilities, axis=-1)
        scores = _scores(tf.cast(logits, tf.float32), explained)
    gradients = tape.gradient(scores, [kept[name] for name in heat])
    found: dict[str, NDArray[np.float32]] = {}
    for name, gradient in zip(heat, gradients, strict=True):
        if gradient is None:
            raise InspectionError(f"the classes of {network.name} do not depend on its layer {name}; name another")
        weights = tf.reduce_mean(tf.cast(gradient, tf.float32), axis=(1, 2), keepdims=True)
        found[name] = tf.nn.relu(tf.reduce_sum(weights * tf.cast(kept[name], tf.float32), axis=-1)).numpy()
    return GradCamResult(
        probabilities=tf.cast(probabilities, tf.float32).numpy(),
        explained=explained.numpy(),
        heat=found,
        maps={name: tf.cast(kept[name], tf.float32).numpy() for name in maps},
    )


def _before_softmax(layer: Any, inputs: Any, output: Any) -> Any:
    """Return the logits of the last layer, or its output where it has no softmax or sigmoid."""
    import keras

    if isinstance(layer, keras.layers.Softmax):
        return inputs
    if getattr(layer, "activation", None) is keras.activations.softmax and isinstance(layer, keras.layers.Dense):
        scores = keras.ops.matmul(inputs, keras.ops.cast(layer.kernel, inputs.dtype))
        return scores if layer.bias is None else scores + keras.ops.cast(layer.bias, inputs.dtype)
    return output


def _scores(logits: Any, explained: Any) -> Any:
    import tensorflow as tf

    score = tf.gather(logits, explained, axis=1, batch_dims=1)
    if logits.shape[-1] == 2:
        score -= tf.gather(logits, 1 - explained, axis=1, batch_dims=1)
    return score
