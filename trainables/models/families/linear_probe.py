"""One softmax on the features of a wholly frozen backbone: the network of logistic regression on features."""

from __future__ import annotations

from dataclasses import replace

from search_spaces.backbones import POOLINGS
from trainables.models.families import fine_tuned
from trainables.models.parts.built_network import BuildSpec, Network

STRUCTURE = ("backbone", "pooling", "zoom", "preprocessing")
_HEADS = {"flatten": "flatten_linear", "average": "linear"}


def build(spec: BuildSpec) -> Network:
    """Build a backbone and a dense softmax on its features: fine_tuned's network with the smallest head.

    Settings: backbone (required), pooling ("flatten", the default, as in the deep-learning report: every value of the
    last maps, 25,088 for VGG16 and 100,352 for ResNet50 at 224 pixels; or "average": the mean of each map), zoom and
    preprocessing as in fine_tuned.build. The network has one block: all of the backbone.

    Raises:
        Fatal: The backbone is unknown or its weights are missing.
        ValueError: A value is out of range.
    """
    pooling = fine_tuned.one_of("pooling", spec.config.get("pooling", "flatten"), POOLINGS)
    network = fine_tuned.build(replace(spec, config={**spec.config, "head": _HEADS[pooling]}))
    return replace(network, blocks=network.blocks[-1:])
