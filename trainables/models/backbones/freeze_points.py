"""Freeze points: ends of a backbone's blocks, at which a frozen prefix may stop."""

from __future__ import annotations

import re
from typing import Any

import keras

from trainables.models.backbones.registry import Backbone

# How the layers of one block begin, as keras.applications and efficientnet_lite.py name them, and the class of the ends
# that Keras numbers itself: such a number (add_3, max_pooling2d_1) depends on what the process has built before.
BLOCKS: dict[str, tuple[str, Any]] = {
    "VGG": (r"block\d+_", None),
    "ResNet": (r"pool1_|conv\d+_block\d+_", None),
    "ResNetV2": (r"pool1_|conv\d+_block\d+_", None),
    "Inception": (r"mixed\d+$", keras.layers.MaxPooling2D),  # the poolings of the stem
    "Xception": (r"block(1|14)_", keras.layers.Add),  # every block between these two ends in a sum
    "NASNet": (r"(normal|reduction)_concat_\w+", None),
    "EfficientNet": (r"(stem|block\d+[a-z]|top)_", None),
    "EfficientNet-Lite": (r"(stem|block\d+|top)_", None),
}


def block_ends(backbone: Backbone, body: keras.Model) -> tuple[keras.layers.Layer, ...]:
    """Return the last layer of every block, from input to output.

    Each depends on the one before; the last one makes `body.output`, since layers after the last block (post_relu of
    ResNetV2, NASNet's final activation) belong to it. The stem is a block; for VGG the first block is.

    Args:
        backbone: The backbone.
        body: Its model, made by builder.build.

    Raises:
        KeyError: The family has no entry here.
    """
    names, numbered = BLOCKS[backbone.family]
    ends: dict[str, keras.layers.Layer] = {}
    for layer in body.layers:  # by depth, so that the last of a block comes last
        if block := re.match(names, layer.name):
            ends[block.group()] = layer
        elif numbered is not None and isinstance(layer, numbered) and _stands_alone(layer, body):
            ends[layer.name] = layer
    return (*list(ends.values())[:-1], body.layers[-1])


def _stands_alone(layer: keras.layers.Layer, body: keras.Model) -> bool:
    """Whether no path leads past the layer: Inception's blocks have a pooling too, but in one branch of several."""
    index = body.layers.index(layer)
    before = set(body.layers[:index])
    nodes = (node for later in body.layers[index + 1 :] for node in later._inbound_nodes)
    return not any(parent.operation in before for node in nodes for parent in node.parent_nodes)
