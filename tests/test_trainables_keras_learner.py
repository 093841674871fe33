from __future__ import annotations

import gc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables_fixtures import SmallImages, assign
from trainables.learner import Assignment, Fatal, Infeasible, Learner

pytestmark = pytest.mark.slow  # imports TensorFlow

CONFIG = {"learning_rate": 1e-2, "optimizer": "adam", "conv_blocks": 1, "filter_width": 0.25, "batch_size": 8}


def residual(seed: int = 1, classes: int = 3, **config: Any) -> Assignment:
    return assign("residual", {**CONFIG, **config}, seed=seed, classes=classes)


def start(assignment: Assignment, images: Any = None) -> Learner:
    from trainables import keras_learner

    learner: Learner = keras_learner.create()
    learner.start(assignment, images or SmallImages())
    return learner


def train(assignment: Assignment, epochs: int = 2) -> tuple[list[dict[str, float]], np.ndarray]:
    learner = start(assignment)
    return [learner.epoch(epoch) for epoch in range(epochs)], learner.predict(SmallImages().batches(16))


def test_learns() -> None:
    images = SmallImages()
    learner = start(residual(), images)
    metrics = [learner.epoch(epoch) for epoch in range(8)]
    assert metrics[-1]["accuracy"] > 0.9
    assert metrics[-1]["loss"] < metrics[0]["loss"]
    assert metrics[0]["learning_rate"] == 1e-2
    probabilities = learner.predict(images.batches(16))
    assert probabilities.shape == (40, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("config", [{"dropout": 0.3}, {"optimizer": "sgd", "momentum": 0.9, "nesterov": True}])
def test_same_in_same_out_whatever_ran_before(config: dict[str, Any]) -> None:
    first_metrics, first = train(residual(**config))
    train(residual(seed=9, optimizer="rmsprop", conv_blocks=2))
    again_metrics, again = train(residual(**config))
    other_metrics, other = train(residual(seed=2, **config))
    assert first_metrics == again_metrics
    np.testing.assert_array_equal(first, again)
    assert other_metrics != first_metrics
    assert not np.array_equal(first, other)


def test_one_learner_for_many_trials_is_as_good_as_new() -> None:
    learner = start(residual(seed=5, batch_size=16))
    learner.epoch(0)
    learner.start(residual(), SmallImages())  # type: ignore[arg-type]
    assert [learner.epoch(0), learner.epoch(1)] == train(residual())[0]


def test_one_trace_whatever_the_batches() -> None:
    from trainables import keras_learner

    learner = keras_learner.create()
    learner.start(residual(batch_size=16), SmallImages(40))  # type: ignore[arg-type]
    learner.epoch(0)
    learner.epoch(1)
    assert learner._training is not None
    assert learner._training._step.experimental_get_tracing_count() == 1
    for size in (16, 7, 40):
        learner.predict(SmallImages(40).batches(size))
    assert learner._prediction is not None
    assert learner._prediction._forward.experimental_get_tracing_count() == 1


def test_a_partial_batch_changes_no_prediction() -> None:
    learner = start(residual())
    learner.epoch(0)
    images = SmallImages(40)
    whole = learner.predict(images.batches(16))  # 16, 16, 8
    padded = learner.predict(batch for batch in images.batches(16))
    np.testing.assert_array_equal(whole, padded)
    np.testing.assert_allclose(learner.predict(images.batches(40)), whole, atol=1e-6)
    assert learner.predict(iter(())).shape == (0, 3)


def test_saved_and_loaded_predicts_the_same(tmp_path: Path) -> None:
    learner = start(residual(dropout=0.2))
    learner.epoch(0)
    expected = learner.predict(SmallImages().batches(16))
    learner.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    from trainables import keras_learner

    other = keras_learner.create()
    facts = other.facts(tmp_path)
    other.load(tmp_path)
    np.testing.assert_array_equal(other.predict(SmallImages().batches(16)), expected)
    assert facts == learner.facts(tmp_path) == other.facts(tmp_path)
    assert facts.size_bytes == (tmp_path / "model.keras").stat().st_size
    assert facts.parameters > 4000
    assert "pickle" not in " ".join(zipfile.ZipFile(tmp_path / "model.keras").namelist())
    with pytest.raises(RuntimeError, match="before start"):
        other.epoch(0)


def test_facts_are_of_what_was_saved(tmp_path: Path) -> None:
    learner = start(residual())
    learner.save(tmp_path)
    small = learner.facts(tmp_path)
    learner.start(residual(filter_width=1), SmallImages())  # type: ignore[arg-type]
    assert learner.facts(tmp_path) == small


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "other"])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str) -> None:
    from trainables import keras_learner

    path = tmp_path / "model.keras"
    if damage == "truncated":
        start(residual()).save(tmp_path)
        path.write_bytes(path.read_bytes()[:-500])
    elif damage != "missing":
        path.write_bytes(b"" if damage == "empty" else b"<html>")
    with pytest.raises(ValueError, match="is no saved Keras model") as raised:
        keras_learner.create().load(tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_loss_that_is_not_finite_ends_the_trial_at_once(optimizer: str) -> None:
    steps = 0

    class Counted(SmallImages):
        def training_batches(self, *arguments: Any, **named: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            nonlocal steps
            for batch in super().training_batches(*arguments, **named):
                steps += 1
                yield batch

    learner = start(residual(optimizer=optimizer, learning_rate=1e38, batch_size=2), Counted(400))

    def go() -> None:
        for epoch in range(3):
            learner.epoch(epoch)
            learner.predict(SmallImages().batches(8))

    with pytest.raises(Infeasible, match="not finite") as raised:
        go()
    assert "\n" not in str(raised.value)
    assert steps <= 200


def test_out_of_memory_is_infeasible() -> None:
    import tensorflow as tf

    from trainables.compiled import out_of_memory_is_infeasible

    for error in (
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
        tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        MemoryError(),
    ):
        expected = pytest.raises(Infeasible, match="batch_size 32 at 224 px does not fit in memory")
        with expected, out_of_memory_is_infeasible("residual with batch_size 32 at 224 px"):
            raise error
    with pytest.raises(tf.errors.InternalError), out_of_memory_is_infeasible("x"):
        raise tf.errors.InternalError(None, None, "something else")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"learning_rate": -1.0}, "learning_rate is -1"),
        ({"optimizer": "adma"}, "did you mean adam"),
        ({"schedule": "cosin"}, "did you mean cosine"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"conv_blocks": 9}, "conv_blocks is 9"),
        ({"dropout": 1.0}, "dropout is 1"),
    ],
)
def test_impossible_configurations_are_infeasible(config: dict[str, Any], message: str) -> None:
    with pytest.raises(Infeasible, match=message) as raised:
        start(residual(**config))
    assert "\n" not in str(raised.value)


def test_an_unknown_model_is_fatal() -> None:
    with pytest.raises(Fatal, match="did you mean residual"):
        start(assign("residuals", CONFIG))
    with pytest.raises(Fatal, match="unknown model"):
        start(assign("head", CONFIG))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("polynomial_1", [1e-2, 8e-3, 6e-3]), ("per_iteration", [1e-2, 1e-2 / (1 + 0.002 * 5), 1e-2 / (1 + 0.002 * 10)])],
)
def test_schedules_reach_the_optimizer(schedule: str, expected: list[float]) -> None:
    from trainables import keras_learner

    learner = keras_learner.create()
    learner.start(residual(schedule=schedule), SmallImages())  # type: ignore[arg-type]
    reported = [learner.epoch(epoch)["learning_rate"] for epoch in range(3)]
    np.testing.assert_allclose(reported, expected)
    last = 1e-2 / (1 + 0.002 * 14) if schedule == "per_iteration" else 6e-3
    np.testing.assert_allclose(learner._optimizer.learning_rate.numpy(), last, rtol=1e-6)


def test_the_reported_loss_and_accuracy_are_those_of_the_steps() -> None:
    import keras

    from trainables import keras_learner

    learner = keras_learner.create()
    learner.start(residual(learning_rate=1e-30, optimizer="sgd", batch_size=40), SmallImages())  # type: ignore[arg-type]
    model = learner._model
    assert model is not None
    images, labels = next(SmallImages().training_batches(40, 1, 0))
    probabilities = model(images, training=True).numpy()
    metrics = learner.epoch(0)
    expected = float(np.mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities)))
    assert metrics["loss"] == pytest.approx(expected, rel=1e-5)
    assert metrics["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == labels).mean())


def test_fewer_images_than_a_batch() -> None:
    learner = start(residual(batch_size=64), SmallImages(9))
    assert np.isfinite(learner.epoch(0)["loss"])


def test_only_the_head_learns_when_all_is_frozen() -> None:
    from trainables import keras_learner

    config = {"backbone": "EfficientNetLite0", "frozen_fraction": 1.0, "learning_rate": 1e-2, "batch_size": 8}
    learner = keras_learner.create()
    learner.start(assign("fine_tuned", config, side=32), SmallImages(24, side=32))  # type: ignore[arg-type]
    assert learner._model is not None
    before = {variable.path: variable.numpy() for variable in learner._model.variables}
    learner.epoch(0)
    changed = {path for path, value in before.items() if not np.array_equal(value, _value(learner._model, path))}
    assert changed
    assert all(path.split("/")[0].startswith(("head_", "logits")) for path in changed), changed


def _value(model: Any, path: str) -> np.ndarray:
    return next(variable.numpy() for variable in model.variables if variable.path == path)  # type: ignore[no-any-return]


def test_memory_does_not_grow_with_every_model() -> None:
    def resident() -> float:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096 / 2**20

    from trainables import keras_learner

    learner = keras_learner.create()
    sizes = []
    for trial in range(12):
        learner.start(residual(seed=trial, filter_width=0.25 + 0.25 * (trial % 2)), SmallImages())  # type: ignore[arg-type]
        learner.epoch(0)
        learner.predict(SmallImages().batches(16))
        sizes.append(resident())
    assert sizes[-1] - sizes[5] < 30, sizes  # MiB over the last six: 5 a model at most


def test_mixed_precision_trains_and_leaves_no_trace() -> None:
    import dataclasses

    import keras

    mixed = dataclasses.replace(residual(), precision="mixed_bfloat16")
    learner = start(mixed)
    assert np.isfinite(learner.epoch(0)["loss"])
    assert learner.predict(SmallImages().batches(16)).dtype == np.float32
    start(residual())
    assert keras.config.dtype_policy().name == "float32"
