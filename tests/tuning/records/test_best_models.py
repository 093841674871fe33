"""winners/<arm>/ is the old winner or the new one, whatever happens between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.study import example_events, write_study
from tuning.records.best_models import keep_best_model
from tuning.records.study_record import read_study


def test_a_winner_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", example_events())
    record = read_study(study)
    winner = record.best_of(trial for trial in record.confirmed("fine_tuned") if trial.test)
    assert winner is not None
    checkpoint = study / "checkpoints" / winner.trial
    checkpoint.mkdir(parents=True)
    (checkpoint / "model.keras").write_text("old")
    kept = study / "winners" / "fine_tuned"
    for text in ("old", "new"):
        (checkpoint / "model.keras").write_text(text)
        keep_best_model(study, record, "fine_tuned")
        assert (kept / "model.keras").read_text() == text
        names = {"model.keras", "configuration.json", "metrics.json", "config.json"}
        assert {path.name for path in kept.iterdir()} == names
    (checkpoint / "model.keras").unlink()
    checkpoint.rmdir()
    with pytest.raises(FileNotFoundError):
        keep_best_model(study, record, "fine_tuned")
    assert (kept / "model.keras").read_text() == "new"
    assert [path.name for path in kept.parent.iterdir()] == ["fine_tuned"]
