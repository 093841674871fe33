"""Tests between arms on the same images: textbook values, error rates, edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from reporting.significance.confidence_intervals import wilson
from reporting.significance.paired_tests import CROSSED, MCNEMAR, compare, holm, mcnemar, newcombe


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_a_fair_coins_test(alone: int, other: int) -> None:
    expected = binomtest(alone, alone + other, 0.5).pvalue if alone + other else 1.0

    assert mcnemar(alone, other) == pytest.approx(expected)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_exact(alone: int, other: int) -> None:
    number = alone + other
    tail = sum(math.comb(number, successes) for successes in range(min(alone, other) + 1))

    assert mcnemar(alone, other) == pytest.approx(min(1.0, 2 * tail / 2**number), rel=1e-10, abs=1e-12)


def test_mcnemar_bears_a_large_test_split() -> None:
    assert mcnemar(6000, 6000) == 1.0
    assert mcnemar(6300, 5700) == pytest.approx(binomtest(6300, 12_000, 0.5).pvalue)


def test_newcombes_interval_is_the_papers() -> None:
    """Newcombe (1998, "Improved confidence intervals for the difference between binomial proportions based on paired
    data"), table II, example 36, 12, 2, 0 of 50: method 10 gives 0.0569 to 0.3404."""
    first = np.repeat([True, True, False, False], [36, 12, 2, 0])
    second = np.repeat([True, False, True, False], [36, 12, 2, 0])

    result = compare(first[None], second[None])

    assert result.test == MCNEMAR
    assert result.difference == pytest.approx(0.20)
    assert result.interval == (pytest.approx(0.0569, abs=5e-5), pytest.approx(0.3404, abs=5e-5))
    assert result.p == pytest.approx(binomtest(2, 14, 0.5).pvalue)


def test_no_errors_at_all_is_no_difference_within_what_images_can_tell() -> None:
    for seeds in (1, 3):
        result = compare(np.ones((seeds, 80), bool), np.ones((seeds, 80), bool))
        assert (result.difference, result.p) == (0.0, 1.0)
        low, high = result.interval
        assert low == pytest.approx(-high)
        assert high == pytest.approx(1 - wilson(1.0, 80)[0])


def test_right_everywhere_against_wrong_everywhere() -> None:
    result = compare(np.ones((2, 80), bool), np.zeros((2, 80), bool))

    assert (result.difference, result.p) == (1.0, 0.0)
    assert result.interval[1] == 1.0


def test_several_seeds_by_hand() -> None:
    """Ten images, two seeds an arm: accuracies 0.8, 0.6 and 0.5, 0.5, every number worked out beside it."""
    first = np.array([[1] * 8 + [0] * 2, [1] * 6 + [0] * 4], bool)
    second = np.array([[1] * 5 + [0] * 5, [1] * 5 + [0] * 5], bool)

    result = compare(first, second)

    # By image: 0 five times, 1 once, 0.5 twice, 0 twice; mean 0.2, squares 1.5 - 10 * 0.04 = 1.1 over 9 over 10.
    over_images, over_seeds = 1.1 / 9 / 10, 0.02 / 2
    variance = over_images + over_seeds
    freedom = variance**2 / (over_images**2 / 9 + over_seeds**2 / 1)
    from scipy.stats import t

    half = t.ppf(0.975, freedom) * math.sqrt(variance)
    assert result.test == CROSSED
    assert result.difference == pytest.approx(0.2)
    assert result.interval == (pytest.approx(0.2 - half), pytest.approx(0.2 + half))
    assert result.p == pytest.approx(2 * t.sf(0.2 / math.sqrt(variance), freedom))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 5000))
def test_exchanging_the_arms_changes_the_sign_alone(seeds: int, others: int, number: int) -> None:
    rng = np.random.default_rng(number)
    first, second = rng.random((seeds, 30)) < 0.8, rng.random((others, 30)) < 0.6
    one, other = compare(first, second), compare(second, first)

    assert one.difference == pytest.approx(-other.difference)
    assert one.interval == (pytest.approx(-other.interval[1]), pytest.approx(-other.interval[0]))
    assert one.p == pytest.approx(other.p)
    assert one.interval[0] - 1e-9 <= one.difference <= one.interval[1] + 1e-9


def test_equal_arms_are_rarely_called_different_though_seeds_differ() -> None:
    """Two seeds that differ by 0.3 in the log odds, 500 images: at most a tenth of 300 comparisons, where an interval
    over images alone, blind to seeds, would err far more often."""
    rng = np.random.default_rng(0)
    significant = blind = 0
    for _ in range(300):
        difficulty = rng.normal(0, 2, 500)
        first, second = (
            rng.random((2, 500)) < 1 / (1 + np.exp(-2 - difficulty - rng.normal(0, 0.3, (2, 1)))) for _ in range(2)
        )
        significant += compare(first, second).p < 0.05
        by_image = first.mean(axis=0) - second.mean(axis=0)
        blind += abs(by_image.mean()) > 1.96 * by_image.std(ddof=1) / math.sqrt(500)
    assert significant <= 30
    assert blind >= 60


def test_a_real_difference_is_found() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((3, 500)) < 0.9, rng.random((3, 500)) < 0.8

    assert compare(first, second).p < 0.001


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.04: times 3, 2, 1 are 0.03, 0.04, 0.04.
    assert holm([0.02, 0.04, 0.01]) == pytest.approx([0.04, 0.04, 0.03])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_newcombe_without_correlation_is_the_square_and_add_of_both() -> None:
    low, high = newcombe([0.5, 0.5], [(0.4, 0.6), (0.4, 0.6)], 0.0)

    assert (low, high) == (pytest.approx(-math.sqrt(0.02)), pytest.approx(math.sqrt(0.02)))
