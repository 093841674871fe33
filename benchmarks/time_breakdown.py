"""Breakdown of a study's slots x wall clock by phase, from its events, in slot-seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]

# What the keys of an epoch event's `seconds` are called in the table, in its order; any other key is a row of its own.
PHASES = {
    "import": "import",
    "build": "build",
    "trace": "trace",
    "features": "features",
    "reset": "reset",
    "train": "steps",
    "validate": "validation",
    "save": "checkpoint",
}
START = "start"  # of the program, Ray and the first workers
REPORT = "report"  # between a trial's phases: results on their way to the driver, and whatever no phase names
HAND_OVER = "hand-over"  # from one trial's end to the next one's start in the same slot
TEST = "test"  # the best model meets the test split: what no peer does
IDLE = "idle"  # a slot with nothing left to do while another works
END = "end"  # tables, and Ray's end
ORDER = (START, *dict.fromkeys(PHASES.values()), REPORT, HAND_OVER, TEST, IDLE, END)


@dataclass(kw_only=True)
class _Trial:
    started: float
    ended: float
    phases: dict[str, float] = field(default_factory=dict)


def break_down(events: Iterable[Event], *, started: float, ended: float, slots: int) -> dict[str, float]:
    """Return slot-seconds by phase, in the table's order.

    Args:
        events: The study's events.
        started: Start of the command in seconds of time.time(), as the events' own.
        ended: End of the command.
        slots: Number of concurrent trials.
    """
    events = list(events)
    trials = _trials(events)
    seconds = dict.fromkeys(ORDER, 0.0)
    free = [started] * slots  # since when each slot is
    used = [False] * slots
    for trial in sorted(trials, key=lambda trial: trial.started):
        slot = min(range(slots), key=lambda number: free[number])
        seconds[HAND_OVER if used[slot] else START] += max(0.0, trial.started - free[slot])
        free[slot], used[slot] = trial.ended, True
        for name, spent in trial.phases.items():
            seconds[name] = seconds.get(name, 0.0) + spent
        seconds[REPORT] += max(0.0, trial.ended - trial.started - sum(trial.phases.values()))
    last = max((trial.ended for trial in trials), default=started)
    testing = _testing(events, last, ended)
    seconds[TEST] += testing
    seconds[IDLE] += sum(last - since for since in free) + (slots - 1) * testing
    seconds[END] += slots * (ended - last - testing)
    return seconds


def _trials(events: Sequence[Event]) -> list[_Trial]:
    """Those that ended; a study of the benchmark is whole."""
    running: dict[str, _Trial] = {}
    done: list[_Trial] = []
    for event in events:
        kind = event["event"]
        if kind == "trial_started":
            running[event["trial"]] = _Trial(started=event["time"], ended=event["time"])
        elif kind == "epoch":
            phases = running[event["trial"]].phases
            for key, spent in event["seconds"].items():
                name = PHASES.get(key, key)
                phases[name] = phases.get(name, 0.0) + float(spent)
        elif kind == "trial_ended" and event["trial"] in running:
            trial = running.pop(event["trial"])
            trial.ended = event["time"]
            done.append(trial)
    return done


def _testing(events: Sequence[Event], last: float, ended: float) -> float:
    """From the first opening of the test split to its last measurement, as far as no trial ran then."""
    opened: list[float] = [event["time"] for event in events if event["event"] == "test_opened"]
    measured: list[float] = [event["time"] for event in events if event["event"] in ("test_measured", "test_failed")]
    if not opened or not measured:
        return 0.0
    return max(0.0, min(max(measured), ended) - max(min(opened), last))
