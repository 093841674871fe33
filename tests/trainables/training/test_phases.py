from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, assign

pytestmark = pytest.mark.slow  # imports TensorFlow

# VGG16 as Keras counts it: 19 layers with the images, blocks that end before layers 4, 7, 11, 15 and 19.
VGG: Any = SimpleNamespace(blocks=[SimpleNamespace(layers=number) for number in (4, 7, 11, 15, 19)], layers=19)
SURGERY = {  # deep-learning report, network surgery
    "warmup_epochs": 25,
    "warmup_optimizer": "rmsprop",
    "warmup_learning_rate": 1e-3,
    "frozen_layers": 15,
    "optimizer": "sgd",
    "momentum": 0.9,
    "learning_rate": 1e-2,
    "schedule": "polynomial_decay_1",
}


def test_the_head_alone_then_the_last_block() -> None:
    from trainables.training.phases import phase_of, phases

    first, main = phases(SURGERY, VGG, 125)
    assert (first.begins, first.epochs, first.cut, first.schedule) == (0, 25, 5, "constant")
    assert (first.settings.kind.name, first.settings.learning_rate, first.settings.momentum) == ("rmsprop", 1e-3, 0.0)
    assert (main.begins, main.epochs, main.cut, main.schedule) == (25, 100, 4, "polynomial_decay_1")
    assert (main.settings.kind.name, main.settings.learning_rate, main.settings.momentum) == ("sgd", 1e-2, 0.9)
    assert [phase_of((first, main), epoch) for epoch in (0, 24, 25, 124, 200)] == [first, first, main, main, main]


def test_without_a_warm_up_there_is_one_phase() -> None:
    from trainables.training.phases import phases

    (only,) = phases({"optimizer": "adam", "learning_rate": 1e-3}, VGG, 7)
    assert (only.begins, only.epochs, only.cut) == (0, 7, 0)


@pytest.mark.parametrize(
    ("changed", "network", "said"),
    [
        ({"warmup_epochs": 125}, VGG, "warmup_epochs is 125, but must be from 0 to 124"),
        ({"warmup_epochs": -1}, VGG, "warmup_epochs is -1"),
        ({"frozen_layers": 0}, SimpleNamespace(blocks=[], layers=0), "no blocks that can be frozen"),
        ({"warmup_learning_rate": 0.0}, VGG, "learning_rate is 0"),
        ({"warmup_optimizer": "rmspop"}, VGG, "rmsprop"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(changed: dict[str, Any], network: Any, said: str) -> None:
    from trainables.training.phases import phases

    with pytest.raises(ValueError, match=said) as caught:
        phases({**SURGERY, **changed}, network, 125)
    assert "\n" not in str(caught.value)


CONFIG = {
    "backbone": "EfficientNetLite0",
    "batch_size": 8,
    "frozen_fraction": 0.9,
    "warmup_epochs": 2,
    "warmup_optimizer": "rmsprop",
    "warmup_learning_rate": 2e-3,
    "optimizer": "sgd",
    "momentum": 0.9,
    "learning_rate": 1e-3,
    "schedule": "polynomial_decay_1",
}


def trained(config: dict[str, Any], features: Path | None) -> tuple[list[dict[str, float]], list[np.ndarray]]:
    """Four epochs: what each reports, and the weights after each, in the order of the network."""
    from trainables.learners import keras_network

    points = tuple({"frozen_fraction": fraction} for fraction in (0.9, 1.0))
    assignment = assign(
        "fine_tuned", config, side=32, features=features, features_bytes=10**9, freeze_points=points, arm_epochs=1000
    )
    learner = keras_network.create()
    train: Any = SmallImages(16, 32)
    val: Any = SmallImages(8, 32, seed=5, split="val")
    learner.start(assignment, train, val)
    metrics, weights = [], []
    for epoch in range(4):
        metrics.append({**learner.epoch(epoch), "val": float(learner.validate().sum(axis=0)[0])})
        assert learner.warm is not None
        weights.append([np.asarray(variable) for variable in learner.warm.network.model.trainable_variables])
    return metrics, weights


def test_layers_learn_in_their_phase_alone_and_a_warm_network_does_the_same_again(tmp_path: Path) -> None:
    metrics, weights = trained(CONFIG, tmp_path)
    changed = [
        {number for number, (old, new) in enumerate(zip(*pair, strict=True)) if not np.array_equal(old, new)}
        for pair in itertools.pairwise(weights)
    ]
    everything = set(range(len(weights[0])))
    head = {number for number in everything if number >= len(everything) - 6}  # two dense layers, a normalization
    assert changed[0] == head
    assert head < changed[1] == changed[2] < everything  # after the second epoch the last blocks learn too
    rates = [epoch["learning_rate"] for epoch in metrics]
    assert rates == pytest.approx([2e-3, 2e-3, 1e-3, 1e-3 * 2 / 3])  # the schedule counts the main phase's three epochs
    trained({**CONFIG, "warmup_epochs": 0, "optimizer": "adam"}, tmp_path)
    again, weights_again = trained(CONFIG, tmp_path)
    assert again == metrics
    assert all(map(np.array_equal, weights_again[-1], weights[-1]))


def test_kept_features_and_images_give_the_same(tmp_path: Path) -> None:
    kept, live = trained(CONFIG, tmp_path)[0], trained(CONFIG, None)[0]
    for one, other in zip(
        kept, live, strict=True
    ):  # bit for bit on one thread: tests/trainables/training/test_equivalence.py
        assert one == pytest.approx(other, rel=1e-4)
