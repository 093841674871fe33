"""Residual network with bottlenecks and pre-activation (He et al., 2016, arXiv 1603.05027; deep-learning report).

The author's file is missing; the call's signature and the report match the textbook network of that name.
"""

from __future__ import annotations

from typing import Any

import keras

from errors import unknown_name
from search_spaces.known_names import STEMS, whole_numbers
from trainables.models.parts import layers
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.heads import probabilities

STRUCTURE = ("stages", "filters", "stem", "l2")
DEFAULT_STAGES, DEFAULT_FILTERS = "9-9-9", "64-64-128-256"  # deep-learning report, on CIFAR-10
DEFAULT_L2 = 0.0005
NORMALIZATION = {"epsilon": 2e-5, "momentum": 0.9}


def build(spec: BuildSpec) -> Network:
    """Build BN of the images, stem, stages of bottleneck units, BN, ReLU, average, dense, softmax.

    A unit of K filters: [BN, ReLU, convolution] of K/4 1 x 1, K/4 3 x 3 and K 1 x 1, without biases, plus its
    shortcut. The first unit of a stage projects the shortcut, after its first BN and ReLU; from the second stage on
    it halves the side. The report averages 8 x 8, the whole map at its sizes; here the whole map at any size. 886,102
    parameters with the defaults and 10 classes, 2,265,748 with the report's settings for tiny-imagenet's 200.

    Settings: stages (units of each, default "9-9-9"; "3-4-6" for tiny-imagenet), filters (of the stem, then of each
    stage, multiples of 4; default "64-64-128-256"; "64-128-256-512"), stem ("cifar", a 3 x 3 convolution, the
    default; or "tiny_imagenet", 5 x 5, BN, ReLU and a 3 x 3 max-pooling that halves), l2 (of every kernel, default
    0.0005). channel_mean is subtracted, as the report does on tiny-imagenet (on CIFAR-10 a mean for every pixel),
    without division.

    Raises:
        ValueError: The settings cannot be built, or weights are given.
    """
    stages = whole_numbers("stages", spec.config.get("stages", DEFAULT_STAGES))
    stem_filters, *stage_filters = filters = whole_numbers("filters", spec.config.get("filters", DEFAULT_FILTERS))
    if len(filters) != len(stages) + 1:
        raise ValueError(
            f"filters names {len(filters)} numbers and stages {len(stages)}, but filters must name one for the stem "
            f"and one for each stage, such as {DEFAULT_FILTERS} for {DEFAULT_STAGES}"
        )
    if uneven := [count for count in stage_filters if count % 4]:
        raise ValueError(f"filters has {uneven[0]}, but must be multiples of 4: a unit's inner layers have a quarter")
    stem = spec.config.get("stem", STEMS[0])
    if stem not in STEMS:
        raise ValueError(unknown_name("stem", stem, STEMS))
    l2 = layers.l2_strength(spec.config, DEFAULT_L2)
    halvings = len(stages) - 1 + (stem == "tiny_imagenet")
    images = layers.image_input(spec, smallest=2**halvings)

    x = layers.centred(images, spec.channel_mean, divisor=1.0)
    # float32 whatever the policy: bfloat16 would round the images first.
    x = keras.layers.BatchNormalization(name="images_normalization", dtype="float32", **NORMALIZATION)(x)
    x = layers.convolve(x, stem_filters, 3 if stem == "cifar" else 5, "stem", bias=False, l2=l2)
    if stem == "tiny_imagenet":
        x = layers.normalize_activate(x, "stem", **NORMALIZATION)
        x = keras.layers.ZeroPadding2D(1, name="stem_padding")(x)
        x = keras.layers.MaxPooling2D(3, strides=2, name="stem_pooling")(x)
    for stage, (count, width) in enumerate(zip(stages, stage_filters, strict=True), start=1):
        for number in range(1, count + 1):
            stride = 2 if number == 1 and stage > 1 else 1
            x = _unit(x, width, f"stage{stage}_unit{number}", stride=stride, projects=number == 1, l2=l2)
    x = layers.normalize_activate(x, "end", **NORMALIZATION)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return Network(model=keras.Model(images, probabilities(x, spec.num_classes, l2=l2), name="resnet"))


def _unit(x: Any, filters: int, name: str, *, stride: int, projects: bool, l2: float) -> Any:
    shortcut = x
    for number, (width, kernel) in enumerate(((filters // 4, 1), (filters // 4, 3), (filters, 1)), start=1):
        x = layers.normalize_activate(x, f"{name}_{number}", **NORMALIZATION)
        if number == 1 and projects:
            shortcut = layers.convolve(x, filters, 1, f"{name}_shortcut", stride=stride, bias=False, l2=l2)
        strides = stride if kernel == 3 else 1
        x = layers.convolve(x, width, kernel, f"{name}_{number}", stride=strides, bias=False, l2=l2)
    return keras.layers.Add(name=f"{name}_sum")([x, shortcut])
