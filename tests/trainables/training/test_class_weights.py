"""Weights of classes by hand, and what they do to training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainables.training.class_weights import class_weights


def test_balanced_weights_by_hand() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [2] * 1)
    # 10 / (3 x 6), 10 / (3 x 3), 10 / (3 x 1)
    np.testing.assert_allclose(class_weights("balanced", labels, 3), [10 / 18, 10 / 9, 10 / 3], rtol=1e-6)


def test_every_class_weighs_the_same_and_the_mean_over_images_is_1() -> None:
    labels = np.random.default_rng(0).choice(5, 1000, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    weights = class_weights("balanced", labels, 5)
    sums = np.bincount(labels, weights=weights[labels])
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
    assert weights[labels].mean() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(("counts", "even"), [((30, 20), True), ((31, 20), False), ((20, 20), True)])
def test_auto_weighs_from_one_and_a_half_times_on(counts: tuple[int, int], even: bool) -> None:
    labels = np.repeat([0, 1], counts)
    assert (class_weights("auto", labels, 2) == 1).all() == even


def test_a_class_without_images_weighs_1() -> None:
    assert class_weights("balanced", np.array([0, 0, 0, 2]), 4)[[1, 3]].tolist() == [1, 1]


def test_none_and_unknown() -> None:
    assert class_weights("none", np.array([0, 0, 0, 1]), 2).tolist() == [1, 1]
    with pytest.raises(ValueError, match="class_weights is 'even', but must be one of none, balanced, auto"):
        class_weights("even", np.array([0, 1]), 2)


@pytest.mark.slow
def test_the_gradient_is_that_of_the_weighted_loss_and_what_is_told_is_not_weighted() -> None:
    """A gradient is linear in the weights: that of (1, 1) is the mean of those of (2, 0) and (0, 2)."""
    from tests.fixtures.trainables import SmallImages, assign
    from trainables.training.model_cache import ModelCache

    images: Any = SmallImages(8, 16, classes=2)
    config = {"conv_blocks": 1, "filter_width": 0.25}
    statistics = {"channel_mean": (120.0, 115.0, 110.0), "channel_std": (60.0, 61.0, 62.0)}
    warm = ModelCache().get(assign("residual", config, side=16, classes=2), statistics)
    (batch,) = images.batches(8)

    def look(*weights: float) -> tuple[list[np.ndarray], tuple[float, float]]:
        warm.reset(1, 0.0, 0, np.array(weights, np.float32))
        step = warm.gradients(0, 8, from_images=True, dropout=False)
        step.reset()
        gradients = [np.array(gradient) for gradient in step([batch], images.labels)]
        return gradients, step.means(1)

    (both, told), (first, of_first), (second, of_second) = look(1, 1), look(2, 0), look(0, 2)
    for whole, one, other in zip(both, first, second, strict=True):
        np.testing.assert_allclose(whole, (one + other) / 2, rtol=1e-3, atol=1e-5)
    assert any(not np.allclose(one, other, atol=1e-3) for one, other in zip(first, second, strict=True))
    assert told == pytest.approx(of_first, rel=1e-5)
    assert told == pytest.approx(of_second, rel=1e-5)


@pytest.mark.slow
def test_a_step_with_balanced_weights_is_one_in_which_rare_images_come_as_often_as_others() -> None:
    """30 images of one class and 10 of another, weighted, step as far as with each of the 10 three times over."""
    from tests.fixtures.trainables import SmallImages, assign
    from trainables.learners import keras_network

    def learned(mode: str, copies: int) -> tuple[dict[str, Any], np.ndarray]:
        images: Any = SmallImages(40, classes=2)
        order = np.concatenate([np.arange(30), np.repeat(np.arange(30, 40), copies)])
        images.pixels, images.labels = images.pixels[order], (order >= 30).astype(np.int64)
        images.targets = images.labels
        config = {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": len(order), "class_weights": mode}
        learner = keras_network.create()
        prepared = learner.start(assign("plain_cnn", config, classes=2), images, images)
        learner.epoch(0)  # one step
        return prepared, learner.predict(SmallImages(8, classes=2, seed=5).batches(8))

    prepared, weighted = learned("balanced", 1)
    plain, repeated = learned("none", 3)
    _, unweighted = learned("none", 1)
    assert prepared["class_weights"] == [round(40 / (2 * 30), 4), 2.0]
    assert "class_weights" not in plain
    np.testing.assert_allclose(weighted, repeated, atol=1e-4)
    assert np.abs(weighted - unweighted).max() > 1e-2
