"""Logistic regression on a backbone's features: scikit-learn's numbers, in a network that anybody can load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.fixtures.trainables import SmallImages, assign
from trainables.learner import Infeasible
from trainables.trial_spec import TrainingSpec

pytestmark = pytest.mark.slow  # imports TensorFlow

SIDE = 32
FLATTENED = 1280  # EfficientNetLite0's last maps are 1 x 1 x 1280 at 32 pixels


def features(folder: Path | None = None, seed: int = 1, classes: int = 3, **config: Any) -> TrainingSpec:
    kept = {"features": folder, "features_bytes": 10**9, "arm_epochs": 9}
    config = {"backbone": "EfficientNetLite0", "C": 0.1, **config}
    return assign("backbone_features", config, seed=seed, side=SIDE, classes=classes, **kept)


def trained(
    assignment: TrainingSpec, train: SmallImages, val: SmallImages, epochs: int = 2
) -> tuple[Any, dict[str, Any]]:
    """A learner after that many epochs, and what it said when it started."""
    from trainables.learners import feature_logistic

    learner = feature_logistic.create()
    said = learner.start(assignment, train, val)  # type: ignore[arg-type]
    for epoch in range(epochs):
        learner.epoch(epoch)
    return learner, said


@pytest.fixture(scope="module")
def images() -> tuple[SmallImages, SmallImages]:
    return SmallImages(20, SIDE), SmallImages(9, SIDE, seed=3, split="val")


@pytest.fixture(scope="module")
def maps(images: tuple[SmallImages, SmallImages]) -> tuple[np.ndarray, np.ndarray]:
    """Of training and validation images, [N, 1, 1, 1280], by the backbone alone."""
    from trainables.models.backbones import builder

    body = builder.build(builder.find("EfficientNetLite0"), (SIDE, SIDE, 3), weights=None)
    seen, unseen = (np.asarray(body(next(each.batches(32)), training=False)) for each in images)
    return seen, unseen


@pytest.mark.parametrize("pooling", ["flatten", "average"])
def test_its_probabilities_are_scikit_learns_on_the_backbones_maps(
    images: tuple[SmallImages, SmallImages], maps: tuple[np.ndarray, np.ndarray], pooling: str
) -> None:
    train, val = images
    learner, said = trained(features(pooling=pooling), train, val, epochs=1)
    assert "features" not in said  # no folder: they were computed into memory
    assert said["frozen_layers"] == said["backbone_layers"] > 100
    seen, unseen = (each.reshape(len(each), -1) if pooling == "flatten" else each.mean(axis=(1, 2)) for each in maps)
    assert seen.shape == (20, FLATTENED)
    expected = LogisticRegression(C=0.1, max_iter=20).fit(seen, train.labels).predict_proba(unseen)
    np.testing.assert_allclose(learner.validate(), expected, atol=2e-3)
    np.testing.assert_allclose(learner.predict(val.batches(4)), learner.validate(), atol=1e-5)


def test_features_are_computed_once_for_every_trial(tmp_path: Path, images: tuple[SmallImages, SmallImages]) -> None:
    in_memory, _ = trained(features(None), *images)
    expected = in_memory.validate()
    learner, said = trained(features(tmp_path), *images)
    assert said["features"]["kept"]
    np.testing.assert_allclose(learner.validate(), expected, atol=1e-5)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/0.bin")}
    assert sorted(path.stat().st_size for path in kept) == [9 * FLATTENED * 4, 20 * FLATTENED * 4]
    another, _ = trained(features(tmp_path, seed=2, C=10.0), *images)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/0.bin")} == kept
    assert np.abs(another.validate() - expected).max() > 1e-3


def test_the_winner_is_a_network_that_anybody_can_load(tmp_path: Path) -> None:
    """Of three classes one has no training images: two are what scikit-learn has one row of coefficients for."""
    import keras

    train, val = SmallImages(20, SIDE, classes=2), SmallImages(9, SIDE, classes=2, seed=3, split="val")
    learner, _ = trained(features(), train, val)
    expected = learner.predict(val.batches(4))
    assert (expected[:, 2] == 0).all()
    assert (learner.predict(train.batches(4)).argmax(axis=1) == train.labels).mean() > 0.7
    learner.save(tmp_path)
    assert (tmp_path / "variables.npz").stat().st_size < 2 * FLATTENED * 3 * 4  # the backbone has a file already
    trained(features(C=100.0), train, val)  # leaves other coefficients behind
    learner.load(tmp_path, features(), train)
    np.testing.assert_array_equal(learner.predict(val.batches(4)), expected)
    facts = learner.export(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    model = keras.models.load_model(tmp_path / "model.keras")
    assert facts.parameters == model.count_params()
    np.testing.assert_allclose(model(next(val.batches(9)), training=False), expected, atol=1e-5)


def test_what_cannot_be_is_one_line(tmp_path: Path, images: tuple[SmallImages, SmallImages]) -> None:
    from trainables.learners import feature_logistic

    small = TrainingSpec(**{**vars(features()), "memory_bytes": 50_000})
    for assignment, train, message in (
        (features(C=-1.0), images[0], "C is -1"),
        (features(pooling="max"), images[0], "pooling is 'max', but must be one of flatten, average"),
        (features(), SmallImages(20, SIDE, views=2), "augmentation is views"),
        (features(), SmallImages(20, SIDE, classes=1), "one class only"),
        (small, images[0], "raise feature_cache"),
    ):
        with pytest.raises(Infeasible, match=message) as raised:
            feature_logistic.create().start(assignment, train, images[1])  # type: ignore[arg-type]
        assert "\n" not in str(raised.value)
