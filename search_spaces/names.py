"""Names that a configuration may use, wherever they stand: on an axis or held."""

from __future__ import annotations

from collections.abc import Mapping

OPTIMIZERS = ("adam", "sgd", "adamw", "rmsprop")
SCHEDULES = (
    *("constant", "reduce_on_plateau", "step_decay_0.25", "step_decay_0.5", "piecewise_constant"),
    *("polynomial_decay_1", "polynomial_decay_2", "piecewise_linear", "inverse_time_decay", "cosine"),
)
STEMS = ("cifar", "tiny_imagenet")  # of the pre-activation ResNet

NAMES: Mapping[str, tuple[str, ...]] = {
    "optimizer": OPTIMIZERS,
    "warmup_optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "stem": STEMS,
}

# Fixed parameters that count something: none of them may be 0. A rate or a share may be.
COUNTED = ("batch_size", "outputs", "zoom")
