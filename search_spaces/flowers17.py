"""Spaces of flowers17: from scratch, from features, and network surgery in three forms."""

from __future__ import annotations

from dataclasses import replace

from search_spaces import backbones, feature_logistic, optimization
from search_spaces.parameters import Value, fixed
from search_spaces.space import Space

SCRATCH, TRANSFER, CUT = (
    f"deep-learning report, {study}"
    for study in ("2020-11-17-data-augmentation", "2020-11-19-transfer-learning", "2020-11-21-network-surgery")
)

MINIVGGNET = Space(
    parameters=(
        *fixed(optimizer="sgd", batch_size=32, batch_norm=True),
        optimization.learning_rate(5e-3, 5e-1, f"{SCRATCH}: 0.05; a power of ten to either side"),
        optimization.momentum(f"{SCRATCH}: none; up to 0.95 is ours to ask", low=0.0),
        optimization.schedule("constant", "cosine", source=f"{SCRATCH}: constant; Loshchilov and Hutter, 2017: cosine"),
    ),
    published=({"learning_rate": 0.05, "momentum": 0.0, "schedule": "constant"},),
)


VGG16_FEATURES = feature_logistic.of_backbone("VGG16", (0.1, 1.0, 10.0, 100.0, 1e3, 1e4), TRANSFER)

_BODY = (
    backbones.choice("VGG16", source=CUT),
    backbones.named("head", "dense_256", backbones.HEADS, source=CUT),
    backbones.named(
        "preprocessing", "scaled", backbones.PREPROCESSING, source=f"{CUT}: its code divides by 255, whatever VGG16 saw"
    ),
)
_HELD = fixed(batch_size=32)  # the head has a dropout of its own, 0.5

# Only the head learns: what the surgery begins with, and an arm of its own in the report's first report.
WARM_UP = Space(
    parameters=(
        *_HELD,
        *fixed(optimizer="rmsprop", frozen_fraction=1.0),
        *_BODY,
        optimization.learning_rate(1e-4, 1e-2, f"{CUT}: 0.001; a power of ten to either side"),
    ),
    published=({"backbone": "VGG16", "learning_rate": 1e-3},),
)


def _surgery(**frozen: Value) -> Space:
    """Two phases: the head alone by RMSprop, then by SGD what is not frozen."""
    around = f"{CUT}: 0.001; a power of ten to either side"
    warm_rate = replace(optimization.learning_rate(1e-4, 1e-2, around), name="warmup_learning_rate")
    return Space(
        parameters=(
            *_HELD,
            *fixed(**frozen, warmup_epochs=25, warmup_optimizer="rmsprop", optimizer="sgd"),
            *_BODY,
            warm_rate,
            optimization.learning_rate(1e-4, 1e-2, around),
            optimization.momentum(f"{CUT}: none; up to 0.95 is ours to ask", low=0.0),
        ),
        published=({"backbone": "VGG16", "warmup_learning_rate": 1e-3, "learning_rate": 1e-3, "momentum": 0.0},),
    )


# The first layer that learns, as the deep-learning report counts VGG16's 19 (its inspect_model.py): block 5's first
# convolution.
SURGERY = _surgery(frozen_layers=15)
# A misspelt attribute in its code: no layer was unfrozen, so that the second phase went on training the head.
SURGERY_AS_RUN = _surgery(frozen_fraction=1.0)
