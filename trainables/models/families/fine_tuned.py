"""A backbone, pre-trained or not, of which the first blocks may stay frozen, under a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras

from search_spaces.backbones import INITIAL_WEIGHTS, PREPROCESSING
from trainables.models.backbones import builder
from trainables.models.backbones.freeze_points import block_ends
from trainables.models.backbones.registry import CATALOGUE, Backbone
from trainables.models.parts import heads
from trainables.models.parts.built_network import Block, BuildSpec, Network
from trainables.models.parts.model_graph import Graph

STRUCTURE = ("backbone", "head", "initial_weights", "outputs", "zoom", "preprocessing")


def build(spec: BuildSpec) -> Network:
    """Backbone without top; head.

    config: backbone (a name of registry.CATALOGUE, required), head (of heads.HEADS; default "hidden", the food10
    report's), initial_weights ("imagenet", the default, or "random", drawn by the trial's seed), outputs (how many
    classes the head can name, at least those there are, which is the default), zoom (side in pixels to which the
    network enlarges its images first; default: not at all), preprocessing (see build_backbone; default "own").
    channel_mean is read with preprocessing "centred", channel_std never: a backbone brings its own preprocessing.
    Raises Fatal (one line) for an unknown backbone or missing weights, ValueError for values out of range.
    """
    if "backbone" not in spec.config:
        raise ValueError(f"backbone is missing, but fine-tuning needs one of {', '.join(CATALOGUE)}")
    outputs = int(spec.config.get("outputs", spec.num_classes))
    if outputs < spec.num_classes:
        raise ValueError(f"outputs is {outputs}, but there are {spec.num_classes} classes to name")
    if one_of("initial_weights", spec.config.get("initial_weights", "imagenet"), INITIAL_WEIGHTS) == "random":
        spec = replace(spec, weights="random")
    top = heads.find(str(spec.config.get("head", "hidden")))
    backbone = builder.find(spec.config["backbone"])
    body = build_backbone(backbone, spec)
    features = top.features(body.output)
    model = keras.Model(body.input, top.classify(features, outputs), name="fine_tuned")
    inside = set(body.layers)
    dropout = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout) and layer not in inside]
    return Network(
        model=model,
        blocks=freezable_blocks(backbone, body, features),
        layers=backbone.layers,
        dropout=tuple(dropout) if top.adjustable else (),
        pretrained=() if spec.weights == "random" else tuple(body.layers),
    )


def build_backbone(backbone: Backbone, spec: BuildSpec, *, top: bool = False) -> keras.Model:
    """Build a backbone with the preprocessing and the zoom of the configuration, see `builder.build`.

    config: preprocessing: "own", the default; "centred", (x - channel_mean) / 255 (traffic-signs report); "scaled", x
    / 255 (the deep-learning report's surgery, which leaves VGG's own preprocessing out).
    Raises ValueError (one line) for any other.
    """
    kind = one_of("preprocessing", spec.config.get("preprocessing", "own"), PREPROCESSING)
    mean = {"own": None, "centred": spec.channel_mean, "scaled": (0.0, 0.0, 0.0)}[kind]
    zoom = int(spec.config["zoom"]) if "zoom" in spec.config else None
    return builder.build(backbone, spec.input_shape, weights=spec.weights, zoom=zoom, channel_mean=mean, top=top)


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
