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
    """Build a backbone without top, and a head.

    Settings: backbone (a name of registry.CATALOGUE, required), head (of heads.HEADS; default "hidden", the food10
    report's), initial_weights ("imagenet", the default, or "random", drawn by the trial's seed), outputs (number of
    outputs, at least and by default the number of classes), zoom (side in pixels to which images are enlarged;
    default none), preprocessing (see build_backbone; default "own"). channel_mean is used with preprocessing
    "centred", channel_std never: a backbone has its own preprocessing.

    Raises:
        Fatal: The backbone is unknown or its weights are missing.
        ValueError: A value is out of range.
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
    """Build a backbone with the preprocessing and zoom of the configuration, see `builder.build`.

    Preprocessing: "own", the default; "centred", (x - channel_mean) / 255 (traffic-signs report); "scaled", x / 255
    (the deep-learning report's surgery, which leaves VGG's own preprocessing out).

    Args:
        backbone: The backbone.
        spec: What the network is built from.
        top: Whether its ImageNet classifier is added.

    Raises:
        ValueError: Another preprocessing is asked for.
    """
    kind = one_of("preprocessing", spec.config.get("preprocessing", "own"), PREPROCESSING)
    mean = {"own": None, "centred": spec.channel_mean, "scaled": (0.0, 0.0, 0.0)}[kind]
    zoom = int(spec.config["zoom"]) if "zoom" in spec.config else None
    return builder.build(backbone, spec.input_shape, weights=spec.weights, zoom=zoom, channel_mean=mean, top=top)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return the value if it is allowed.

    Args:
        name: Name of the setting.
        value: Its value.
        allowed: Allowed values.

    Raises:
        ValueError: It is not.
    """
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}")
    return str(value)


def freezable_blocks(backbone: Backbone, body: keras.Model, features: Any) -> tuple[Block, ...]:
    """Return the backbone's blocks; the last one ends in `features`, so that a frozen backbone leaves vectors.

    Args:
        backbone: The backbone.
        body: Its model, made by builder.build.
        features: Symbolic features of the head.
    """
    graph = Graph(body)
    # The layers that builder.build adds, such as the preprocessing, precede the first block's end and do not count.
    own = len(body.layers) - backbone.layers
    ends = block_ends(backbone, body)
    blocks = [Block(end=end.output, layers=graph.layers_before(end.output) - own) for end in ends[:-1]]
    return (*blocks, Block(end=features, layers=backbone.layers))
