"""DeeperGoogLeNet, the inception network that the deep-learning report trains on tiny-imagenet-200."""

from __future__ import annotations

from typing import Any

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE = ("l2",)
# Filters: 1x1; 1x1 before the 3x3, 3x3; 1x1 before the 5x5, 5x5; 1x1 after the pooling. A pooling ends every stage.
STAGES = (
    {"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64)},
    {
        "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64),
        "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128),
    },
)
DROPOUT = 0.4  # the deep-learning report's, whatever the configuration's dropout
DEFAULT_L2 = 0.0002
SMALLEST = 16  # pixels: halved four times


def build(spec: BuildSpec) -> Network:
    """Build DeeperGoogLeNet: two stem convolutions, seven inceptions of four branches, average, dense.

    Units are convolution, BN and ReLU: 64 of 5 x 5; 64 of 1 x 1, 192 of 3 x 3. Then the inceptions, average, dropout
    .4, dense, softmax; "same" padding. 3,667,976 parameters at any size, 200 classes. The report averages 4 x 4, the
    whole map at its 64 pixels; here the whole map at any size. Settings: l2 of every kernel (default 0.0002).
    channel_mean is subtracted; the report does not divide.

    Raises:
        ValueError: Images are below 16 pixels, l2 is impossible, or weights are given.
    """
    l2 = layers.l2_strength(spec.config, DEFAULT_L2)
    images = layers.image_input(spec, smallest=SMALLEST)
    x = _unit(layers.centred(images, spec.channel_mean, divisor=1.0), 64, 5, "stem_5x5", l2)
    x = _halve(x, "stem_pooling1")
    x = _unit(x, 64, 1, "stem_1x1", l2)
    x = _unit(x, 192, 3, "stem_3x3", l2)
    x = _halve(x, "stem_pooling2")
    for stage, inceptions in enumerate(STAGES, start=3):
        for name, filters in inceptions.items():
            x = _inception(x, filters, f"inception{name}", l2)
        x = _halve(x, f"stage{stage}_pooling")
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    x = keras.layers.Dropout(DROPOUT, name="dropout")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes, l2=l2), name="deepergooglenet"))


def _unit(x: Any, filters: int, kernel: int, name: str, l2: float) -> Any:
    return layers.normalize_activate(layers.convolve(x, filters, kernel, name, l2=l2), name)


def _halve(x: Any, name: str) -> Any:
    return keras.layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def _inception(x: Any, filters: tuple[int, ...], name: str, l2: float) -> Any:
    ones, before_threes, threes, before_fives, fives, projected = filters
    pooled = keras.layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pooling")(x)
    branches = [
        _unit(x, ones, 1, f"{name}_1x1", l2),
        _unit(_unit(x, before_threes, 1, f"{name}_3x3_reduction", l2), threes, 3, f"{name}_3x3", l2),
        _unit(_unit(x, before_fives, 1, f"{name}_5x5_reduction", l2), fives, 5, f"{name}_5x5", l2),
        _unit(pooled, projected, 1, f"{name}_projection", l2),
    ]
    return keras.layers.Concatenate(name=f"{name}_concatenation")(branches)
