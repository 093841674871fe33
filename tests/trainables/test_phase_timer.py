from __future__ import annotations

import pytest

from trainables import phase_timer
from trainables.phase_timer import PhaseTimer


class Clock:
    """A clock that a test turns on."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(phase_timer, "time", clock)
    return clock


def test_a_second_counts_for_the_innermost_phase_alone(clock: Clock) -> None:
    watch = PhaseTimer()
    with watch("train"):
        clock.now += 1
        with watch("trace"):
            clock.now += 2
            with watch("build"):
                clock.now += 4
            clock.now += 8
        clock.now += 16
        with watch("train"):  # the same phase inside itself counts once
            clock.now += 32
    assert watch.take() == {"train": 49.0, "trace": 10.0, "build": 4.0}


def test_seconds_outside_any_phase_count_for_none(clock: Clock) -> None:
    watch = PhaseTimer()
    clock.now += 5
    with watch("train"):
        clock.now += 1
    clock.now += 7
    with watch("validate"):
        clock.now += 2
    clock.now += 9
    assert watch.take() == {"train": 1.0, "validate": 2.0}
    assert watch.take() == {}


def test_taken_within_a_phase_the_rest_counts_for_the_next_time(clock: Clock) -> None:
    watch = PhaseTimer()
    with watch("train"):
        clock.now += 3
        assert watch.take() == {"train": 3.0}
        clock.now += 0.25
    assert watch.take() == {"train": 0.25}


def test_a_phase_that_fails_is_closed(clock: Clock) -> None:
    watch = PhaseTimer()

    def fail() -> None:
        with watch("train"), watch("trace"):
            clock.now += 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    clock.now += 50
    with watch("validate"):
        clock.now += 2
    assert watch.take() == {"trace": 1.0, "train": 0.0, "validate": 2.0}
