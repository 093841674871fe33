"""A user's own images: the ranges that most photographs ask for, wide enough to be wrong about yours."""

from __future__ import annotations

from search_spaces import backbones, optimization
from search_spaces.parameters import CategoricalParameter, FloatParameter, Parameter, fixed
from search_spaces.space import Space

_BATCH = fixed(batch_size=32)
_MOMENTUM = optimization.momentum("food10 report, section 4: SGD with momentum, 0.85 and 0.9 in its runs")
_NESTEROV = optimization.nesterov("Sutskever et al., 2013")
_WEIGHT_DECAY = optimization.weight_decay("Loshchilov and Hutter, 2019: drawn only with adamw")

_SHARED: tuple[Parameter, ...] = (
    optimization.optimizer("adam", "sgd", source="food10 report, section 4: the question of most reports"),
    _MOMENTUM,
    _NESTEROV,
    _WEIGHT_DECAY,
    optimization.schedule("cosine", "constant", source="Loshchilov and Hutter, 2017: cosine; food10 report: constant"),
    FloatParameter(name="dropout", low=0.0, high=0.5, source="food10 report, section 3, Dense Classifier Block"),
    # --set class_weights=none weighs all images alike, however unequal the classes; balanced weighs
    # even nearly equal ones.
    CategoricalParameter(
        name="class_weights",
        values=("auto",),
        allowed=("none", "balanced"),
        source="trainables/training/class_weights.py",
    ),
)


FROM_SCRATCH = Space(
    parameters=(
        *_BATCH,
        optimization.learning_rate(1e-4, 1e-2, "food10 report, section 4 (plot: 1e-4 to 1e-2)"),
        *_SHARED,
        CategoricalParameter(
            name="conv_blocks", values=(3, 4), source="food10 report, section 4, No. of Convolution Blocks"
        ),
        CategoricalParameter(name="filter_width", values=(1, 2), source="food10 report, section 4, Size of Filters"),
    )
)

FINE_TUNED = Space(
    parameters=(
        *_BATCH,
        backbones.choice("EfficientNetLite0", source="its ImageNet weights come with the installation"),
        optimization.learning_rate(1e-5, 1e-2, "food10 report, section 4 (plot: 3e-7 to 1e-3); heads alone: tenfold"),
        *_SHARED,
        backbones.frozen_fraction(
            0.5, 0.8, 1.0, source="food10 report, section 4 (plot: 0.5 to 0.8), and the head alone"
        ),
    )
)
