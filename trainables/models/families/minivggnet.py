"""MiniVGGNet, the network of the deep-learning report's CIFAR-10 and flowers17 studies."""

from __future__ import annotations

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE = ("batch_norm",)
FILTERS = (32, 64)  # of each block's two 3 x 3 convolutions
HIDDEN_UNITS = 512
BLOCK_DROPOUT, HIDDEN_DROPOUT = 0.25, 0.5  # the deep-learning report's, whatever the configuration's dropout


def build(spec: BuildSpec) -> Network:
    """Build MiniVGGNet: two blocks of two convolutions, dense 512, dense.

    [(Conv-3, ReLU, BN) twice, max-pooling, dropout .25] with 32 and 64 filters; dense 512, ReLU, BN, dropout .5,
    dense, softmax. The report normalizes after the activation. 2,171,178 parameters at 32 px, 10 classes. Settings:
    batch_norm (default True; False leaves every batch normalization out). Images are divided by 255; channel_mean and
    channel_std are not used.

    Raises:
        ValueError: Images are below 4 pixels, batch_norm is no truth value, or weights are given.
    """
    batch_norm = spec.config.get("batch_norm", True)
    if not isinstance(batch_norm, bool):
        raise ValueError(f"batch_norm is {batch_norm!r}, but must be true or false")
    images = layers.image_input(spec, smallest=4)
    x = layers.scaled(images)
    for block, filters in enumerate(FILTERS, start=1):
        for number in (1, 2):
            name = f"block{block}_{number}"
            x = layers.activate_normalize(layers.convolve(x, filters, 3, name), name, batch_norm=batch_norm)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pooling")(x)
        x = keras.layers.Dropout(BLOCK_DROPOUT, name=f"block{block}_dropout")(x)
    x = keras.layers.Flatten(name="features")(x)
    x = keras.layers.Dense(HIDDEN_UNITS, name="hidden_dense")(x)
    x = layers.activate_normalize(x, "hidden", batch_norm=batch_norm)
    x = keras.layers.Dropout(HIDDEN_DROPOUT, name="hidden_dropout")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes), name="minivggnet"))
