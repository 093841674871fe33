"""The food10 report's two search spaces: what its author varied by hand, over the ranges its plots cover."""

from __future__ import annotations

from search_spaces import backbones, optimization
from search_spaces.parameters import CategoricalParameter, Config, FloatParameter, fixed
from search_spaces.space import Space

TUNING = "food10 report, section 4"


_OPTIMIZER = optimization.optimizer("adam", "sgd", source=f"{TUNING}, Tuning Hyperparameters: Optimizer")
_SCHEDULE = optimization.schedule(
    "reduce_on_plateau", "constant", source=f"{TUNING}, Tuning Hyperparameters: LR Annealing"
)
_DROPOUT = FloatParameter(
    name="dropout",
    low=0.0,
    high=0.5,
    source="food10 report, section 3, Dense Classifier Block: dropout; its runs used 0",
)
# Momentum 0.9 in the report's own runs, 0.85 in one call; Nesterov is ours to ask.
_MOMENTUM = optimization.momentum(f"{TUNING}: SGD with momentum, 0.85 and 0.9 in its runs")
_NESTEROV = optimization.nesterov("Sutskever et al., 2013: the report does not say which momentum")
_WEIGHT_DECAY = optimization.weight_decay("Loshchilov and Hutter, 2019: not in the report; drawn only with adamw")

FROM_SCRATCH = Space(
    parameters=(
        *fixed(batch_size=32),
        optimization.learning_rate(1e-4, 1e-2, f"{TUNING}, Tuning Hyperparameters: Learning Rate (plot: 1e-4 to 1e-2)"),
        _OPTIMIZER,
        _MOMENTUM,
        _NESTEROV,
        _WEIGHT_DECAY,
        CategoricalParameter(name="conv_blocks", values=(3, 4), source=f"{TUNING}, No. of Convolution Blocks"),
        CategoricalParameter(name="filter_width", values=(1, 2), source=f"{TUNING}, Size of Filters: or doubled"),
        _SCHEDULE,
        _DROPOUT,
    ),
    published=(
        {
            "learning_rate": 1e-3,
            "optimizer": "adam",
            "conv_blocks": 4,
            "filter_width": 1,
            "schedule": "reduce_on_plateau",
            "dropout": 0.0,
        },
    ),
)

FINE_TUNED = Space(
    parameters=(
        *fixed(batch_size=32),
        backbones.choice("NASNetMobile", source="food10 report, section 3: NASNet Mobile, pre-trained on ImageNet"),
        optimization.learning_rate(1e-6, 1e-3, f"{TUNING}, Tuning Hyperparameters: Learning Rate (plot: 3e-7 to 1e-3)"),
        _OPTIMIZER,
        _MOMENTUM,
        _NESTEROV,
        _WEIGHT_DECAY,
        backbones.frozen_fraction(
            0.5, 0.6, 0.7, 0.8, source=f"{TUNING}, Fraction of Frozen Pretrained Layers (plot: 0.5 to 0.8)"
        ),
        _SCHEDULE,
        _DROPOUT,
    ),
    published=(
        {
            "backbone": "NASNetMobile",
            "learning_rate": 1e-4,
            "optimizer": "adam",
            "frozen_fraction": 0.6,
            "schedule": "reduce_on_plateau",
            "dropout": 0.0,
        },
    ),
)

# What the backbone learns on the other classes first: all of it, at the report's learning rate. The report names
# the step and no setting; the cosine schedule (Loshchilov and Hutter, 2017) needs no judgement of when to stop.
PRETRAINING: Config = {
    "learning_rate": 1e-4,
    "optimizer": "adam",
    "schedule": "cosine",
    "frozen_fraction": 0.0,
    "dropout": 0.0,
    "batch_size": 32,
}

SAMPLE_FROZEN_FRACTION = backbones.frozen_fraction(0.6, 0.8, source=f"{TUNING} (plot: 0.5 to 0.8), for the sample")
