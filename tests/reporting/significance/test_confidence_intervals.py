"""Intervals of a proportion: textbook values, and what they become with several seeds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.significance.confidence_intervals import mean_accuracy_interval, wilson
from reporting.significance.expected_best import expected_best, shown
from search_spaces.objective import LOSS


@pytest.mark.parametrize(
    ("successes", "number", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_textbooks(successes: int, number: int, low: float, high: float) -> None:
    assert wilson(successes / number, number) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_all_right_is_no_certainty() -> None:
    low, high = mean_accuracy_interval(np.ones((3, 100), bool))

    assert (low, high) == (pytest.approx(1 - 0.0370, abs=1e-4), 1.0)  # 1.96^2 / (100 + 1.96^2)


def test_one_seed_is_wilsons_interval_and_seeds_that_agree_add_nothing() -> None:
    one = np.random.default_rng(0).random((1, 200)) < 0.8

    assert mean_accuracy_interval(one) == pytest.approx(wilson(float(one.mean()), 200))
    assert mean_accuracy_interval(np.repeat(one, 3, axis=0)) == pytest.approx(wilson(float(one.mean()), 200))


@given(st.integers(1, 5), st.integers(1, 60), st.integers(0, 10_000))
def test_the_interval_holds_the_mean_and_more_seeds_never_widen_it(seeds: int, images: int, number: int) -> None:
    correct = np.random.default_rng(number).random((seeds, images)) < 0.7
    low, high = mean_accuracy_interval(correct)
    mean = float(correct.mean())

    assert 0 <= low <= mean <= high <= 1
    widest, narrowest = wilson(mean, images), wilson(mean, images * seeds)
    assert widest[0] - 1e-9 <= low <= narrowest[0] + 1e-9
    assert narrowest[1] - 1e-9 <= high <= widest[1] + 1e-9


def test_it_covers_as_often_as_it_says() -> None:
    """Images of unequal difficulty, three seeds: about 95 % of 400 intervals hold the truth."""
    rng = np.random.default_rng(1)

    def right(images: int, seeds: int) -> np.ndarray:
        difficulty = rng.normal(0, 2, images)
        return rng.random((seeds, images)) < 1 / (1 + np.exp(-1 - difficulty))

    truth = float(right(2_000_000, 1).mean())
    covered = 0
    for _ in range(400):
        low, high = mean_accuracy_interval(right(150, 3))
        covered += low <= truth <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_the_expected_best_is_what_drawing_gives() -> None:
    values = [0.1, 0.5, 0.9]

    assert expected_best(values, 1) == pytest.approx(0.5)
    # Two draws of three: 0.9 with 5/9, 0.5 with 3/9, 0.1 with 1/9.
    assert expected_best(values, 2) == pytest.approx((5 * 0.9 + 3 * 0.5 + 0.1) / 9)
    assert expected_best(values, 2, LOSS) == pytest.approx((5 * 0.1 + 3 * 0.5 + 0.9) / 9)
    draws = np.random.default_rng(0).choice(values, (200_000, 4)).max(axis=1).mean()
    assert expected_best(values, 4) == pytest.approx(draws, abs=2e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_expected_best_rises_from_the_mean_towards_the_best(values: list[float]) -> None:
    curve = [expected_best(values, draws) for draws in range(1, len(values) + 1)]

    assert curve[0] == pytest.approx(sum(values) / len(values))
    assert all(before <= after + 1e-12 for before, after in pairwise(curve))
    assert curve[-1] <= max(values) + 1e-12


def test_the_n_that_are_told() -> None:
    assert shown(0) == []
    assert shown(6) == [1, 2, 5, 6]
    assert shown(20) == [1, 2, 5, 10, 20]
