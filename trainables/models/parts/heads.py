"""Heads of networks: from feature maps to features, and from features to probabilities or a box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from errors import unknown_name
from trainables.models.parts import layers
from trainables.models.parts.built_network import ADJUSTABLE

LOGITS = "logits"  # the layer training takes its loss from: cross-entropy on logits has no clipping and no log(0)
PROBABILITIES = "probabilities"  # the model's output
LEAKY_RELU_SLOPE = 0.03  # food10 report, LReLU.03
HIDDEN_UNITS = 256  # deep-learning and food10 reports, FC256


@dataclass(frozen=True, kw_only=True)
class Head:
    """Head of a backbone; on a wholly frozen backbone only `classify` is trained."""

    features: Callable[[Any], Any]  # symbolic maps [B, h, w, F] to features [B, D]; has no weights
    classify: Callable[[Any, int], Any]  # features and number of classes to probabilities float32 [B, classes], or box
    adjustable: bool = True  # whether the configuration's dropout is the rate of its dropout layers


def find(name: str) -> Head:
    """Return the head of that name.

    Raises:
        ValueError: There is none; the message has the nearest name.
    """
    if name not in HEADS:
        raise ValueError(unknown_name("head", name, HEADS))
    return HEADS[name]


def classify(pooled: Any, num_classes: int) -> Any:
    """Add dropout, dense 256, batch normalization, dropout, leaky ReLU, dense, softmax (food10 report).

    Args:
        pooled: Symbolic float [B, F], one feature vector an image.
        num_classes: Number of classes.

    Returns:
        Symbolic float32 [B, num_classes]; rows sum to 1.
    """
    x = keras.layers.Dropout(ADJUSTABLE, name="head_dropout_1")(pooled)
    x = keras.layers.Dense(HIDDEN_UNITS, name="head_dense")(x)
    x = keras.layers.BatchNormalization(name="head_normalization")(x)
    x = keras.layers.Dropout(ADJUSTABLE, name="head_dropout_2")(x)
    x = keras.layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE, name="head_activation")(x)
    return probabilities(x, num_classes)


def decide(pooled: Any, num_classes: int) -> Any:
    """Add dropout and one sigmoid unit for the second of two classes (dogs-vs-cats report).

    The sigmoid of z is the softmax of (0, z), and binary cross-entropy its cross-entropy: with the constant 0 beside z,
    training, metrics and the saved model are those of any other number of classes.

    Args:
        pooled: Symbolic float [B, F].
        num_classes: Number of classes.

    Returns:
        Symbolic float32 [B, 2].

    Raises:
        ValueError: There are not two classes.
    """
    if num_classes != 2:
        raise ValueError(f"head is sigmoid, which tells two classes apart, but there are {num_classes}: use hidden")
    x = keras.layers.Dropout(ADJUSTABLE, name="head_dropout")(pooled)
    x = keras.layers.Dense(1, dtype="float32", name="logit")(x)
    x = keras.layers.Reshape((1, 1), dtype="float32", name="logit_row")(x)
    x = keras.layers.ZeroPadding1D((1, 0), dtype="float32", name="logit_rows")(x)
    x = keras.layers.Flatten(dtype="float32", name=LOGITS)(x)
    return keras.layers.Softmax(dtype="float32", name=PROBABILITIES)(x)


def dense_layers(features: Any, num_classes: int, *, units: tuple[int, ...]) -> Any:
    """Add dense layers with ReLU, then probabilities (traffic-signs report).

    Args:
        features: Symbolic float [B, D].
        num_classes: Number of classes.
        units: Units of each layer.
    """
    return probabilities(_dense(features, units), num_classes)


def dense_256(features: Any, num_classes: int) -> Any:
    """Add dense 256, ReLU, dropout .5 and probabilities (deep-learning report, surgery).

    The dropout rate does not depend on the configuration.

    Args:
        features: Symbolic float [B, D].
        num_classes: Number of classes.
    """
    x = keras.layers.Dense(HIDDEN_UNITS, activation="relu", name="head_dense")(features)
    x = keras.layers.Dropout(0.5, name="head_dropout")(x)
    return probabilities(x, num_classes)


def probabilities(features: Any, num_classes: int, *, l2: float = 0.0) -> Any:
    """Add a dense layer with softmax.

    Args:
        features: Symbolic float [B, D].
        num_classes: Number of classes.
        l2: See layers.penalty.

    Raises:
        ValueError: There are fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}, but must be at least 2: there is nothing to tell apart")
    # float32 whatever the policy: bfloat16 has 8 bits of mantissa, so probabilities near 1 would be 1/256 apart.
    x = keras.layers.Dense(num_classes, kernel_regularizer=layers.penalty(l2), dtype="float32", name=LOGITS)(features)
    return keras.layers.Softmax(dtype="float32", name=PROBABILITIES)(x)


def box(features: Any, num_classes: int) -> Any:
    """Add dense 128, 64, 32 with ReLU, then a sigmoid for each edge of a box (deep-learning report).

    Args:
        features: Symbolic float [B, D].
        num_classes: Not used.

    Returns:
        Symbolic float32 [B, 4]: x1, y1, x2, y2 in shares of the image's sides.
    """
    del num_classes
    return keras.layers.Dense(4, activation="sigmoid", dtype="float32", name="box")(_dense(features, (128, 64, 32)))


def _dense(x: Any, units: tuple[int, ...]) -> Any:
    for number, width in enumerate(units, start=1):
        x = keras.layers.Dense(width, activation="relu", name=f"head_dense_{number}")(x)
    return x


def average(maps: Any) -> Any:
    """Return the mean of each map."""
    return keras.layers.GlobalAveragePooling2D(name="features")(maps)


def flatten(maps: Any, *, poolings: int = 0) -> Any:
    """Return all values of the maps as one vector.

    Args:
        maps: Symbolic maps.
        poolings: Number of 2 x 2 max-poolings before.
    """
    for number in range(1, poolings + 1):
        maps = keras.layers.MaxPooling2D(2, name=f"head_pooling_{number}")(maps)
    return keras.layers.Flatten(name="features")(maps)


HEADS: Mapping[str, Head] = {
    "hidden": Head(features=average, classify=classify),
    "sigmoid": Head(features=average, classify=decide),
    "linear": Head(features=average, classify=probabilities),
    "flatten_linear": Head(
        features=flatten, classify=probabilities
    ),  # deep-learning report: one softmax on all of VGG16's maps
    # The traffic-signs report's two classifiers, at 32 and at 256 pixels; the second pools twice in its code, once in
    # its text.
    "dense_512_256_128": Head(features=flatten, classify=partial(dense_layers, units=(512, 256, 128))),
    "dense_1024_256": Head(features=partial(flatten, poolings=2), classify=partial(dense_layers, units=(1024, 256))),
    "dense_256": Head(features=flatten, classify=dense_256, adjustable=False),
    "box": Head(features=flatten, classify=box),
}
