"""What is left of a study whose process was killed, or whose file was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.study import example_events, write_study
from tuning.records.event_log import EventLog, read_events
from tuning.records.events import TestOpened
from tuning.records.find_study import find_study
from tuning.records.study_paths import EVENTS
from tuning.records.study_record import StudyNotFound, read_study


def test_a_half_written_last_line_does_not_spoil_the_next_event(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "food10" / "first", example_events())
    path = folder / EVENTS
    whole = list(read_events(path))
    path.write_bytes(path.read_bytes()[:-20])
    assert list(read_events(path)) == whole[:-1]  # it did not happen
    log = EventLog(path)
    opened = log.append(TestOpened(arm="fine_tuned", trials=(), reason="a gallery"))
    log.close()
    assert list(read_events(path)) == [*whole[:-1], opened]


@pytest.mark.parametrize("line", ["{", '{"event": "epoch", "trial": "nobody"}', "[]"])
def test_a_damaged_study_is_one_line_and_hides_no_other(tmp_path: Path, line: str) -> None:
    write_study(tmp_path / "food10" / "first", example_events())
    damaged = write_study(tmp_path / "food10" / "second", [])
    (damaged / EVENTS).write_text(f"{line}\n")
    with pytest.raises(StudyNotFound, match=r"events\.jsonl is damaged") as caught:
        read_study(damaged)
    assert "\n" not in str(caught.value)
    assert find_study(tmp_path, "food10/first").name == "first"
