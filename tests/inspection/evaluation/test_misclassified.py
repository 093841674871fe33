"""The surest mistakes, and that a look at test images is entered in the ledger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import cli
from inspection.evaluation.misclassified import draw_gallery, mistakes
from inspection.loading.best_model import InspectionError, winner
from tests.fixtures.inspection import keep_predictions, keep_study
from tuning.records.study_record import read_study
from tuning.records.test_predictions import ClassPredictions

PREDICTED = ClassPredictions(
    probabilities=np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.55, 0.45], [0.1, 0.9]], np.float32),
    labels=np.array([1, 1, 1, 0, 0]),
    names=("a", "b", "c", "d", "e"),
)


def test_the_surest_mistakes_first() -> None:
    found = mistakes(PREDICTED, ("cat", "dog"), most=9)
    assert [(one.name, one.true, one.predicted) for one in found] == [
        ("b", "dog", "cat"),
        ("e", "cat", "dog"),
        ("a", "dog", "cat"),
    ]
    assert [one.position for one in found] == [1, 4, 0]
    assert found[0].confidence == pytest.approx(0.9)
    assert found[0].probability_of_true == pytest.approx(0.1)
    assert [one.name for one in mistakes(PREDICTED, ("cat", "dog"), most=1)] == ["b"]


@pytest.mark.slow
def test_each_call_is_entered_in_the_ledger(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    keep_predictions(study / "winners" / "fine_tuned", tmp_path / "data", np.tile([0.7, 0.3], (20, 1)))
    before = len(read_study(study).ledger)
    done = CliRunner().invoke(
        cli.cli, ["misclassified", "food10", "--most", "6", "--results", str(tmp_path / "results")]
    )
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == 7
    assert lines[0].startswith(" 70.00%  said first, is second: second/")
    with Image.open(study / "gallery" / "fine_tuned.png") as sheet:
        assert sheet.width > 600
    ledger = read_study(study).ledger
    assert len(ledger) == before + 1
    assert (ledger[-1].arm, ledger[-1].reason) == ("fine_tuned", "gallery of mistakes")


def test_nothing_is_entered_where_nothing_can_be_opened(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    winner(study).store.unlink()
    before = (study / "events.jsonl").read_bytes()
    done = CliRunner().invoke(cli.cli, ["misclassified", "food10", "--results", str(tmp_path / "results")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert (study / "events.jsonl").read_bytes() == before


def test_predictions_of_other_images_are_refused(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    folder = study / "winners" / "fine_tuned"
    keep_predictions(folder, tmp_path / "data", np.tile([0.7, 0.3], (20, 1)))
    with np.load(folder / "test_predictions.npz") as file:
        stored = dict(file)
    np.savez(folder / "test_predictions.npz", **{**stored, "names": stored["names"][::-1]})  # type: ignore[arg-type]
    entered: list[str] = []
    with pytest.raises(InspectionError, match="stored predictions"):
        draw_gallery(winner(study), tmp_path / "x.png", 3, entered.append)
    assert not (tmp_path / "x.png").exists()
    assert entered == []


def test_without_a_mistake_nothing_is_opened(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    right = np.repeat([[0.9, 0.1], [0.1, 0.9]], 10, axis=0)
    keep_predictions(study / "winners" / "fine_tuned", tmp_path / "data", right)
    entered: list[str] = []
    assert draw_gallery(winner(study), tmp_path / "x.png", 3, entered.append) == []
    assert entered == []
