"""The classifier that every network of document 4 ends in."""

from __future__ import annotations

from typing import Any

import keras

from trainables.models.network import ADJUSTABLE

LOGITS = "logits"  # the layer training takes its loss from: cross-entropy on logits has no clipping and no log(0)
PROBABILITIES = "probabilities"  # the model's output
LEAKY_RELU_SLOPE = 0.03  # document 4, LReLU.03
HIDDEN_UNITS = 256  # document 4, FC256


def classify(pooled: Any, num_classes: int) -> Any:
    """Dropout, dense 256, batch normalization, dropout, leaky ReLU, dense, softmax (document 4's head).

    pooled: symbolic float [B, F], one feature vector an image.
    Returns symbolic float32 [B, num_classes], rows sum to 1.
    """
    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}, but must be at least 2: there is nothing to tell apart")
    x = keras.layers.Dropout(ADJUSTABLE, name="head_dropout_1")(pooled)
    x = keras.layers.Dense(HIDDEN_UNITS, name="head_dense")(x)
    x = keras.layers.BatchNormalization(name="head_normalization")(x)
    x = keras.layers.Dropout(ADJUSTABLE, name="head_dropout_2")(x)
    x = keras.layers.LeakyReLU(negative_slope=LEAKY_RELU_SLOPE, name="head_activation")(x)
    # float32 whatever the policy: bfloat16 has 8 bits of mantissa, so probabilities near 1 would be 1/256 apart.
    x = keras.layers.Dense(num_classes, dtype="float32", name=LOGITS)(x)
    return keras.layers.Softmax(dtype="float32", name=PROBABILITIES)(x)
