"""A pre-trained backbone, of which the first blocks may stay frozen, under document 4's classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from trainables.graph import Graph
from trainables.models import backbones, head
from trainables.models.block_ends import block_ends
from trainables.models.network import Block, Network

STRUCTURE = ("backbone",)


def build(
    config: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    channel_mean: Sequence[float],
    channel_std: Sequence[float],
    weights: Path | str | None = None,
) -> Network:
    """Backbone without top; global average; head.

    config: backbone (a name of backbones.CATALOGUE, required).
    input_shape: (S, S, 3), pixels.
    channel_mean, channel_std: not used, since a backbone brings its own preprocessing.
    weights: see backbones.build.
    Raises Fatal (one line) for an unknown backbone or missing weights, ValueError for values out of range.
    """
    del channel_mean, channel_std
    if "backbone" not in config:
        raise ValueError(f"backbone is missing, but fine-tuning needs one of {', '.join(backbones.CATALOGUE)}")
    backbone = backbones.find(config["backbone"])
    body = backbones.build(backbone, input_shape, weights=weights)
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(body.output)
    model = keras.Model(body.input, head.classify(pooled, num_classes), name="fine_tuned")
    inside = set(body.layers)
    return Network(
        model=model,
        blocks=_blocks(backbone, body, pooled),
        layers=backbone.layers,
        dropout=tuple(
            layer for layer in model.layers if isinstance(layer, keras.layers.Dropout) and layer not in inside
        ),
        pretrained=() if weights == "random" else tuple(body.layers),
    )


def _blocks(backbone: backbones.Backbone, body: keras.Model, pooled: Any) -> tuple[Block, ...]:
    """The last one ends in the pooled features: where the whole backbone is frozen, the head trains on vectors."""
    graph = Graph(body)
    # Layers of our own, such as the preprocessing, stand before the first block's end and do not count.
    own = len(body.layers) - backbone.layers
    ends = block_ends(backbone, body)
    blocks = [Block(end=end.output, layers=graph.layers_before(end.output) - own) for end in ends[:-1]]
    return (*blocks, Block(end=pooled, layers=backbone.layers))
