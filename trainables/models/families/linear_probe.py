"""One softmax on what a wholly frozen backbone makes of an image: what logistic regression on features amounts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from search_spaces.backbones import POOLINGS
from trainables.models.families import fine_tuned
from trainables.models.parts.built_network import Network

STRUCTURE = ("backbone", "pooling", "zoom", "preprocessing")
_HEADS = {"flatten": "flatten_linear", "average": "linear"}


def build(
    config: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    channel_mean: Sequence[float],
    channel_std: Sequence[float],
    weights: Path | str | None = None,
) -> Network:
    """Backbone, features, dense softmax: fine_tuned's network whose head has nothing but these.

    config: backbone (required), pooling ("flatten", the default: every value of the last maps, VGG16's 25,088 and
        ResNet50's 100,352 at 224 pixels, as document 2; or "average": the mean of each map), zoom and preprocessing as
        in fine_tuned.build.
    The network has one block: all of the backbone. Raises as fine_tuned.build does.
    """
    pooling = fine_tuned.one_of("pooling", config.get("pooling", "flatten"), POOLINGS)
    network = fine_tuned.build(
        {**{name: value for name, value in config.items() if name != "pooling"}, "head": _HEADS[pooling]},
        input_shape,
        num_classes,
        channel_mean=channel_mean,
        channel_std=channel_std,
        weights=weights,
    )
    return replace(network, blocks=network.blocks[-1:])
