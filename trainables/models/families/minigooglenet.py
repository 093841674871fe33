"""MiniGoogLeNet, the small inception network of the deep-learning report's three CIFAR-10 experiments.

Its author's file is missing; the definition is that of other public copies of the same textbook network.
"""

from __future__ import annotations

from typing import Any

import keras

from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE: tuple[str, ...] = ()
STEM_FILTERS = 96
# Filters of an inception's 1 x 1 and 3 x 3 convolutions, or of the convolution of a step down, by stage.
STAGES: tuple[tuple[tuple[int, int] | int, ...], ...] = (
    ((32, 32), (32, 48), 80),
    ((112, 48), (96, 64), (80, 80), (48, 96), 96),
    ((176, 160), (176, 160)),
)
DROPOUT = 0.5  # the deep-learning report's, whatever the configuration's dropout
SMALLEST = 7  # pixels: 3 and 1 after the two steps down


def build(spec: BuildSpec) -> Network:
    """Build MiniGoogLeNet: eight inceptions with two steps down between them, average, dense.

    Units are convolution, BN and ReLU: 96 of 3 x 3, then the inceptions, average, dropout .5, dense, softmax; 1,656,250
    parameters at any size, 10 classes. The report averages 7 x 7, the whole map at its 32 pixels; here the whole map
    at any size. channel_mean is subtracted, where the report subtracts a mean for every pixel; neither divides.
    channel_std is not used.

    Raises:
        ValueError: Images are below 7 pixels, or weights are given.
    """
    images = layers.image_input(spec, smallest=SMALLEST)
    x = _unit(layers.centred(images, spec.channel_mean, divisor=1.0), STEM_FILTERS, 3, "stem")
    for stage, blocks in enumerate(STAGES, start=1):
        for number, filters in enumerate(blocks, start=1):
            if isinstance(filters, int):
                x = _step_down(x, filters, f"stage{stage}_down")
            else:
                x = _inception(x, *filters, f"stage{stage}_inception{number}")
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    x = keras.layers.Dropout(DROPOUT, name="dropout")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes), name="minigooglenet"))


def _unit(x: Any, filters: int, kernel: int, name: str, *, stride: int = 1, padding: str = "same") -> Any:
    return layers.normalize_activate(layers.convolve(x, filters, kernel, name, stride=stride, padding=padding), name)


def _inception(x: Any, ones: int, threes: int, name: str) -> Any:
    branches = [_unit(x, ones, 1, f"{name}_1x1"), _unit(x, threes, 3, f"{name}_3x3")]
    return keras.layers.Concatenate(name=f"{name}_concatenation")(branches)


def _step_down(x: Any, filters: int, name: str) -> Any:
    """Half the side: a convolution beside a pooling, both 3 x 3 with stride 2, unpadded."""
    convolved = _unit(x, filters, 3, f"{name}_3x3", stride=2, padding="valid")
    pooled = keras.layers.MaxPooling2D(3, strides=2, name=f"{name}_pooling")(x)
    return keras.layers.Concatenate(name=f"{name}_concatenation")([convolved, pooled])
