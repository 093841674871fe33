"""How a study is told to end before it is done.

That its processes then end is tests/tuning/execution/test_study.py's.
"""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fixtures.study import example_events, record_of

pytestmark = pytest.mark.slow  # imports Ray


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")]
)
def test_the_first_signal_is_noted_and_the_second_does_not_wait(number: signal.Signals, name: str) -> None:
    from tuning.execution.ray_callbacks import StudyStopper

    class Second(Exception):
        pass

    def end(number: int, frame: object) -> None:
        raise Second

    search: Any = SimpleNamespace(fatal=None)
    stopper = StudyStopper(search)
    before = signal.signal(number, end)
    try:
        with stopper.watching():
            assert not stopper.stop_all()
            signal.raise_signal(number)
            assert stopper.stop_all()
            assert stopper.interrupted == name
            with pytest.raises(Second):
                signal.raise_signal(number)
        assert signal.getsignal(number) is end
    finally:
        signal.signal(number, before)


def test_trials_without_an_end_end_with_an_interrupted_study() -> None:
    whole = example_events()
    [first, *_] = [place for place, event in enumerate(whole) if event["event"] == "trial_ended"]
    cut = whole[:first]
    trial = whole[first]["trial"]
    assert record_of(cut).trials[trial].status == "running"
    ended = {"event": "study_ended", "status": "interrupted", "reason": "SIGTERM", "time": cut[-1]["time"] + 1}
    assert record_of([*cut, ended]).trials[trial].status == "interrupted"
    assert record_of(whole).trials[trial].status == "completed"
