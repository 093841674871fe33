"""A pre-trained backbone whose first layers are frozen, under document 4's classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from trainables.models import backbones, head


def build(
    config: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    channel_mean: Sequence[float],
    channel_std: Sequence[float],
    weights: Path | str | None = None,
) -> keras.Model:
    """Backbone without top, the first int(n_layers * frozen_fraction) layers frozen; global average; head.

    config: backbone (a name of backbones.CATALOGUE, required), frozen_fraction (0 to 1, default 0; 1 trains the head
        only), dropout (rate in the head, default 0).
    input_shape: (S, S, 3), pixels.
    channel_mean, channel_std: not used, since a backbone brings its own preprocessing.
    weights: see backbones.build.
    Returns a model from images uint8 or float [B, S, S, 3] in 0..255 to probabilities float32 [B, num_classes].
    Raises Fatal (one line) for an unknown backbone or missing weights, ValueError for values out of range.
    """
    del channel_mean, channel_std
    if "backbone" not in config:
        raise ValueError(f"backbone is missing, but fine-tuning needs one of {', '.join(backbones.CATALOGUE)}")
    backbone = backbones.find(config["backbone"])
    frozen_fraction = float(config.get("frozen_fraction", 0.0))
    if not 0 <= frozen_fraction <= 1:
        raise ValueError(f"frozen_fraction is {frozen_fraction:g}, but must be from 0 to 1 (only the head learns)")
    dropout = head.dropout_rate(config)
    body = backbones.build(backbone, input_shape, weights=weights)
    freeze(body, backbones.frozen_layers(backbone, body, frozen_fraction))
    features = keras.layers.GlobalAveragePooling2D(name="features")(body.output)
    return keras.Model(body.input, head.classify(features, num_classes, dropout), name="fine_tuned")


def freeze(model: keras.Model, count: int) -> None:
    """Make the first `count` layers a fixed function of the image: nothing learns there, nothing is random.

    `model.layers` goes from input to output by depth, so whatever a frozen layer reads is frozen too. Keras runs a
    batch normalization with trainable=False on its moving statistics, but trainable=False does not stop a dropout
    layer, and EfficientNet's drop connect is one: its rate becomes 0.
    """
    for layer in model.layers[:count]:
        layer.trainable = False
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
