"""LeNet as the deep-learning report trains it on handwritten digits."""

from __future__ import annotations

from typing import Any

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE: tuple[str, ...] = ()
FILTERS = (20, 50)  # of 5 x 5 convolutions, each followed by a 2 x 2 max-pooling
HIDDEN_UNITS = 500


def build(spec: BuildSpec) -> Network:
    """Build LeNet: two blocks of convolution and max-pooling, dense 500, dense.

    [Conv-5, ReLU, max-pooling] twice with 20 and 50 filters, dense 500, ReLU, dense, softmax. The input is the mean of
    the three channels, divided by 255, which leaves a grey image as it is. The network therefore has as many parameters
    as the report's: 1,256,080 at 28 px, 10 classes. channel_mean and channel_std are not used.

    Raises:
        ValueError: Images are below 4 pixels, or weights are given.
    """
    images = layers.image_input(spec, smallest=4)
    x = _grey(layers.scaled(images))
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.convolve(x, filters, 5, f"block{number}")
        x = keras.layers.ReLU(name=f"block{number}_activation")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{number}_pooling")(x)
    x = keras.layers.Flatten(name="features")(x)
    x = keras.layers.Dense(HIDDEN_UNITS, activation="relu", name="dense")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes), name="lenet"))


def _grey(images: Any) -> Any:
    """Average the channels to [B, S, S, 1], in a nested model, since a network here is all layers."""
    colours = keras.Input(images.shape[1:], dtype="float32")
    return keras.Model(colours, keras.ops.mean(colours, axis=-1, keepdims=True), name="grey")(images)
