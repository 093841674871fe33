"""A network measured as it comes: every number is that of its authors' weights, and nothing changes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, Store, assign
from trainables.classification_metrics import evaluate
from trainables.learner import Infeasible, OutOfMemory
from trainables.trial_spec import TrainingSpec

pytestmark = pytest.mark.slow  # imports TensorFlow

SIDE = 32
STATISTICS: dict[str, Any] = {"channel_mean": Store.channel_mean, "channel_std": Store.channel_std}


def as_is(seed: int = 1, **config: Any) -> TrainingSpec:
    return assign("as_is", {"backbone": "EfficientNetLite0", **config}, seed=seed, side=SIDE)


def images(count: int = 40, seed: int = 0) -> Any:
    return SmallImages(count, SIDE, seed=seed)


def started(assignment: TrainingSpec | None = None) -> Any:
    from trainables.learners import pretrained

    learner = pretrained.create()
    assert learner.start(assignment or as_is(), images(), images(21, seed=4)) == {}
    return learner


def another_network() -> None:
    """Something that an earlier trial left in this process."""
    from trainables.training.model_cache import MODEL_CACHE

    MODEL_CACHE.get(assign("residual", {"conv_blocks": 1, "filter_width": 0.25}, side=16), STATISTICS)


def test_an_epoch_looks_at_every_image_and_changes_nothing() -> None:
    import keras

    from trainables.models.backbones import efficientnet_lite

    learner = started()
    first = learner.epoch(0)
    validated = learner.validate(0)

    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    authors = keras.Model(pixels, efficientnet_lite.build(pixels, classes=1000).output)
    efficientnet_lite.load_imagenet(authors)
    expected = np.asarray(authors(next(images().batches(40))))
    assert validated.shape == (21, 1000)
    np.testing.assert_allclose(learner.predict(images().batches(16)), expected, rtol=1e-3, atol=1e-6)
    seen = evaluate(expected, images().labels)
    assert first == {"loss": pytest.approx(seen["loss"], rel=1e-4), "accuracy": seen["accuracy"]}

    assert learner.epoch(1) == first
    np.testing.assert_array_equal(learner.validate(1), validated)
    np.testing.assert_array_equal(started(as_is(seed=9)).validate(), validated)  # no seed draws anything


def test_saved_loaded_and_exported_predicts_the_same(tmp_path: Path) -> None:
    import keras

    from trainables.learners import pretrained

    learner = started()
    expected = learner.predict(images().batches(16))
    learner.save(tmp_path)
    other = pretrained.create()
    other.load(tmp_path, as_is(), images())
    np.testing.assert_array_equal(other.predict(images().batches(16)), expected)
    other.export(tmp_path)
    saved = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(saved.predict(next(images().batches(40)), verbose=0), expected, atol=1e-6)


@pytest.fixture(params=["build", "epoch"])
def no_memory_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once it is called, the next build or the next batch does not fit."""
    import tensorflow as tf

    from trainables.models.families import pretrained_classifier as family
    from trainables.training import train_step

    owner, name = (family, "build") if request.param == "build" else (train_step, "padded")

    def failing(*arguments: Any, **named: Any) -> Any:
        monkeypatch.undo()
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    return lambda: monkeypatch.setattr(owner, name, failing)


def test_what_does_not_fit_beside_other_networks_begins_again_without_them(no_memory_once: Callable[[], None]) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    expected = started().epoch(0)
    MODEL_CACHE.drop_others(keep=None)
    another_network()
    no_memory_once()
    assert started().epoch(0) == expected
    assert not MODEL_CACHE.drop_others(keep=MODEL_CACHE.get(as_is(), STATISTICS))


def test_what_does_not_fit_at_all_is_infeasible_and_advises_no_batch_size(no_memory_once: Callable[[], None]) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    MODEL_CACHE.drop_others(keep=None)
    no_memory_once()
    with pytest.raises(OutOfMemory) as raised:
        started().epoch(0)
    assert "gpus_per_trial" in str(raised.value)
    assert "batch_size" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_cannot_be_built_is_infeasible() -> None:
    with pytest.raises(Infeasible, match="image size is 8, but EfficientNetLite0 needs at least"):
        started(as_is(zoom=8))
