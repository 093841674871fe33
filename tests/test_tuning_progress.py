from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.simulated import simulated_plan
from tests.study_fixtures import example_events
from tuning.progress import Progress
from tuning.records import StudyRecord


def test_a_line_an_epoch_does_not_sum_over_all_epochs_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 trials of 100 short epochs spent three minutes on it."""
    sums: list[Progress] = []

    def time_left(self: Progress) -> str:
        sums.append(self)
        return "time left: about 3 s"

    monkeypatch.setattr(Progress, "_time_left", time_left)
    printed, record = io.StringIO(), StudyRecord()
    progress = Progress(Console(file=printed))
    progress.watch(record, simulated_plan(tmp_path, trials=2, max_epochs=4))
    events = [event for event in example_events() if event["event"] != "trial_ended"]
    for event in events:
        record.apply(event)
        progress.apply(event)
    epochs = sum(event["event"] == "epoch" for event in events)
    assert printed.getvalue().count("time left: about 3 s") == epochs > 20
    assert 1 <= len(sums) <= 2
