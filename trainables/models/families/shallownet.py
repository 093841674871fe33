"""The smallest convolutional network: one convolution and one dense layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import Network
from trainables.models.parts.heads import probabilities

STRUCTURE: tuple[str, ...] = ()
FILTERS = 32


def build(
    config: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    channel_mean: Sequence[float],
    channel_std: Sequence[float],
    weights: Path | None = None,
) -> Network:
    """Conv32-3, ReLU, flattened, dense, softmax (document 2, ShallowNet); 99,203 parameters at 32 px, 3 classes.

    x / 255 goes in: neither channel_mean nor channel_std is used. Raises ValueError where weights are given.
    """
    del config, channel_mean, channel_std
    images = layers.image_input(input_shape, smallest=1, weights=weights)
    x = layers.convolve(layers.scaled(images), FILTERS, 3, "block1")
    x = keras.layers.ReLU(name="block1_activation")(x)
    x = keras.layers.Flatten(name="features")(x)
    return Network(model=keras.Model(images, probabilities(x, num_classes), name="shallownet"))
