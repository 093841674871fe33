from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.study import example_events, typed
from tuning.listeners.optuna_storage import OptunaDatabase
from tuning.records.study_record import StudyRecord


@pytest.mark.parametrize("folder", ["plain", "what?", "50%3F", "a#b", "café & more;x=1", "file:x"])
def test_the_database_lies_in_the_studys_folder_whatever_its_name(folder: str, tmp_path: Path) -> None:
    path = tmp_path / folder / "optuna.db"
    path.parent.mkdir()
    record = StudyRecord()
    database = OptunaDatabase(path, record)
    for event in map(typed, example_events()):
        record.apply(event)
        database.apply(event)
    assert [each.name for each in tmp_path.iterdir()] == [folder]
    with closing(sqlite3.connect(path)) as opened:
        [(trials,)] = opened.execute("select count(*) from trials").fetchall()
    assert trials == sum(trial.role == "search" and trial.ended_time is not None for trial in record.trials.values())
