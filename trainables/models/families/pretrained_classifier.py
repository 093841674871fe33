"""A network with its own ImageNet top, exactly as its authors trained it: 1000 outputs, nothing to learn."""

from __future__ import annotations

from trainables.models.backbones import builder
from trainables.models.backbones.registry import IMAGENET_CLASSES
from trainables.models.families.fine_tuned import build_backbone
from trainables.models.parts.built_network import BuildSpec, Network

STRUCTURE = ("backbone", "zoom", "preprocessing")


def build(spec: BuildSpec) -> Network:
    """Build a classifier of ImageNet's 1000 classes, of which the first stand for the task's own.

    Settings: backbone (required), zoom and preprocessing as in fine_tuned.build. weights is a file with the top; None
    takes the published one.

    Raises:
        Fatal: The file is missing.
        ValueError: There are more than 1000 classes.
    """
    if spec.num_classes > IMAGENET_CLASSES:
        raise ValueError(f"there are {spec.num_classes} classes, but the network names {IMAGENET_CLASSES}")
    model = build_backbone(builder.find(spec.config["backbone"]), spec, top=True)
    return Network(model=model, pretrained=() if spec.weights == "random" else tuple(model.layers))
