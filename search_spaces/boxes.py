"""The deep-learning report's bounding-box regression: its one setting, and what may vary around it."""

from __future__ import annotations

from search_spaces import backbones, optimization
from search_spaces.parameters import Parameter, Value, fixed
from search_spaces.space import Space

SETTINGS = "deep-learning report, bounding-box regression"
_PUBLISHED: dict[str, Value] = {"backbone": "VGG16", "learning_rate": 1e-4, "optimizer": "adam"}


def _parameters(*more: Parameter, **constants: Value) -> tuple[Parameter, ...]:
    return (
        *fixed(batch_size=32, **constants),  # deep-learning report
        backbones.choice("VGG16", source=f"{SETTINGS}: VGG16 without its top"),
        backbones.named("head", "box", backbones.BOX_HEADS, source=f"{SETTINGS}: dense 128, 64, 32, 4"),
        backbones.named("preprocessing", "scaled", backbones.PREPROCESSING, source=f"{SETTINGS}: x / 255"),
        optimization.learning_rate(
            1e-5,
            1e-2,
            f"{SETTINGS}: 0.0001; two powers of ten above, for the head alone, and one below, for the backbone",
        ),
        optimization.optimizer("adam", "sgd", source=f"{SETTINGS}: Adam; SGD is ours to ask"),
        optimization.momentum("Sutskever et al., 2013: with SGD, which the report does not use"),
        optimization.weight_decay("Loshchilov and Hutter, 2019: drawn only with adamw"),
        *more,
    )


# What a few epochs on two cores can tell apart: slower rates learn nothing in twelve, and all of a backbone takes long.
SAMPLE: tuple[Parameter, ...] = (
    optimization.learning_rate(1e-4, 3e-3, "sample"),
    optimization.optimizer("adam", source="sample"),
    backbones.frozen_fraction(0.5, 0.8, source="sample"),
)

# Nothing of the backbone learns.
FROZEN = Space(parameters=_parameters(frozen_fraction=1.0), published=(_PUBLISHED,))
FINE_TUNED = Space(
    parameters=_parameters(
        backbones.frozen_fraction(
            0.0, 0.5, 0.8, source="food10 report, section 4 (plot: 0.5 to 0.8); the report freezes everything"
        )
    )
)
