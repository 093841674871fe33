"""The small convolutional network that the traffic-signs report compares everything with."""

from __future__ import annotations

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE: tuple[str, ...] = ()
# CNN_10_relu, chosen by its author among 42 by accuracy on the test split. None is a 2 x 2 max-pooling.
LAYERS = (6, 12, 24, None, 48, None)  # filters of 3 x 3 convolutions
HIDDEN_UNITS = 1024


def build(spec: BuildSpec) -> Network:
    """Build four convolutions and two dense layers with ReLU and He's initialization.

    3,204,687 parameters at 32 px, 43 classes. The input is (x - channel_mean) / 255, with the mean of the training
    split; the report subtracts a mean for every pixel.

    Raises:
        ValueError: Images are below 4 pixels, or weights are given.
    """
    images = layers.image_input(spec, smallest=4)
    x = layers.centred(images, spec.channel_mean, divisor=255.0)
    for number, filters in enumerate(LAYERS, start=1):
        if filters is None:
            x = keras.layers.MaxPooling2D(2, name=f"pooling_{number}")(x)
            continue
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=f"conv_{number}"
        )(x)
    x = keras.layers.Flatten(name="features")(x)
    x = keras.layers.Dense(HIDDEN_UNITS, activation="relu", kernel_initializer="he_normal", name="dense")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes), name="plain_cnn"))
