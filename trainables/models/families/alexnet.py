"""AlexNet with batch normalization, as the deep-learning report trains it on cats and dogs."""

from __future__ import annotations

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE = ("l2",)
# (filters, kernel, stride) of each block's convolutions; a 3 x 3 max-pooling with stride 2 ends every block.
BLOCKS = (((96, 11, 4),), ((256, 5, 1),), ((384, 3, 1), (384, 3, 1), (256, 3, 1)))
HIDDEN_UNITS = (4096, 4096)
BLOCK_DROPOUT, HIDDEN_DROPOUT = 0.25, 0.5  # the deep-learning report's, whatever the configuration's dropout
DEFAULT_L2 = 0.0002  # the class's own; the stored call trains with 0.002
SMALLEST = 57  # pixels: 15 after the first convolution, then 7, 3 and 1 after the poolings


def build(spec: BuildSpec) -> Network:
    """Build AlexNet with batch normalization after ReLU: five convolutions in three blocks, three dense layers.

    58,327,810 parameters at 227 px, 2 classes. Padding is "same" except in poolings. Settings: l2 of every kernel
    (default 0.0002). channel_mean is subtracted; the report does not divide.

    Raises:
        ValueError: Images are below 57 pixels, l2 is impossible, or weights are given.
    """
    l2 = layers.l2_strength(spec.config, DEFAULT_L2)
    images = layers.image_input(spec, smallest=SMALLEST)
    x = layers.centred(images, spec.channel_mean, divisor=1.0)
    for block, convolutions in enumerate(BLOCKS, start=1):
        for number, (filters, kernel, stride) in enumerate(convolutions, start=1):
            name = f"block{block}_{number}"
            x = layers.activate_normalize(layers.convolve(x, filters, kernel, name, stride=stride, l2=l2), name)
        x = keras.layers.MaxPooling2D(3, strides=2, name=f"block{block}_pooling")(x)
        x = keras.layers.Dropout(BLOCK_DROPOUT, name=f"block{block}_dropout")(x)
    x = keras.layers.Flatten(name="features")(x)
    for number, width in enumerate(HIDDEN_UNITS, start=1):
        name = f"hidden{number}"
        x = keras.layers.Dense(width, kernel_regularizer=layers.penalty(l2), name=f"{name}_dense")(x)
        x = layers.activate_normalize(x, name)
        x = keras.layers.Dropout(HIDDEN_DROPOUT, name=f"{name}_dropout")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes, l2=l2), name="alexnet"))
