"""One softmax on what a wholly frozen backbone makes of an image: what logistic regression on features amounts to."""

from __future__ import annotations

from dataclasses import replace

from search_spaces.backbones import POOLINGS
from trainables.models.families import fine_tuned
from trainables.models.parts.built_network import BuildSpec, Network

STRUCTURE = ("backbone", "pooling", "zoom", "preprocessing")
_HEADS = {"flatten": "flatten_linear", "average": "linear"}


def build(spec: BuildSpec) -> Network:
    """Backbone, features, dense softmax: fine_tuned's network whose head has nothing but these.

    config: backbone (required), pooling ("flatten", the default: every value of the last maps, VGG16's 25,088 and
        ResNet50's 100,352 at 224 pixels, as the deep-learning report; or "average": the mean of each map), zoom and
        preprocessing as in fine_tuned.build.
    The network has one block: all of the backbone. Raises as fine_tuned.build does.
    """
    pooling = fine_tuned.one_of("pooling", spec.config.get("pooling", "flatten"), POOLINGS)
    network = fine_tuned.build(replace(spec, config={**spec.config, "head": _HEADS[pooling]}))
    return replace(network, blocks=network.blocks[-1:])
