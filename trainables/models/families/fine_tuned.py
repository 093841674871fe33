"""A backbone, pre-trained or not, of which the first blocks may stay frozen, under a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from search_spaces.backbones import INITIAL_WEIGHTS, PREPROCESSING
from trainables.models.backbones import builder
from trainables.models.backbones.freeze_points import block_ends
from trainables.models.backbones.registry import CATALOGUE, Backbone
from trainables.models.parts import heads
from trainables.models.parts.built_network import Block, Network
from trainables.models.parts.model_graph import Graph

STRUCTURE = ("backbone", "head", "initial_weights", "outputs", "zoom", "preprocessing")


def build(
    config: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    channel_mean: Sequence[float],
    channel_std: Sequence[float],
    weights: Path | str | None = None,
) -> Network:
    """Backbone without top; head.

    config: backbone (a name of registry.CATALOGUE, required), head (of heads.HEADS; default "hidden", document 4's),
        initial_weights ("imagenet", the default, or "random", drawn by the trial's seed), outputs (how many classes the
        head can name, at least those there are, which is the default), zoom (side in pixels to which the network
        enlarges its images first; default: not at all), preprocessing (see preprocessing_mean; default "own").
    input_shape: (S, S, 3), pixels.
    channel_mean: of the training split, red, green, blue, on the scale 0..255; read with preprocessing "centred".
    channel_std: not used, since a backbone brings its own preprocessing.
    weights: see builder.build.
    Raises Fatal (one line) for an unknown backbone or missing weights, ValueError for values out of range.
    """
    del channel_std
    if "backbone" not in config:
        raise ValueError(f"backbone is missing, but fine-tuning needs one of {', '.join(CATALOGUE)}")
    outputs = int(config.get("outputs", num_classes))
    if outputs < num_classes:
        raise ValueError(f"outputs is {outputs}, but there are {num_classes} classes to name")
    if one_of("initial_weights", config.get("initial_weights", "imagenet"), INITIAL_WEIGHTS) == "random":
        weights = "random"
    top = heads.find(str(config.get("head", "hidden")))
    backbone = builder.find(config["backbone"])
    body = builder.build(
        backbone,
        input_shape,
        weights=weights,
        zoom=int(config["zoom"]) if "zoom" in config else None,
        channel_mean=preprocessing_mean(config, channel_mean),
    )
    features = top.features(body.output)
    model = keras.Model(body.input, top.classify(features, outputs), name="fine_tuned")
    inside = set(body.layers)
    dropout = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout) and layer not in inside]
    return Network(
        model=model,
        blocks=freezable_blocks(backbone, body, features),
        layers=backbone.layers,
        dropout=tuple(dropout) if top.adjustable else (),
        pretrained=() if weights == "random" else tuple(body.layers),
    )


def preprocessing_mean(config: Mapping[str, Any], channel_mean: Sequence[float]) -> Sequence[float] | None:
    """What (x - mean) / 255 takes for the mean: nothing, where the backbone's own preprocessing stays.

    config: preprocessing: "own", the default; "centred", by the training split's channel_mean (document 3); "scaled",
        x / 255 (document 2's surgery, which leaves VGG's own preprocessing out).
    Raises ValueError (one line) for any other.
    """
    kind = one_of("preprocessing", config.get("preprocessing", "own"), PREPROCESSING)
    return {"own": None, "centred": channel_mean, "scaled": (0.0, 0.0, 0.0)}[kind]


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """The value. Raises ValueError (one line) where it is none of the allowed ones."""
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}")
    return str(value)


def freezable_blocks(backbone: Backbone, body: keras.Model, features: Any) -> tuple[Block, ...]:
    """The blocks of `body`, as builder.build made it; the last one ends in `features`.

    So that where the whole backbone is frozen, the head trains on vectors.
    """
    graph = Graph(body)
    # Layers of our own, such as the preprocessing, stand before the first block's end and do not count.
    own = len(body.layers) - backbone.layers
    ends = block_ends(backbone, body)
    blocks = [Block(end=end.output, layers=graph.layers_before(end.output) - own) for end in ends[:-1]]
    return (*blocks, Block(end=features, layers=backbone.layers))
