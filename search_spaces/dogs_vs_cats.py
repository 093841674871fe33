"""Spaces of dogs_vs_cats: EfficientNet with SGD or Adam, AlexNet, ResNet50's features."""

from __future__ import annotations

from search_spaces import backbones, feature_logistic, optimization
from search_spaces.parameters import CategoricalParameter, Condition, Parameter, Value, fixed
from search_spaces.space import Space

SETTINGS = "dogs-vs-cats report, settings"
LOG = "deep-learning report, 2020-11-23-dogs-vs-cats"


def of_optimizer(optimizer: str) -> Space:
    """Return the space of the arm that trains with this optimizer; its published setting is the report's own."""
    parameters: tuple[Parameter, ...] = (
        # Batch 20: dogs-vs-cats report, settings. Dropout 0.2 before one sigmoid unit: its sibling code.
        *fixed(optimizer=optimizer, batch_size=20, dropout=0.2),
        backbones.choice("EfficientNetB0", source="dogs-vs-cats report: an EfficientNet, at 224 pixels B0"),
        CategoricalParameter(
            name="initial_weights",
            values=backbones.INITIAL_WEIGHTS,
            source="the report trains from random weights, as its code has it; from ImageNet's is ours to ask",
        ),
        optimization.learning_rate(
            1e-4 if optimizer == "sgd" else 1e-5,
            1e-1 if optimizer == "sgd" else 1e-2,
            f"{SETTINGS}: 0.001 for both optimizers; two powers of ten around where each usually works",
        ),
        optimization.momentum(f"{SETTINGS}: 0.9", low=0.8, high=0.95),
        optimization.nesterov("Sutskever et al., 2013: the report does not say which momentum"),
        optimization.schedule(
            "constant", "cosine", source=f"{SETTINGS}: constant; cosine: Loshchilov and Hutter, 2017"
        ),
        backbones.frozen_fraction(
            *(0.0, 0.5, 0.8),
            when=Condition(parameter="initial_weights", values=("imagenet",)),  # to freeze random layers asks nothing
            source="nothing is frozen in the report; food10 report, section 4 (plot: 0.5 to 0.8)",
        ),
        backbones.named("head", "sigmoid", backbones.HEADS, source="dogs-vs-cats report: binary cross-entropy"),
    )
    published: dict[str, Value] = {
        "backbone": "EfficientNetB0",
        "initial_weights": "random",
        "learning_rate": 1e-3,
        "schedule": "constant",
    }
    if optimizer == "sgd":
        published |= {"momentum": 0.9, "nesterov": False}
    return Space(parameters=parameters, published=(published,))


ALEXNET = Space(
    parameters=(
        *fixed(optimizer="adam", batch_size=128),
        optimization.learning_rate(1e-4, 1e-2, f"{LOG}: Adam from 0.001; a power of ten to either side"),
        optimization.schedule("constant", "cosine", source=f"{LOG}: constant; Loshchilov and Hutter, 2017: cosine"),
        CategoricalParameter(
            name="l2", values=(2e-3, 2e-4), source=f"{LOG}: 0.002 in the call its code holds, 0.0002 by default"
        ),
    ),
    published=({"learning_rate": 1e-3, "schedule": "constant", "l2": 2e-3},),
)
RESNET50_FEATURES = feature_logistic.of_backbone("ResNet50", (1e-4, 1e-3, 0.01, 0.1, 1.0), LOG)
