"""Result of every architecture: a Keras model, and its settings that need no new build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

# Any rate above 0: it gives the layer its random numbers. The trial's own rate is put in before it trains.
ADJUSTABLE = 0.5


@dataclass(frozen=True)
class BuildSpec:
    """Inputs of a family's `build`."""

    config: Mapping[str, Any]  # of a configuration what the family's STRUCTURE names
    input_shape: tuple[int, int, int]  # (S, S, 3), pixels
    num_classes: int
    # Of the training split, red, green, blue, on the scale 0..255.
    channel_mean: Sequence[float]
    channel_std: Sequence[float]
    weights: Path | str | None = None  # see backbones.builder.build; a family trained from scratch takes None alone


@dataclass(frozen=True, kw_only=True)
class Block:
    """A place where a frozen prefix may end."""

    end: Any  # the symbolic output of the block's last layer
    layers: int  # how many of the backbone's layers lie before it, in the counting of keras.applications


@dataclass(frozen=True, kw_only=True)
class Network:
    """A built model: images uint8 or float [B, S, S, 3] in 0..255 to probabilities float32 [B, num_classes]."""

    model: keras.Model
    blocks: tuple[Block, ...] = ()  # from input to output; empty where nothing can be frozen
    layers: int = 0  # of the backbone: what frozen_fraction is a fraction of
    dropout: tuple[keras.layers.Dropout, ...] = ()  # those whose rate is the configuration's
    pretrained: tuple[keras.layers.Layer, ...] = ()  # those whose first weights came from a file


def dropout_rate(config: Mapping[str, Any]) -> float:
    """Return the configuration's dropout rate, 0 by default.

    Raises:
        ValueError: It is outside [0, 1).
    """
    rate = float(config.get("dropout", 0.0))
    if not 0 <= rate < 1:
        raise ValueError(f"dropout is {rate:g}, but must be at least 0 and below 1, such as 0.2")
    return rate


def frozen_blocks(network: Network, config: Mapping[str, Any]) -> int:
    """Return the number of frozen blocks, whose end is nearest to what is asked; of two the earlier.

    Snapping to block ends leaves few prefixes, which trials share.

    Args:
        network: The network.
        config: frozen_fraction (0 to 1) of the backbone's layers, as the food10 report counts; or frozen_layers, the
            index of the first layer that learns, as the deep-learning report counts (VGG16's layers[15:]); neither
            freezes nothing.

    Raises:
        ValueError: A value is out of range, or both are given.
    """
    if "frozen_fraction" in config and "frozen_layers" in config:
        raise ValueError("frozen_fraction and frozen_layers are both given, but say the same: leave one out")
    if "frozen_layers" in config:
        wanted = int(config["frozen_layers"])
        if not 0 <= wanted <= network.layers:
            raise ValueError(f"frozen_layers is {wanted}, but must be from 0 to {network.layers} (all of the backbone)")
    else:
        fraction = float(config.get("frozen_fraction", 0.0))
        if not 0 <= fraction <= 1:
            raise ValueError(f"frozen_fraction is {fraction:g}, but must be from 0 to 1 (only the head learns)")
        wanted = int(network.layers * fraction)
    ends = [0, *(block.layers for block in network.blocks)]
    return min(range(len(ends)), key=lambda index: abs(ends[index] - wanted))
