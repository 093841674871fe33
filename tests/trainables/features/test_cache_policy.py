from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.features.cache_policy import Work, decide

# 0.1 s to compute an image's features, 1 ms to read them, 5 ms to write them.
PREFIX: dict[str, Any] = {
    "augmentation": "none",
    "multiply_adds": 500_000_000,
    "images": 100,
    "views": 1,
    "epochs": 10,
    "bytes_per_image": 1_000_000,
    "limit_bytes": 10**9,
}


def work(**changes: Any) -> Work:
    return Work(**{**PREFIX, **changes})


@pytest.mark.parametrize(
    ("changes", "keep", "why"),
    [
        # 10 * 100 * 0.1 = 100 s against 100 * (0.1 + 0.005) + 10 * 100 * 0.001 = 11.5 s
        ({}, True, "computing it anew would cost 8.7 times as much"),
        # 10 s against 10.5 + 0.1
        ({"epochs": 1}, False, "keeping would cost 1.1 times as much"),
        # 20 s against 10.5 + 0.2
        ({"epochs": 2}, True, "computing it anew would cost 1.9 times as much"),
        # 100 s against 900 * 0.105 + 1 = 95.5; with one view more, 106
        ({"views": 9}, True, "computing it anew would cost 1 times as much"),
        ({"views": 10}, False, "keeping would cost 1.1 times as much"),
        # A prefix of 0.8 ms, while reading takes 1 ms: never, however many epochs.
        ({"multiply_adds": 4_000_000, "epochs": 10**6}, False, "keeping would cost 1.3 times as much"),
        # Fixed views of small images, nothing frozen: 3 s against 400 * (0.003 + 0.00006) + 1000 * 0.000012 = 1.24
        (
            {"augmentation": "views", "views": 4, "multiply_adds": 0, "bytes_per_image": 64 * 64 * 3},
            True,
            "computing it anew would cost 2.4 times as much",
        ),
        ({"multiply_adds": 0}, False, "keeping would cost 1e+09 times as much"),  # nothing to save at all
        ({"augmentation": "live", "epochs": 10**6}, False, "live augmentation: no image comes twice"),
        ({"limit_bytes": 10**8}, True, "computing it anew would cost 8.7 times as much"),  # fits exactly
        ({"limit_bytes": 10**8 - 1}, False, "0.1 GB would not fit into the 0.1 GB kept"),
        ({"limit_bytes": 0}, False, "0.1 GB would not fit into the 0.0 GB kept"),
        ({"views": 4, "limit_bytes": 399_999_999}, False, "0.4 GB would not fit into the 0.4 GB kept"),
    ],
)
def test_decisions_by_hand(changes: dict[str, Any], keep: bool, why: str) -> None:
    decision = decide(work(**changes))
    assert (decision.keep, decision.why) == (keep, why)


def test_a_fact_says_the_decision_and_every_number_behind_it() -> None:
    fact = decide(work()).as_fact(work())
    assert fact == {"kept": True, "why": fact["why"], **PREFIX}
    assert "8.7 times" in fact["why"]
    assert json.loads(json.dumps(fact)) == fact


WORKS = st.builds(
    Work,
    augmentation=st.sampled_from(["none", "views"]),
    multiply_adds=st.integers(0, 10**11),
    images=st.integers(1, 10**5),
    views=st.integers(1, 100),
    epochs=st.integers(1, 10**5),
    bytes_per_image=st.integers(1, 10**8),
    limit_bytes=st.integers(0, 10**13),
)


@given(WORKS, st.integers(0, 10**5), st.sampled_from(["epochs", "limit_bytes", "multiply_adds"]))
def test_what_is_kept_would_be_kept_with_more_epochs_or_more_space_or_more_to_save(
    given_work: Work, more: int, name: str
) -> None:
    if decide(given_work).keep:
        assert decide(replace(given_work, **{name: getattr(given_work, name) + more})).keep  # type: ignore[arg-type]


@given(WORKS, st.integers(0, 10**5), st.sampled_from(["views", "bytes_per_image"]))
def test_what_is_not_kept_would_not_be_kept_if_it_were_larger(given_work: Work, more: int, name: str) -> None:
    if not decide(given_work).keep:
        assert not decide(replace(given_work, **{name: getattr(given_work, name) + more})).keep  # type: ignore[arg-type]
