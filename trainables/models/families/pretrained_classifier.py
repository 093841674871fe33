"""A network with its own ImageNet top, exactly as its authors trained it: 1000 outputs, nothing to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainables.models.backbones import builder
from trainables.models.backbones.registry import IMAGENET_CLASSES
from trainables.models.families.fine_tuned import preprocessing_mean
from trainables.models.parts.built_network import Network

STRUCTURE = ("backbone", "zoom", "preprocessing")


def build(
    config: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    channel_mean: Sequence[float],
    channel_std: Sequence[float],
    weights: Path | str | None = None,
) -> Network:
    """Probabilities of ImageNet's 1000 classes, of which the first `num_classes` stand for the task's own.

    config: backbone (required), zoom and preprocessing as in fine_tuned.build.
    weights: a file with the top; None takes the published one. Raises Fatal (one line) where it is missing.
    """
    del channel_std
    if num_classes > IMAGENET_CLASSES:
        raise ValueError(f"there are {num_classes} classes, but the network names {IMAGENET_CLASSES}")
    model = builder.build(
        builder.find(config["backbone"]),
        input_shape,
        weights=weights,
        zoom=int(config["zoom"]) if "zoom" in config else None,
        channel_mean=preprocessing_mean(config, channel_mean),
        top=True,
    )
    return Network(model=model, pretrained=() if weights == "random" else tuple(model.layers))
