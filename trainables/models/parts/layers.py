"""Building blocks of networks trained from scratch: image input and layers.

Layers of a block are named after it: "block1_1" has block1_1_conv, block1_1_activation, block1_1_normalization.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainables.models.parts.built_network import BuildSpec


def image_input(spec: BuildSpec, *, smallest: int) -> Any:
    """Return symbolic images uint8 [B, S, S, 3].

    Args:
        spec: What the network is built from.
        smallest: Side in pixels below which the network's maps would vanish.

    Raises:
        ValueError: Images are smaller, or weights are given.
    """
    if spec.weights is not None:
        raise ValueError(f"weights is {spec.weights}, but this network is trained from scratch: leave it out")
    if min(spec.input_shape[:2]) < smallest:
        raise ValueError(f"image size is {min(spec.input_shape[:2])}, but must be at least {smallest} pixels")
    return keras.Input(spec.input_shape, dtype="uint8", name="images")


def scaled(images: Any) -> Any:
    """Divide by 255: float32 [B, S, S, 3], 0 to 1."""
    return keras.layers.Rescaling(1 / 255, dtype="float32", name="scaled")(images)


def centred(images: Any, mean: Sequence[float], *, divisor: float | Sequence[float], name: str = "centred") -> Any:
    """Return (x - mean) / divisor in float32, since bfloat16 would round means to whole grey levels.

    Args:
        images: Symbolic [B, S, S, 3].
        mean: Red, green, blue, 0 to 255.
        divisor: Of all three channels, or of each.
        name: Name of the layer.
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
    """Add a square convolution without activation.

    Args:
        x: Symbolic maps.
        filters: Number of filters.
        kernel: Side of the kernel.
        name: Name of the block.
        stride: Step.
        padding: "same" or "valid".
        bias: Whether there is a bias.
        l2: See penalty.
    """
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
    """Add batch normalization, then ReLU.

    Args:
        x: Symbolic maps.
        name: Name of the block.
        normalization: epsilon and momentum, where they differ from Keras's.
    """
    x = keras.layers.BatchNormalization(name=f"{name}_normalization", **normalization)(x)
    return keras.layers.ReLU(name=f"{name}_activation")(x)


def activate_normalize(x: Any, name: str, *, batch_norm: bool = True) -> Any:
    """Add ReLU, then batch normalization: the order of MiniVGGNet and AlexNet in the deep-learning report.

    Args:
        x: Symbolic maps.
        name: Name of the block.
        batch_norm: Whether there is a batch normalization.
    """
    x = keras.layers.ReLU(name=f"{name}_activation")(x)
    return keras.layers.BatchNormalization(name=f"{name}_normalization")(x) if batch_norm else x


def penalty(l2: float) -> Any:
    """Return the regularizer that adds l2 times the sum of a kernel's squares to the loss; None for 0."""
    return keras.regularizers.L2(l2) if l2 else None


def l2_strength(config: Mapping[str, Any], default: float) -> float:
    """Return the configuration's l2, which shapes the network: the traced gradient holds it as a constant.

    Args:
        config: The configuration.
        default: Value without a setting.

    Raises:
        ValueError: It is negative or not finite.
    """
    l2 = float(config.get("l2", default))
    if not 0 <= l2 < math.inf:
        raise ValueError(f"l2 is {l2:g}, but must be at least 0 and finite, such as {default:g}")
    return l2
