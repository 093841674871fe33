from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support, top_k_accuracy_score

from trainables import classification_metrics as metrics
from trainables.classification_metrics import evaluate
from tuning.plan.make_plan import METRICS


def test_worked_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.0, 0.0, 1.0]], np.float32)
    result = evaluate(probabilities, np.array([0, 1, 1, 2]))
    assert result["loss"] == pytest.approx(-(np.log(0.7) + np.log(0.8) + np.log(0.3) + np.log(1 - 1e-7)) / 4, rel=1e-6)
    assert result["accuracy"] == 0.75
    assert result["balanced_accuracy"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert result["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert "top5_accuracy" not in result


def test_averages_worked_by_hand() -> None:
    """Class 0 is predicted three times, twice rightly; class 2 never; class 3 is neither true nor predicted."""
    predicted, labels = [0, 0, 0, 1], np.array([0, 0, 1, 2])
    result = evaluate(np.eye(4)[predicted], labels)
    assert result["macro_precision"] == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert result["macro_recall"] == pytest.approx((1 + 0 + 0) / 3)
    assert result["macro_f1"] == pytest.approx((2 * 2 / 5 + 0 + 0) / 3)
    assert result["weighted_precision"] == pytest.approx(2 / 4 * 2 / 3)
    assert result["weighted_recall"] == result["accuracy"] == 0.5
    assert result["weighted_f1"] == pytest.approx(2 / 4 * 4 / 5)


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_averages_agree_with_scikit_learn(classes: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, predicted = random.integers(0, classes, (2, count))
    result = evaluate(np.eye(classes)[predicted], labels)
    for average in ("macro", "weighted"):
        expected = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0.0)
        measured = [result[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        assert measured == pytest.approx(expected[:3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes predicted but not true
        assert result["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, predicted))


def test_every_score_can_decide_a_study() -> None:
    reported = evaluate(np.full((2, 6), 1 / 6), np.array([0, 1]))
    assert {f"val_{name}" for name in reported} == set(METRICS["class"])
    assert {name for name, direction in METRICS["class"].items() if direction == "min"} == {"val_loss"}


def test_a_certain_mistake_costs_as_much_as_in_keras() -> None:
    assert evaluate(np.array([[1.0, 0.0]]), np.array([1]))["loss"] == pytest.approx(-np.log(1e-7))


@given(st.integers(6, 12), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_top5_agrees_with_scikit_learn(classes: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(classes), count)
    labels = random.integers(0, classes, count)
    expected = top_k_accuracy_score(labels, probabilities, k=5, labels=np.arange(classes))
    assert evaluate(probabilities, labels)["top5_accuracy"] == pytest.approx(expected)


def test_equal_probabilities_are_no_hit_for_every_class() -> None:
    result = evaluate(np.full((10, 10), 0.1), np.arange(10))
    assert result["accuracy"] == 0.1
    assert result["top5_accuracy"] == 0.5


@given(
    classes=st.integers(6, 12),
    count=st.integers(1, 40),
    values=st.integers(1, 8),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_counted_ranks_are_those_of_a_stable_sort(
    classes: int, count: int, values: int, dtype: type[np.floating], seed: int
) -> None:
    """Few different values, so that many tie; more rows than are ranked at a time."""
    random = np.random.default_rng(seed)
    probabilities = (random.integers(0, values, (count, classes)) / values).astype(dtype)
    labels = random.integers(0, classes, count)
    best_five = np.argsort(-probabilities.astype(np.float64), axis=1, kind="stable")[:, :5]
    expected = float((best_five == labels[:, None]).any(axis=1).mean())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "ROWS", 7)
        assert evaluate(probabilities, labels)["top5_accuracy"] == expected


def test_no_copy_of_all_probabilities_is_made() -> None:
    """Of 87,000 images in 1000 classes, each copy in float64 would be 0.7 GB."""
    probabilities = np.random.default_rng(0).random((20_000, 200), np.float32)
    labels = np.arange(20_000) % 200
    tracemalloc.start()
    try:
        evaluate(probabilities, labels)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < probabilities.nbytes


@pytest.mark.filterwarnings("error")
def test_a_class_predicted_but_never_true_is_no_warning() -> None:
    evaluate(np.array([[0.1, 0.9], [0.9, 0.1]]), np.array([0, 0]))
    evaluate(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 0]))


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.ones((2, 3)), np.zeros(3, int), "must be \\[N, C\\] and \\[N\\]"),
        (np.ones((0, 3)), np.zeros(0, int), "N above 0"),
        (np.ones((1, 3)), np.array([3]), "must lie in 0..2"),
        (np.full((1, 3), np.nan), np.array([0]), "not finite"),
    ],
)
def test_impossible_input_is_one_line(probabilities: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        evaluate(probabilities, labels)
    assert "\n" not in str(raised.value)
