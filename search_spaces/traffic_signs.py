"""The traffic-signs report's arms: one setting for all of them, and what may vary around it."""

from __future__ import annotations

from search_spaces import backbones, optimization
from search_spaces.parameters import Parameter, Value, fixed
from search_spaces.space import Space

PARAMETERS, STRUCTURES = "traffic-signs report, parameters", "traffic-signs report, structures"
ZOOM = 256  # pixels, bicubic, inside the network
LABELS = 1000  # "more labels": as many outputs as ImageNet has classes, of which 43 stand for signs
_CENTRED = backbones.named(
    "preprocessing",
    "centred",
    backbones.PREPROCESSING,
    source="traffic-signs report: (x - mean) / 255, whatever the backbone",
)
_TRAINING: tuple[Parameter, ...] = (
    optimization.learning_rate(1e-4, 1e-2, f"{PARAMETERS}: 0.001; a power of ten to either side"),
    optimization.optimizer("adam", "sgd", source=f"{PARAMETERS}: Adam; SGD is ours to ask"),
    optimization.momentum("Sutskever et al., 2013: with SGD, which the report does not use"),
    optimization.schedule("constant", "cosine", source=f"{PARAMETERS}: constant; cosine: Loshchilov and Hutter, 2017"),
)
_PUBLISHED: dict[str, Value] = {"learning_rate": 1e-3, "optimizer": "adam", "schedule": "constant"}
_BATCH = fixed(batch_size=128)  # traffic-signs report, parameters


def _zoom(zoom: bool) -> dict[str, Value]:
    return {"zoom": ZOOM} if zoom else {}


def _network(head: str, initial_weights: str, *, zoom: bool, **constants: Value) -> Space:
    """NASNetMobile under this head. constants: beside it, such as frozen_fraction."""
    parameters = (
        *_BATCH,
        *fixed(**constants, **_zoom(zoom)),
        backbones.choice("NASNetMobile", source="traffic-signs report, NASNet"),
        backbones.named("initial_weights", initial_weights, backbones.INITIAL_WEIGHTS, source=STRUCTURES),
        backbones.named("head", head, backbones.HEADS, source=STRUCTURES),
        _CENTRED,
        *_TRAINING,
    )
    return Space(parameters=parameters, published=({"backbone": "NASNetMobile", **_PUBLISHED},))


def as_it_comes(*, zoom: bool) -> Space:
    """NASNetMobile with its ImageNet top, nothing of it trained: one configuration."""
    backbone = backbones.named("backbone", "NASNetMobile", backbones.BACKBONES, source="traffic-signs report, NASNet")
    return Space(parameters=(*fixed(**_zoom(zoom)), backbone, _CENTRED), published=({},))


CONVOLUTIONS = Space(parameters=(*_BATCH, *_TRAINING), published=(_PUBLISHED,))
# Each at 32 pixels, then zoomed.
MORE_LABELS = tuple(_network("linear", "random", zoom=zoom, outputs=LABELS) for zoom in (False, True))
AS_FEATURES = (
    _network("dense_512_256_128", "imagenet", zoom=False, frozen_fraction=1.0),
    _network("dense_1024_256", "imagenet", zoom=True, frozen_fraction=1.0),
)
FROM_ITS_STRUCTURE = (
    _network("dense_512_256_128", "random", zoom=False),
    _network("dense_1024_256", "random", zoom=True),
)
FINE_TUNED = _network("dense_512_256_128", "imagenet", zoom=False, frozen_fraction=0.0)
