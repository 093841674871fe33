"""Files that derive from the events: complete, repeatable, never half written."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from atomic_file import write_atomically
from reporting.report.derived_files import write_derived
from reporting.tables import arm_tables
from tests.fixtures.study import example_events, example_task, write_study

DERIVED = {
    "study.json",
    "trials.csv",
    "history.csv",
    "tables/best_variants.md",
    "tables/best_variants.csv",
    "tables/best_model.md",
    "tables/best_model.csv",
    "tables/what_it_took.md",
    "tables/evidence.md",
    "tables/best_variants.tex",
    "tables/best_model.tex",
    "tables/what_it_took.tex",
    "tables/evidence.tex",
    "tables/summary.csv",
    "tables/summary.json",
    "plots/curves.png",
}


@pytest.fixture(autouse=True)
def _task_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())


def _contents(study: Path) -> dict[str, bytes]:
    files = (path for path in study.rglob("*") if path.is_file() and path.name != "events.jsonl")
    return {str(path.relative_to(study)): path.read_bytes() for path in files}


def test_everything_is_written_and_writing_again_changes_nothing(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", example_events(sample=True))

    write_derived(study)
    first = _contents(study)
    write_derived(study)

    assert set(first) == DERIVED
    assert _contents(study) == first


def test_study_json_says_what_the_study_was(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", example_events(end="interrupted"))

    write_derived(study)

    description = json.loads((study / "study.json").read_text())
    assert description["command"] == "python cli.py tune food10 --seed 7"
    assert description["settings"] == {"trials": 5, "seed": 7}
    assert description["data"]["fingerprint"] == "abc"
    assert (description["status"], description["reason"]) == ("interrupted", "Ctrl-C")
    assert {"versions", "git_commit", "sample", "started_time", "ended_time"} <= set(description)
    assert [opening["arm"] for opening in description["test_openings"]] == ["from_scratch", "fine_tuned"]


def test_every_file_of_a_sample_is_labelled(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", example_events(sample=True))

    write_derived(study)

    for name in DERIVED - {"study.json", "plots/curves.png"}:
        text = (study / name).read_text()
        if name.endswith(".csv"):
            assert {row["sample"] for row in csv.DictReader(io.StringIO(text))} == {"True"}, name
        elif name.endswith(".json"):
            assert json.loads(text)["sample"] is True, name
        else:
            assert "sample data" in text, name


def test_a_study_in_which_nothing_happened_yet_is_written_too(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", example_events(end=None)[:1])

    write_derived(study)

    assert json.loads((study / "study.json").read_text())["status"] == "running"


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trials.csv"
    write_atomically(path, "old\n", synced=False)

    def full(self: Path, data: bytes) -> int:
        os.close(os.open(self, os.O_CREAT))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new\n", synced=False)

    assert path.read_text() == "old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["trials.csv"]
