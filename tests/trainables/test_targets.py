"""What follows from asking for a box: overlap, loss, gradient, and a network that learns where something lies."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.trainables import BoxedImages, assign
from trainables.box_overlap import iou
from trainables.targets import KINDS, find
from tuning.plan.make_plan import METRICS

TRUE = np.array([[0.0, 0.0, 0.4, 0.5]])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0.0, 0.0, 0.4, 0.5), 1.0),
        ((0.2, 0.0, 0.6, 0.5), 1 / 3),  # 0.2 x 0.5 shared, 3 times that covered
        ((0.2, 0.25, 0.6, 0.75), 0.05 / 0.35),
        ((0.1, 0.1, 0.2, 0.2), 0.01 / 0.2),  # inside
        ((0.4, 0.0, 0.8, 0.5), 0.0),  # side by side
        ((0.6, 0.6, 0.9, 0.9), 0.0),
        ((0.4, 0.0, 0.0, 0.5), 0.0),  # its right edge lies left of its left edge
        ((0.4, 0.5, 0.0, 0.0), 0.0),  # both pairs of edges changed places: two negative sides are no area
    ],
)
def test_overlap_worked_by_hand(box: tuple[float, ...], expected: float) -> None:
    assert iou(np.array([box]), TRUE) == pytest.approx([expected])
    assert iou(TRUE, np.array([box])) == pytest.approx([expected])


def test_two_boxes_of_nothing_share_nothing() -> None:
    empty = np.array([[0.3, 0.3, 0.3, 0.3]])
    assert iou(empty, empty).tolist() == [0.0]


numbers = st.floats(-1, 2, width=32)
boxes = st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=8)


@given(boxes, st.data())
def test_overlap_is_a_share_and_goes_both_ways(some: list[tuple[float, ...]], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=len(some), max_size=len(some)))
    one, other = np.array(some), np.array(others)
    found = iou(one, other)
    assert ((found >= 0) & (found <= 1 + 1e-9)).all()
    np.testing.assert_allclose(found, iou(other, one), rtol=1e-12)


def test_numbers_worked_by_hand() -> None:
    predicted = np.array([[0.0, 0.0, 0.4, 0.5], [0.2, 0.0, 0.6, 0.5]], np.float32)
    result = find("box").evaluate(predicted, np.repeat(TRUE, 2, axis=0).astype(np.float32))
    assert result == {
        "loss": pytest.approx((0 + 2 * 0.2**2) / 8, rel=1e-5),
        "iou": pytest.approx((1 + 1 / 3) / 2, rel=1e-5),
        "iou_at_least_half": 0.5,
    }


@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3)), "must both be"),
        (np.zeros((0, 4)), np.zeros((0, 4)), "with N above 0"),
        (np.full((1, 4), np.nan), np.zeros((1, 4)), "are not finite"),
    ],
)
def test_what_cannot_be_is_one_line(predicted: np.ndarray, true: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find("box").evaluate(predicted, true)


def test_every_metric_that_may_decide_is_reported() -> None:
    """tuning/ names them without importing what computes them. Those of classes: tests/trainables/test_metrics.py."""
    assert set(METRICS["box"]) == {f"val_{name}" for name in find("box").evaluate(TRUE, TRUE)}
    assert set(METRICS) == set(KINDS)
    for target, kind in KINDS.items():
        assert METRICS[target][f"val_{kind.score}"] == "max"  # type: ignore[index]


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean box"):
        find("boxes")


def boxed(config: dict[str, Any], **fields: Any) -> Any:
    settings = {"backbone": "EfficientNetLite0", "head": "box", "batch_size": 8, "learning_rate": 1e-3}
    return assign("fine_tuned", settings | config, side=32, classes=1, target="box", **fields)


@pytest.mark.slow
def test_loss_score_and_gradient_are_kerass() -> None:
    """One batch of the deep-learning report's head against model.compile(loss="mse") in Keras, and against NumPy's
    overlap."""
    import keras
    import tensorflow as tf

    from trainables.learners.keras_network import create

    images = BoxedImages(8, side=32)
    learner = create()
    learner.start(boxed({"frozen_fraction": 1.0}), images, images)  # type: ignore[arg-type]
    network, gradients = learner.warm.network, learner.session.active.gradients
    ((pixels, targets),) = images.training_batches(8, 0, 0)
    with tf.GradientTape() as tape:
        outputs = network.model(pixels, training=False)
        loss = keras.losses.MeanSquaredError()(targets, outputs)
    expected = tape.gradient(loss, gradients.variables)  # type: ignore[union-attr]
    gradients.reset()  # type: ignore[union-attr]
    found = gradients([pixels], targets)  # type: ignore[misc]
    assert [tuple(one.shape) for one in found] == [
        (1280, 128),
        (128,),
        (128, 64),
        (64,),
        (64, 32),
        (32,),
        (32, 4),
        (4,),
    ]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)
    told, score = gradients.means(1)  # type: ignore[union-attr]
    assert told == pytest.approx(float(loss), rel=1e-5)
    assert score == pytest.approx(iou(np.asarray(outputs), targets).mean(), rel=1e-5)


@pytest.mark.slow
def test_a_network_learns_where_and_its_winner_says_so_without_this_code(tmp_path: Path) -> None:
    import keras

    from trainables.learners.keras_network import create

    train, val = BoxedImages(48, side=32), BoxedImages(16, side=32, seed=1, split="val")
    assignment = boxed({"frozen_fraction": 1.0}, features=tmp_path, features_bytes=10**9, arm_epochs=100)
    learner = create()
    prepared = learner.start(assignment, train, val)  # type: ignore[arg-type]
    assert prepared["features"]["kept"]
    seen = [learner.epoch(epoch) for epoch in range(12)]
    assert set(seen[0]) == {"loss", "iou", "learning_rate"}
    assert seen[-1]["loss"] < 0.5 * seen[0]["loss"]
    assert seen[-1]["iou"] > seen[0]["iou"]
    predicted = learner.predict(train.batches(32))
    assert predicted.shape == (48, 4)
    assert math.isclose(find("box").evaluate(predicted, train.targets)["loss"], seen[-1]["loss"], rel_tol=0.6)
    learner.save(tmp_path)
    learner.export(tmp_path)
    model = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model.predict(next(train.batches(48)), verbose=0), predicted, atol=1e-5)


def test_the_mean_box_is_the_best_that_does_not_look(tmp_path: Path) -> None:
    from trainables.learners.mean_box import create

    train, val = BoxedImages(40), BoxedImages(10, seed=1, split="val")
    assignment = assign("mean_box", {}, classes=1, target="box")
    learner = create()
    learner.start(assignment, train, val)  # type: ignore[arg-type]
    seen = learner.epoch(0)
    assert seen["loss"] == pytest.approx(train.targets.var(axis=0).mean(), rel=1e-5)  # no constant does better
    predicted = learner.validate()
    assert predicted.shape == (10, 4)
    np.testing.assert_allclose(predicted[3], train.targets.mean(axis=0), rtol=1e-6)
    learner.save(tmp_path)
    again = create()
    again.load(tmp_path, assignment, train)  # type: ignore[arg-type]
    np.testing.assert_array_equal(again.predict(val.batches(4)), predicted)


@pytest.mark.slow
def test_a_network_that_names_classes_cannot_say_where() -> None:
    from trainables.learner import Infeasible
    from trainables.learners.keras_network import create

    images = BoxedImages(8, side=32)
    with pytest.raises(Infeasible, match=r"256 numbers, .*4: .*head box"):
        create().start(boxed({"head": "linear", "outputs": 256}), images, images)  # type: ignore[arg-type]
