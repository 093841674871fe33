"""Spaces of tiny_imagenet (deep-learning report): DeeperGoogLeNet with SGD or Adam, and a shallower ResNet."""

from __future__ import annotations

from search_spaces import optimization, preact_resnet
from search_spaces.parameters import Config, Parameter, fixed
from search_spaces.space import Space

GOOGLE = "deep-learning report, 2020-12-10-deepergooglenet"


def deepergooglenet(optimizer: str) -> Space:
    """Return the space of the arm with this optimizer; the report prints no result of its SGD runs."""
    sgd = optimizer == "sgd"
    parameters: tuple[Parameter, ...] = (
        *fixed(optimizer=optimizer, batch_size=64, l2=2e-4),
        optimization.learning_rate(
            1e-3 if sgd else 1e-5,
            1e-1 if sgd else 1e-2,
            f"{GOOGLE}: with Adam 0.001, and 0.0001 was very sluggish; two powers of ten where each usually works",
        ),
        optimization.momentum("Sutskever et al., 2013: the report does not say with which momentum SGD failed"),
        # Its run was stopped at epochs 50 and 60 of 75 and taken up again at a tenth each time; at the end, linear.
        optimization.schedule(
            "piecewise_constant",
            "constant",
            "cosine",
            source=f"{GOOGLE}: a tenth twice; constant before; cosine: Loshchilov and Hutter, 2017",
        ),
    )
    published: tuple[Config, ...] = (
        {"learning_rate": 1e-3, "schedule": "piecewise_constant"},
        {"learning_rate": 1e-4, "schedule": "constant"},
    )
    return Space(parameters=parameters, published=() if sgd else published)


# Version 3 was lowered to a tenth by hand at epochs 25 and 35 of 47; version 4 falls linearly to 0 at epoch 75.
RESNET = preact_resnet.space(
    "piecewise_constant",
    "polynomial_decay_1",
    stages="3-4-6",
    filters="64-128-256-512",
    stem="tiny_imagenet",
    batch_size=64,
)
VERSIONS = tuple(map(RESNET.as_single, RESNET.published))
