from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, assign
from trainables.learner import Fatal

pytestmark = pytest.mark.slow  # imports TensorFlow

CONFIG = {"learning_rate": 1e-2, "optimizer": "adam", "conv_blocks": 1, "filter_width": 0.25, "batch_size": 8}


def started(config: dict[str, Any], path: Path | None = None) -> Any:
    from trainables.learners import keras_network

    learner = keras_network.create()
    images: Any = SmallImages()
    learner.start(assign("residual", {**config, "dropout": 0.3}, goes_on_from=path), images, images)
    return learner


def weights(learner: Any) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in learner.warm.network.model.variables]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(map(np.array_equal, one, other))


def test_who_goes_on_is_as_if_training_had_never_stopped(tmp_path: Path) -> None:
    learner = started(CONFIG)
    for epoch in range(2):
        learner.epoch(epoch)
    learner.save_state(tmp_path / "states" / "epoch-0002.npz")
    at_two = weights(learner)
    unbroken = [learner.epoch(0), learner.epoch(1)], weights(learner)

    started({**CONFIG, "optimizer": "sgd", "conv_blocks": 2}).epoch(0)  # whatever came between
    going_on = started(CONFIG, tmp_path / "states" / "epoch-0002.npz")
    assert same(weights(going_on), at_two)
    assert [going_on.epoch(0), going_on.epoch(1)] == unbroken[0]
    assert same(weights(going_on), unbroken[1])
    # The next trial begins as new.
    fresh = started(CONFIG)
    assert not same(weights(fresh), at_two)


def test_another_learning_rate_goes_on_another_optimizer_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "epoch-0001.npz"
    learner = started(CONFIG)
    learner.epoch(0)
    learner.save_state(path)
    slower = started({**CONFIG, "learning_rate": 1e-3}, path)
    assert slower.epoch(0)["learning_rate"] == 1e-3
    steps = slower.session.active.update.optimizer.state[0].numpy()
    assert steps == 2 * 5  # of Adam: five an epoch, this one's and the one's before
    other = started({**CONFIG, "optimizer": "rmsprop"}, path)
    assert same(weights(other), weights(started(CONFIG, path)))
    assert not any(np.any(state) for state in other.session.active.update.optimizer.state)


def test_a_state_of_another_network_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "epoch-0001.npz"
    learner = started(CONFIG)
    learner.save_state(path)
    with pytest.raises(Fatal, match="was kept of another network"):
        started({**CONFIG, "conv_blocks": 2}, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Fatal, match="is no saved state of a training"):
        started(CONFIG, path)
    (tmp_path / "cut.keras").write_bytes(b"PK")
    for name in ("missing.keras", "cut.keras"):
        with pytest.raises(Fatal, match="does not fit this configuration"):
            started(CONFIG, tmp_path / name)


def test_a_model_alone_gives_its_weights(tmp_path: Path) -> None:
    learner = started(CONFIG)
    learner.epoch(0)
    learner.export(tmp_path)
    model = started(CONFIG, tmp_path / "model.keras").warm.network.model
    expected = weights(learner)
    differing = [
        str(variable.path)
        for variable, value in zip(model.variables, expected, strict=True)
        if not np.array_equal(variable, value)
    ]
    assert all("seed_generator" in name for name in differing), differing  # dropout begins anew, as the optimizer does
