from __future__ import annotations

import dataclasses
import gc
import itertools
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, Store, assign
from trainables import devices
from trainables.learner import Fatal, Infeasible, Learner
from trainables.phase_timer import PhaseTimer
from trainables.trial_spec import TrainingSpec

pytestmark = pytest.mark.slow  # imports TensorFlow

CONFIG = {"learning_rate": 1e-2, "optimizer": "adam", "conv_blocks": 1, "filter_width": 0.25, "batch_size": 8}
STATISTICS: dict[str, Any] = {"channel_mean": Store.channel_mean, "channel_std": Store.channel_std}


def residual(seed: int = 1, classes: int = 3, **config: Any) -> TrainingSpec:
    return assign("residual", {**CONFIG, **config}, seed=seed, classes=classes)


def start(assignment: TrainingSpec, images: Any = None, val: Any = None) -> Learner:
    from trainables.learners import keras_network

    learner: Learner = keras_network.create()
    learner.start(assignment, images or SmallImages(), val or images or SmallImages())
    return learner


def train(assignment: TrainingSpec, epochs: int = 2) -> tuple[list[dict[str, float]], np.ndarray]:
    learner = start(assignment)
    return [learner.epoch(epoch) for epoch in range(epochs)], learner.predict(SmallImages().batches(16))


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the workbench traced each kind of graph; every network is forgotten before."""
    from trainables.training import model_cache

    model_cache.MODEL_CACHE.drop_others(keep=None)
    counts: Counter[str] = Counter()

    def counted(kind: str) -> Any:
        made = getattr(model_cache, kind)

        def make(*arguments: Any, **named: Any) -> Any:
            counts[kind] += 1
            return made(*arguments, **named)

        return make

    for kind in ("CachedModel", "GradientStep", "OptimizerStep", "PredictStep"):
        monkeypatch.setattr(model_cache, kind, counted(kind))
    return counts


ONE_OF_EACH = {"CachedModel": 1, "GradientStep": 1, "OptimizerStep": 1, "PredictStep": 1}


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
    learner = start(residual(seed=5, batch_size=16, conv_blocks=2))
    learner.epoch(0)
    learner.start(residual(), SmallImages(), SmallImages())  # type: ignore[arg-type]
    metrics, probabilities = [learner.epoch(0), learner.epoch(1)], learner.predict(SmallImages().batches(16))
    expected_metrics, expected = train(residual())
    assert metrics == expected_metrics
    np.testing.assert_array_equal(probabilities, expected)


def test_a_learner_that_has_predicted_predicts_with_its_next_model() -> None:
    learner = start(residual())
    before = learner.predict(SmallImages().batches(16))
    learner.start(residual(conv_blocks=2), SmallImages(), SmallImages())  # type: ignore[arg-type]
    after = learner.predict(SmallImages().batches(16))
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, start(residual(conv_blocks=2)).predict(SmallImages().batches(16)))


def test_one_trace_whatever_the_batches(traced: Counter[str]) -> None:
    learner = start(residual(batch_size=16), SmallImages(40), SmallImages(37, split="val"))
    for epoch in range(2):
        learner.epoch(epoch)
        assert learner.validate().shape == (37, 3)
    assert traced == ONE_OF_EACH


def test_trials_that_differ_in_numbers_share_every_graph(traced: Counter[str]) -> None:
    for seed, number in enumerate((1e-2, 1e-3, 2e-4)):
        config = {"optimizer": "sgd", "learning_rate": number, "momentum": 0.8 + number, "dropout": 10 * number}
        learner = start(residual(seed=seed, **config))
        learner.epoch(0)
        learner.validate()
    assert traced == ONE_OF_EACH


def test_another_optimizer_shares_the_gradients_and_another_width_nothing(traced: Counter[str]) -> None:
    for optimizer in ("adam", "rmsprop", "adam"):
        start(residual(optimizer=optimizer)).epoch(0)
    assert traced == ONE_OF_EACH | {"OptimizerStep": 2}
    start(residual(filter_width=0.5)).epoch(0)
    assert traced == {"CachedModel": 2, "GradientStep": 2, "OptimizerStep": 3, "PredictStep": 2}


def test_validates_on_the_validation_images() -> None:
    val = SmallImages(21, seed=4, split="val")
    learner = start(residual(dropout=0.3), SmallImages(), val)
    learner.epoch(0)
    first = learner.validate()
    np.testing.assert_array_equal(first, learner.predict(val.batches(32)))
    np.testing.assert_array_equal(first, learner.validate())
    learner.epoch(1)
    assert not np.array_equal(first, learner.validate())


def test_validation_does_not_follow_from_what_was_predicted_before() -> None:
    """Fewer validation images than a batch, in a new process and in one that has met more images at once."""
    from trainables.training.model_cache import MODEL_CACHE

    found = []
    for predicted_before in (False, True):
        MODEL_CACHE.drop_others(keep=None)
        if predicted_before:
            start(residual(filter_width=1)).predict(SmallImages().batches(32))
        learner = start(residual(filter_width=1), SmallImages(), SmallImages(3, seed=4, split="val"))
        learner.epoch(0)
        found.append(learner.validate())
    np.testing.assert_array_equal(*found)


def test_seconds_are_booked_by_phase() -> None:
    from trainables.learners import keras_network
    from trainables.training import model_cache

    model_cache.MODEL_CACHE.drop_others(keep=None)
    seconds = []
    for _ in range(2):
        watch = PhaseTimer()
        learner = keras_network.create(watch=watch)
        start_time = time.perf_counter()
        learner.start(residual(), SmallImages(), SmallImages())  # type: ignore[arg-type]
        learner.epoch(0)
        elapsed = time.perf_counter() - start_time
        seconds.append(watch.take())
        assert set(seconds[-1]) == {"build", "reset", "features", "trace", "train"}
        assert 0.9 * elapsed < sum(seconds[-1].values()) <= elapsed + 1e-3
    cold, warm = seconds
    assert warm["build"] + warm["trace"] < (cold["build"] + cold["trace"]) / 5


def test_a_partial_batch_changes_no_prediction() -> None:
    learner = start(residual())
    learner.epoch(0)
    images = SmallImages(40)
    whole = learner.predict(images.batches(16))  # 16, 16, 8
    for size in (16, 7, 40):
        np.testing.assert_allclose(learner.predict(images.batches(size)), whole, atol=1e-6)
    assert learner.predict(iter(())).shape == (0, 3)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_saved_loaded_and_exported_predicts_the_same(tmp_path: Path, dropout: float) -> None:
    import keras

    from trainables.learners import keras_network

    assignment, images = residual(dropout=dropout), SmallImages()
    learner = start(assignment)
    learner.epoch(0)
    expected = learner.predict(images.batches(16))
    learner.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["variables.npz"]
    start(residual(seed=3, dropout=0.4)).epoch(0)  # the same warm network, trained by somebody else meanwhile

    other = keras_network.create()
    other.load(tmp_path, assignment, images)  # type: ignore[arg-type]
    np.testing.assert_array_equal(other.predict(images.batches(16)), expected)
    for use in (lambda: other.epoch(0), other.validate):
        with pytest.raises(RuntimeError, match="before start"):
            use()
    facts = other.export(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert facts.size_bytes == (tmp_path / "model.keras").stat().st_size
    assert facts.parameters > 4000
    assert "pickle" not in " ".join(zipfile.ZipFile(tmp_path / "model.keras").namelist())
    saved = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(saved.predict(next(images.batches(40)), verbose=0), expected, atol=1e-6)
    rates = {layer.rate for layer in saved.layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == {dropout}  # who trains on with it goes on as the configuration says


def test_a_loaded_model_leaves_no_trace_in_the_next_trial(tmp_path: Path) -> None:
    expected, _ = train(residual())
    learner = start(residual(seed=4))
    learner.epoch(0)
    learner.save(tmp_path)
    learner.load(tmp_path, residual(seed=4), SmallImages())  # type: ignore[arg-type]
    again, _ = train(residual())
    assert again == expected


def test_what_another_structure_saved_is_refused(tmp_path: Path) -> None:
    learner = start(residual())
    learner.save(tmp_path)
    with pytest.raises(ValueError, match="holds another model"):
        learner.load(tmp_path, residual(filter_width=1), SmallImages())  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "other"])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str) -> None:
    from trainables.learners import keras_network

    path = tmp_path / "variables.npz"
    if damage == "truncated":
        start(residual()).save(tmp_path)
        path.write_bytes(path.read_bytes()[:-500])
    elif damage != "missing":
        path.write_bytes(b"" if damage == "empty" else b"<html>")
    with pytest.raises(ValueError, match="is no saved Keras model") as raised:
        keras_network.create().load(tmp_path, residual(), SmallImages())  # type: ignore[arg-type]
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
            learner.validate()

    with pytest.raises(Infeasible, match="not finite") as raised:
        go()
    assert "\n" not in str(raised.value)
    assert steps <= 200


def test_out_of_memory_is_infeasible() -> None:
    import tensorflow as tf

    from trainables.training.train_step import raise_oom_as_infeasible

    for error in (
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
        tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        MemoryError(),
    ):
        expected = pytest.raises(Infeasible, match=r"batch_size 32 at 224 px .*memory")
        with expected, raise_oom_as_infeasible("residual with batch_size 32 at 224 px"):
            raise error
    with pytest.raises(tf.errors.InternalError), raise_oom_as_infeasible("x"):
        raise tf.errors.InternalError(None, None, "something else")


def out_of_memory_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training step with that number (from 0) does not fit, once."""
    import tensorflow as tf

    from trainables.training.train_step import GradientStep

    run, steps = GradientStep.__call__, itertools.count()

    def failing(self: GradientStep, *arguments: Any) -> Any:
        if next(steps) == step:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        return run(self, *arguments)

    monkeypatch.setattr(GradientStep, "__call__", failing)


def test_what_does_not_fit_beside_other_networks_begins_again_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    expected_metrics, expected = train(residual())
    MODEL_CACHE.get(residual(conv_blocks=2), STATISTICS)
    out_of_memory_at(3, monkeypatch)  # of five in the first epoch
    metrics, probabilities = train(residual())
    assert metrics == expected_metrics
    np.testing.assert_array_equal(probabilities, expected)
    assert not MODEL_CACHE.drop_others(keep=MODEL_CACHE.get(residual(), STATISTICS))


def test_what_does_not_fit_beside_what_earlier_trials_left_in_its_network_begins_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    expected_metrics, expected = train(residual())
    MODEL_CACHE.drop_others(keep=None)
    train(residual(optimizer="rmsprop"))  # its optimizer's memory stays, until room is needed
    out_of_memory_at(3, monkeypatch)
    metrics, probabilities = train(residual())
    assert metrics == expected_metrics
    np.testing.assert_array_equal(probabilities, expected)


@pytest.mark.parametrize("use", ["validate", "load"])
def test_what_is_asked_beside_other_networks_is_asked_again_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    """Training goes on from where it was, and a model for the test split is not lost."""
    import tensorflow as tf

    from trainables.models.families import small_resnet as family
    from trainables.training import train_step
    from trainables.training.model_cache import MODEL_CACHE

    def no_memory_once(owner: Any, name: str) -> None:
        def failing(*arguments: Any, **named: Any) -> Any:
            monkeypatch.undo()
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

        monkeypatch.setattr(owner, name, failing)

    learner = start(residual())
    learner.epoch(0)
    expected = learner.validate()
    next_epoch = learner.epoch(1)
    learner = start(residual())
    learner.epoch(0)
    if use == "validate":
        MODEL_CACHE.get(residual(conv_blocks=2), STATISTICS)
        no_memory_once(train_step, "padded")
        np.testing.assert_array_equal(learner.validate(), expected)
        assert learner.epoch(1) == next_epoch
    else:
        learner.save(tmp_path)
        MODEL_CACHE.drop_others(keep=None)
        MODEL_CACHE.get(residual(conv_blocks=2), STATISTICS)
        no_memory_once(family, "build")
        learner.load(tmp_path, residual(), SmallImages())  # type: ignore[arg-type]
        np.testing.assert_array_equal(learner.predict(SmallImages().batches(32)), expected)
    assert not MODEL_CACHE.drop_others(keep=MODEL_CACHE.get(residual(), STATISTICS))


@pytest.mark.parametrize(("others", "step"), [(False, 3), (True, 7)], ids=["no others", "second epoch"])
def test_what_does_not_fit_at_all_is_infeasible(monkeypatch: pytest.MonkeyPatch, others: bool, step: int) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    MODEL_CACHE.drop_others(keep=None)
    if others:
        MODEL_CACHE.get(residual(conv_blocks=2), STATISTICS)
    out_of_memory_at(step, monkeypatch)
    with pytest.raises(Infeasible, match=r"residual .*batch_size 8 at 16 px .*memory"):
        train(residual())


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
    [
        ("polynomial_decay_1", [1e-2, 8e-3, 6e-3]),
        ("inverse_time_decay", [1e-2, 1e-2 / (1 + 0.002 * 5), 1e-2 / (1 + 0.002 * 10)]),
    ],
)
def test_schedules_reach_the_optimizer(schedule: str, expected: list[float]) -> None:
    from trainables.learners import keras_network

    learner = keras_network.create()
    learner.start(residual(schedule=schedule), SmallImages(), SmallImages())  # type: ignore[arg-type]
    reported = [learner.epoch(epoch)["learning_rate"] for epoch in range(3)]
    np.testing.assert_allclose(reported, expected)
    last = 1e-2 / (1 + 0.002 * 14) if schedule == "inverse_time_decay" else 6e-3
    np.testing.assert_allclose(learner.session.active.update.optimizer.learning_rate.numpy(), last, rtol=1e-6)


def test_the_reported_loss_and_accuracy_are_those_of_the_steps() -> None:
    import keras

    learner: Any = start(residual(learning_rate=1e-30, optimizer="sgd", batch_size=40))
    model = learner.warm.network.model
    images, labels = next(SmallImages().training_batches(40, 1, 0))
    probabilities = model(images, training=True).numpy()
    metrics = learner.epoch(0)
    expected = float(np.mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities)))
    assert metrics["loss"] == pytest.approx(expected, rel=1e-5)
    assert metrics["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == labels).mean())


def test_fewer_images_than_a_batch() -> None:
    learner = start(residual(batch_size=64), SmallImages(9))
    assert np.isfinite(learner.epoch(0)["loss"])


def fine_tuned(**config: Any) -> TrainingSpec:
    known = {"backbone": "EfficientNetLite0", "learning_rate": 1e-2, "batch_size": 8}
    return assign("fine_tuned", known | config, side=32)


@pytest.mark.parametrize("fraction", [1.0, 0.6])
def test_what_is_frozen_stays_and_all_else_learns(fraction: float) -> None:
    from trainables.learners import keras_network

    learner = keras_network.create()
    images: Any = SmallImages(24, side=32)
    said = learner.start(fine_tuned(frozen_fraction=fraction, optimizer="adamw", weight_decay=0.1), images, images)
    model = learner.warm.network.model
    assert model is not None
    before = {layer.name: [variable.numpy() for variable in layer.variables] for layer in model.layers}
    learner.epoch(0)
    changed = {
        layer.name
        for layer in model.layers
        for variable, value in zip(layer.variables, before[layer.name], strict=True)
        if not np.array_equal(variable.numpy(), value)
    }
    head = {"head_dense", "head_normalization", "logits"}
    if fraction == 1.0:
        assert said == {"frozen_layers": 151, "backbone_layers": 151, "frozen_blocks": 18}
        assert changed == head
    else:
        # int(151 * 0.6) = 90: the 92 layers up to block 9 lie nearer than the 82 up to block 8.
        assert said == {"frozen_layers": 92, "backbone_layers": 151, "frozen_blocks": 11}
        later = ("block10_", "block11_", "block12_", "block13_", "block14_", "block15_", "top_")
        assert changed == head | {
            layer.name for layer in model.layers if layer.name.startswith(later) and layer.variables
        }


@pytest.mark.parametrize(
    "memory_bytes", [10**12, pytest.param(1, marks=pytest.mark.nightly)], ids=["kept warm", "dropped"]
)
def test_memory_does_not_grow_with_every_trial(memory_bytes: int) -> None:
    """Whether the networks of two structures stay warm, or make room for each other."""

    def resident() -> float:
        gc.collect()
        devices.give_memory_back()
        return devices.resident_bytes() / 2**20

    sizes = []
    for trial in range(8):
        config = {"filter_width": 0.25 + 0.25 * (trial % 2), "learning_rate": 1e-2 / (trial + 1), "dropout": 0.1}
        assignment = dataclasses.replace(residual(seed=trial, **config), memory_bytes=memory_bytes)
        learner = start(assignment)
        learner.epoch(0)
        learner.validate()
        sizes.append(resident())
    assert sizes[-1] - sizes[3] < 20, sizes  # MiB over the last four: 5 a trial at most


def test_mixed_precision_trains_and_leaves_no_trace() -> None:
    import keras

    from trainables.training.model_cache import MODEL_CACHE

    def float32() -> tuple[list[dict[str, float]], np.ndarray]:
        return train(residual(), epochs=1)

    try:
        expected_metrics, expected = float32()
        MODEL_CACHE.get(residual(), STATISTICS).drop_graphs()  # the network stays; it is traced again after the other
        learner = start(dataclasses.replace(residual(), precision="mixed_bfloat16"))
        assert np.isfinite(learner.epoch(0)["loss"])
        assert learner.validate().dtype == np.float32
        assert learner.predict(SmallImages().batches(16)).dtype == np.float32
        metrics, probabilities = float32()
    finally:
        keras.config.set_dtype_policy("float32")
    assert metrics == expected_metrics
    np.testing.assert_array_equal(probabilities, expected)
