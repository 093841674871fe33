"""The workloads' networks in plain Keras, compiled, as a user of KerasTuner, Optuna or Ray Tune would write them.

The architectures are those of trainables/models/, spelled out again: of this project's code a peer runs none but the
augmentation (see data.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from benchmarks.peers.peer_config import Job
from benchmarks.workloads import CLASSES, MOMENTUM, Configuration, Workload, frozen_layers


def compiled(job: Job, config: Configuration) -> keras.Model:
    """Build the trial's model with the weights that its seed and the file of weights determine.

    Args:
        job: The run.
        config: The configuration.
    """
    keras.utils.set_random_seed(config.seed)
    build = _fine_tuned if job.workload.model == "fine_tuned" else _residual
    model = build(job, config)
    optimizers = {
        "adam": lambda: keras.optimizers.Adam(config.learning_rate),
        "sgd": lambda: keras.optimizers.SGD(config.learning_rate, momentum=MOMENTUM),
    }
    model.compile(
        optimizer=optimizers[config.optimizer](), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def _fine_tuned(job: Job, config: Configuration) -> keras.Model:
    workload = job.workload
    assert workload.backbone is not None
    assert config.frozen_fraction is not None
    base = _backbone(workload, workload.backbone, job.weights)
    for layer in base.layers[: frozen_layers(workload.backbone, config.frozen_fraction)]:
        layer.trainable = False
    side = workload.image_size
    inputs = keras.Input((side, side, 3), dtype="uint8")
    x = inputs  # EfficientNet and EfficientNet-Lite scale their input themselves
    if workload.backbone == "NASNetMobile":
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = keras.layers.GlobalAveragePooling2D()(base(x))
    return keras.Model(inputs, _head(x, config.dropout))


def _backbone(workload: Workload, name: str, weights: Path | None) -> keras.Model:
    assert weights is not None
    if not hasattr(keras.applications, name):
        return keras.models.load_model(weights, compile=False)  # EfficientNet-Lite0, for --quick
    side = workload.image_size
    base = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3))
    base.load_weights(weights)
    return base


def _residual(job: Job, config: Configuration) -> keras.Model:
    assert config.conv_blocks is not None
    assert config.filter_width is not None
    side, facts = job.workload.image_size, job.facts()
    inputs = keras.Input((side, side, 3), dtype="uint8")
    variance = [deviation**2 for deviation in facts["channel_std"]]
    x = keras.layers.Normalization(mean=facts["channel_mean"], variance=variance)(inputs)
    x = keras.layers.Conv2D(32, 7, padding="same")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.LeakyReLU(negative_slope=0.03)(x)
    for base_filters in (32, 64, 128, 256)[: config.conv_blocks]:
        filters = round(base_filters * config.filter_width)
        x = keras.layers.MaxPooling2D(2)(x)
        shortcut = keras.layers.Conv2D(filters, 1, use_bias=False)(x)
        for _ in range(3):
            x = keras.layers.Conv2D(filters, 3, padding="same")(x)
            x = keras.layers.BatchNormalization()(x)
            x = keras.layers.Dropout(config.dropout)(x)
            x = keras.layers.LeakyReLU(negative_slope=0.03)(x)
        x = keras.layers.Add()([x, shortcut])
    return keras.Model(inputs, _head(keras.layers.GlobalAveragePooling2D()(x), config.dropout))


def _head(x: Any, dropout: float) -> Any:
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(256)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.LeakyReLU(negative_slope=0.03)(x)
    return keras.layers.Dense(CLASSES, activation="softmax")(x)
