"""The residual network that the food10 report trains from scratch."""

from __future__ import annotations

from typing import Any

import keras

from trainables.models.parts import heads, layers
from trainables.models.parts.built_network import ADJUSTABLE, BuildSpec, Network

BASE_FILTERS = (32, 64, 128, 256)  # food10 report, one number a block
STEM_FILTERS = 32  # food10 report, Conv32-7; its runs with wider blocks list the blocks' filters only
CONVOLUTIONS_PER_BLOCK = 3
STRUCTURE = ("conv_blocks", "filter_width")


def build(spec: BuildSpec) -> Network:
    """Build [Conv32-7, BN, LeakyReLU], residual blocks with max-pooling between them, global average, head.

    Settings: conv_blocks (1 to 4; default 4; the food10 report tries 3 and 4), filter_width (factor of the blocks'
    filters 32, 64, 128, 256; default 1; the report tries 1 and 2). The configuration's dropout is the rate in blocks
    and head. Images are standardized by channel_mean and channel_std.

    Raises:
        ValueError: The settings cannot be built, or weights are given.
    """
    conv_blocks = int(spec.config.get("conv_blocks", len(BASE_FILTERS)))
    filter_width = float(spec.config.get("filter_width", 1))
    if not 1 <= conv_blocks <= len(BASE_FILTERS):
        raise ValueError(f"conv_blocks is {conv_blocks}, but must be from 1 to {len(BASE_FILTERS)}")
    if not 0 < filter_width <= 8:
        raise ValueError(f"filter_width is {filter_width:g}, but must be above 0 and at most 8, such as 1 or 2")
    # The poolings of the stem and of the blocks halve the side.
    inputs = layers.image_input(spec, smallest=2**conv_blocks)
    x = layers.centred(inputs, spec.channel_mean, divisor=spec.channel_std, name="standard_scaling")
    x = keras.layers.Conv2D(STEM_FILTERS, 7, padding="same", name="stem_conv")(x)
    x = keras.layers.BatchNormalization(name="stem_normalization")(x)
    x = keras.layers.LeakyReLU(negative_slope=heads.LEAKY_RELU_SLOPE, name="stem_activation")(x)
    for block, filters in enumerate(BASE_FILTERS[:conv_blocks], start=1):
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pooling")(x)
        x = _residual_block(x, max(1, round(filters * filter_width)), f"block{block}")
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    model = keras.Model(inputs, heads.classify(x, spec.num_classes), name="residual")
    return Network(
        model=model, dropout=tuple(layer for layer in model.layers if isinstance(layer, keras.layers.Dropout))
    )


def _residual_block(x: Any, filters: int, name: str) -> Any:
    """Three times [Conv3, BN, dropout, LeakyReLU] plus a bare 1x1 convolution; no activation after the sum."""
    shortcut = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_shortcut")(x)
    for number in range(1, CONVOLUTIONS_PER_BLOCK + 1):
        x = keras.layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv{number}")(x)
        x = keras.layers.BatchNormalization(name=f"{name}_normalization{number}")(x)
        x = keras.layers.Dropout(ADJUSTABLE, name=f"{name}_dropout{number}")(x)
        x = keras.layers.LeakyReLU(negative_slope=heads.LEAKY_RELU_SLOPE, name=f"{name}_activation{number}")(x)
    return keras.layers.Add(name=f"{name}_sum")([x, shortcut])
