"""What the networks that are trained from scratch share: how images enter, and the pieces they are made of.

Layers of a piece are named after it: "block1_1" has block1_1_conv, block1_1_activation, block1_1_normalization.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainables.models.parts.built_network import BuildSpec


def image_input(spec: BuildSpec, *, smallest: int) -> Any:
    """Symbolic images uint8 [B, S, S, 3].

    smallest: side in pixels below which the network's maps would vanish.
    Raises ValueError (one line) for smaller images, or where weights are given.
    """
    if spec.weights is not None:
        raise ValueError(f"weights is {spec.weights}, but this network is trained from scratch: leave it out")
    if min(spec.input_shape[:2]) < smallest:
        raise ValueError(f"image size is {min(spec.input_shape[:2])}, but must be at least {smallest} pixels")
    return keras.Input(spec.input_shape, dtype="uint8", name="images")


def scaled(images: Any) -> Any:
    """x / 255: float32 [B, S, S, 3] in 0..1."""
    return keras.layers.Rescaling(1 / 255, dtype="float32", name="scaled")(images)


def centred(images: Any, mean: Sequence[float], *, divisor: float | Sequence[float], name: str = "centred") -> Any:
    """(x - mean) / divisor: float32 [B, S, S, 3], whatever the policy: bfloat16 would round means to whole grey levels.

    mean: red, green, blue on the scale 0..255. divisor: of all three, or of each.
    """
    means = [float(value) for value in mean]
    variances = [float(value) ** 2 for value in ([divisor] * 3 if isinstance(divisor, float) else divisor)]
    return keras.layers.Normalization(mean=means, variance=variances, dtype="float32", name=name)(images)


def convolve(
    x: Any,
    filters: int,
    kernel: int,
    name: str,
    *,
    stride: int = 1,
    padding: str = "same",
    bias: bool = True,
    l2: float = 0.0,
) -> Any:
    """A square convolution, linear. l2: see penalty."""
    return keras.layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        use_bias=bias,
        kernel_regularizer=penalty(l2),
        name=f"{name}_conv",
    )(x)


def normalize_activate(x: Any, name: str, **normalization: float) -> Any:
    """Batch normalization, then ReLU. normalization: epsilon and momentum, where they are not Keras's own."""
    x = keras.layers.BatchNormalization(name=f"{name}_normalization", **normalization)(x)
    return keras.layers.ReLU(name=f"{name}_activation")(x)


def activate_normalize(x: Any, name: str, *, batch_norm: bool = True) -> Any:
    """ReLU, then batch normalization where it is asked for: the order of the deep-learning report's MiniVGGNet and
    AlexNet."""
    x = keras.layers.ReLU(name=f"{name}_activation")(x)
    return keras.layers.BatchNormalization(name=f"{name}_normalization")(x) if batch_norm else x


def penalty(l2: float) -> Any:
    """The regularizer that adds l2 times the sum of a kernel's squares to the loss; None for 0."""
    return keras.regularizers.L2(l2) if l2 else None


def l2_strength(config: Mapping[str, Any], default: float) -> float:
    """The configuration's l2. Part of the network's structure, since the traced gradient holds it as a constant.

    Raises ValueError (one line) where it is negative or not finite.
    """
    l2 = float(config.get("l2", default))
    if not 0 <= l2 < math.inf:
        raise ValueError(f"l2 is {l2:g}, but must be at least 0 and finite, such as {default:g}")
    return l2
