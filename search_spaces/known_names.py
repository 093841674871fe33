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


def whole_numbers(name: str, text: object) -> tuple[int, ...]:
    """Parse several whole numbers in one value: (9, 9, 9) of "9-9-9".

    Args:
        name: The setting, for the message.
        text: Its value.

    Raises:
        ValueError: The text is no such list (one line).
    """
    parts = str(text).split("-")
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"{name} is {text!r}, but must be whole numbers above 0 with - between them, such as 64-32")
    return tuple(map(int, parts))
