"""The deep-learning report's first convolution, ShallowNet, and what a deeper network makes of the same animals."""

from __future__ import annotations

from search_spaces import optimization
from search_spaces.parameters import Parameter, fixed
from search_spaces.space import Space

STUDY = "deep-learning report, 2020-11-10-first-CNN-shallownet"
_TRAINING: tuple[Parameter, ...] = (
    optimization.learning_rate(5e-4, 5e-2, f"{STUDY}: 0.005; a power of ten to either side"),
    optimization.optimizer("sgd", "adam", source=f"{STUDY}: SGD; Adam is ours to ask"),
    optimization.momentum(f"{STUDY}: none; up to 0.95 is ours to ask", low=0.0),
    optimization.schedule("constant", "cosine", source=f"{STUDY}: constant; Loshchilov and Hutter, 2017: cosine"),
)

SHALLOWNET = Space(
    parameters=(*fixed(batch_size=32), *_TRAINING),
    published=({"learning_rate": 5e-3, "optimizer": "sgd", "momentum": 0.0, "schedule": "constant"},),
)
MINIVGGNET = Space(parameters=(*fixed(batch_size=32, batch_norm=True), *_TRAINING))
