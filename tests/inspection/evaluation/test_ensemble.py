"""Averages of stored predictions, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inspection.evaluation.ensemble import ensemble, ensemble_text
from inspection.loading.best_model import InspectionError
from tests.fixtures.inspection import keep_predictions, keep_study

# Of 20 test images the first ten are of the first class.
SURE_OF_FIRST = np.tile([0.9, 0.1], (20, 1))
LEANS_TO_SECOND = np.tile([0.4, 0.6], (20, 1))


def confirmed(tmp_path: Path) -> Path:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    for number in (100, 101, 102):
        keep_predictions(study / "checkpoints" / f"fine_tuned-{number:04}", tmp_path / "data", SURE_OF_FIRST)
        keep_predictions(study / "checkpoints" / f"from_scratch-{number:04}", tmp_path / "data", LEANS_TO_SECOND)
    keep_predictions(study / "checkpoints" / "fine_tuned-0102", tmp_path / "data", LEANS_TO_SECOND)
    return study


def test_validation_chooses_and_probabilities_are_averaged(tmp_path: Path) -> None:
    found = ensemble(confirmed(tmp_path), 2)
    assert [trial.trial for trial, _ in found.members] == ["fine_tuned-0102", "fine_tuned-0101"]
    assert [metrics["accuracy"] for _, metrics in found.members] == [0.5, 0.5]
    # The mean is (0.65, 0.35): half of the images are right with 0.65, half wrong with 0.35 for the truth.
    assert found.average["loss"] == pytest.approx(-(np.log(0.65) + np.log(0.35)) / 2, abs=1e-6)
    text = ensemble_text(found).splitlines()
    assert text[1].split() == ["model", "val_accuracy", "test_accuracy", "test_loss", "test_macro_f1"]
    assert text[2].split()[:3] == ["fine_tuned-0102", "0.9200", "0.5000"]
    assert text[4].startswith("average of 2")


def test_of_one_arm_alone(tmp_path: Path) -> None:
    study = confirmed(tmp_path)
    found = ensemble(study, 3, "from_scratch")
    assert {trial.arm for trial, _ in found.members} == {"from_scratch"}
    for top in (1, 4):
        with pytest.raises(InspectionError, match=f"top is {top}, .*from 2 .* 3"):
            ensemble(study, top, "from_scratch")
    with pytest.raises(InspectionError, match="did you mean fine_tuned"):
        ensemble(study, 2, "fine_tune")


def test_other_test_images_and_missing_files_are_refused(tmp_path: Path) -> None:
    study = confirmed(tmp_path)
    path = study / "checkpoints" / "fine_tuned-0101" / "test_predictions.npz"
    with np.load(path) as file:
        stored = dict(file)
    np.savez(path, **{**stored, "names": stored["names"][::-1]})  # type: ignore[arg-type]
    with pytest.raises(InspectionError, match=r"fine_tuned-0101 .*fine_tuned-0102"):
        ensemble(study, 2)
    path.write_bytes(b"PK")
    with pytest.raises(InspectionError, match="holds no test predictions"):
        ensemble(study, 2)


def test_a_model_without_an_output_gives_it_nothing(tmp_path: Path) -> None:
    study = confirmed(tmp_path)
    wide = np.tile([0.2, 0.2, 0.6], (20, 1))
    keep_predictions(study / "checkpoints" / "fine_tuned-0101", tmp_path / "data", wide)
    keep_predictions(study / "checkpoints" / "fine_tuned-0102", tmp_path / "data", SURE_OF_FIRST)
    # The mean is (0.55, 0.15, 0.3).
    found = ensemble(study, 2)
    assert found.average["loss"] == pytest.approx(-(np.log(0.55) + np.log(0.15)) / 2, abs=1e-6)
    assert found.average["accuracy"] == 0.5
