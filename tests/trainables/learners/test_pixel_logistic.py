from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.fixtures.trainables import SmallImages, assign
from trainables.learner import Infeasible, Learner
from trainables.learners import pixel_logistic
from trainables.phase_timer import PhaseTimer
from trainables.trial_spec import TrainingSpec

CONFIG = {"C": 0.01, "pooled_side": 4}


def pixels(seed: int = 1, **config: Any) -> TrainingSpec:
    return assign("logistic_regression", {**CONFIG, **config}, seed=seed)


def start(learner: Learner, assignment: TrainingSpec, train: SmallImages, val: SmallImages | None = None) -> None:
    said = learner.start(assignment, train, val or train)  # type: ignore[arg-type]
    assert said == {}  # nothing is frozen here


def trained(images: SmallImages | None = None, epochs: int = 2, **config: Any) -> tuple[Learner, dict[str, float]]:
    learner: Learner = pixel_logistic.create()
    start(learner, pixels(**config), images or SmallImages())
    metrics: dict[str, float] = {}
    for epoch in range(epochs):
        metrics = learner.epoch(epoch)
    return learner, metrics


def test_learns_and_predicts() -> None:
    images = SmallImages()
    learner, metrics = trained(images)
    probabilities = learner.predict(images.batches(16))
    assert probabilities.shape == (40, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == images.labels).mean() == metrics["accuracy"] == 1
    assert np.isfinite(metrics["loss"])


def test_validates_on_the_validation_images_and_books_its_seconds() -> None:
    watch = PhaseTimer()
    learner = pixel_logistic.create(watch=watch)
    val = SmallImages(11, seed=5, split="val")
    start(learner, pixels(), SmallImages(), val)
    learner.epoch(0)
    np.testing.assert_allclose(learner.validate(), learner.predict(val.batches(4)), rtol=1e-5)
    assert learner.validate().shape == (11, 3)
    seconds = watch.take()
    assert set(seconds) == {"features", "train"}
    assert min(seconds.values()) > 0


def test_an_epoch_goes_on_where_the_last_ended() -> None:
    learner: Learner = pixel_logistic.create()
    assignment = assign("logistic_regression", {"C": 100.0, "pooled_side": 8}, classes=4)
    images = SmallImages(1000, classes=4)
    images.labels = np.random.default_rng(0).permutation(images.labels)  # nothing to learn: many iterations to overfit
    start(learner, assignment, images)
    losses = [learner.epoch(epoch)["loss"] for epoch in range(3)]
    assert losses[2] < losses[1] < losses[0]


def test_same_in_same_out_whatever_ran_before() -> None:
    first, a = trained()
    trained(C=1.0)
    again, b = trained()
    assert a == b
    np.testing.assert_array_equal(first.predict(SmallImages().batches(8)), again.predict(SmallImages().batches(8)))


@pytest.mark.parametrize("classes", [2, 3])
def test_saved_and_loaded_predicts_the_same(tmp_path: Path, classes: int) -> None:
    images = SmallImages(classes=classes)
    learner = pixel_logistic.create()
    start(learner, assign("logistic_regression", CONFIG, classes=classes), images)
    learner.epoch(0)
    learner.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
    other = pixel_logistic.create()
    other.load(tmp_path, pixels(), SmallImages())  # type: ignore[arg-type]
    np.testing.assert_array_equal(learner.predict(images.batches(16)), other.predict(images.batches(16)))
    facts = other.export(tmp_path)
    assert facts.parameters == classes * (4 * 4 * 3 + 1)
    assert facts.size_bytes == (tmp_path / "model.npz").stat().st_size


@pytest.mark.parametrize("classes", [2, 3])
def test_agrees_with_scikit_learn(classes: int) -> None:
    images = SmallImages(classes=classes)
    learner = pixel_logistic.create()
    start(learner, assign("logistic_regression", CONFIG, classes=classes), images)
    learner.epoch(0)
    features = np.concatenate([learner.pool(batch) for batch in images.batches(16)])
    expected = LogisticRegression(C=CONFIG["C"], max_iter=20).fit(features, images.labels).predict_proba(features)
    np.testing.assert_allclose(learner.predict(images.batches(16)), expected, rtol=1e-4, atol=1e-6)


def test_a_class_without_training_images_gets_probability_zero() -> None:
    learner = pixel_logistic.create()
    start(learner, assign("logistic_regression", CONFIG, classes=5), SmallImages(classes=3))
    learner.epoch(0)
    probabilities = learner.predict(SmallImages().batches(8))
    assert probabilities.shape == (40, 5)
    assert (probabilities[:, 3:] == 0).all()


@pytest.mark.parametrize("side", [1, 3, 4, 7, 16])
def test_pooling_by_area_keeps_the_mean(side: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    pooled = pixel_logistic.pool_by_area(images, side)
    assert pooled.shape == (2, side, side, 3)
    np.testing.assert_allclose(pooled.mean(axis=(1, 2)), images.mean(axis=(1, 2)), rtol=1e-5)


def test_pooling_by_area_is_the_mean_of_whole_squares() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 12, 3), dtype=np.uint8)
    expected = images.reshape(2, 4, 2, 4, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(pixel_logistic.pool_by_area(images, 4), expected, rtol=1e-5)


def test_pooling_to_a_larger_side_than_the_image_repeats_pixels() -> None:
    images = np.array([[[[0] * 3, [100] * 3], [[50] * 3, [150] * 3]]], np.uint8)
    expected = images.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(pixel_logistic.pool_by_area(images, 4), expected)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"C": 0.0}, "C is 0"), ({"C": float("nan")}, "C is nan"), ({"pooled_side": 17}, "must be from 1 to")],
)
def test_impossible_configurations_are_infeasible(config: dict[str, Any], message: str) -> None:
    with pytest.raises(Infeasible, match=message):
        trained(**config)


def test_one_class_is_infeasible() -> None:
    with pytest.raises(Infeasible, match="one class only"):
        trained(SmallImages(classes=1))


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "pickled", "incomplete"])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model.npz"
    trained()[0].save(tmp_path)
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "pickled":
        np.savez(path, coefficients=np.array([{"not": "numbers"}], dtype=object))
    else:
        np.savez(path, coefficients=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="is no saved pixels model") as raised:
        pixel_logistic.create().load(tmp_path, pixels(), SmallImages())  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_the_file_holds_no_pickle(tmp_path: Path) -> None:
    trained()[0].save(tmp_path)
    with zipfile.ZipFile(tmp_path / "model.npz") as archive:
        for name in archive.namelist():
            assert name.endswith(".npy")
            assert b"|O" not in archive.read(name)[:128]
