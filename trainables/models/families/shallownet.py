"""The smallest convolutional network: one convolution and one dense layer."""

from __future__ import annotations

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE: tuple[str, ...] = ()
FILTERS = 32


def build(spec: BuildSpec) -> Network:
    """Build Conv32-3, ReLU, flatten, dense, softmax (deep-learning report, ShallowNet).

    99,203 parameters at 32 px, 3 classes. Images are divided by 255; channel_mean and channel_std are not used.

    Raises:
        ValueError: Weights are given.
    """
    images = layers.image_input(spec, smallest=1)
    x = layers.convolve(layers.scaled(images), FILTERS, 3, "block1")
    x = keras.layers.ReLU(name="block1_activation")(x)
    x = keras.layers.Flatten(name="features")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes), name="shallownet"))
