"""Names that a configuration may use, wherever they stand: on an axis or held."""

from __future__ import annotations

from collections.abc import Mapping

OPTIMIZERS = ("adam", "sgd", "adamw", "rmsprop")
SCHEDULES = (
    *("constant", "halve_on_plateau", "step", "step_half", "tenths", "polynomial_1", "polynomial_2", "bent_linear"),
    *("per_iteration", "cosine"),
)
STEMS = ("cifar", "tiny_imagenet")  # of the pre-activation ResNet

NAMES: Mapping[str, tuple[str, ...]] = {
    "optimizer": OPTIMIZERS,
    "warmup_optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "stem": STEMS,
}
