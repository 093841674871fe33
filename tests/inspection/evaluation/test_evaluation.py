"""`evaluate`: reports of what a study stored, without opening anything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import classification_report

import cli
from inspection.evaluation.evaluation import evaluations, write_evaluations
from tests.fixtures.inspection import CLASSES, keep_predictions, keep_study
from tuning.records.study_paths import EVENTS


def evaluate(results: Path, *arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.cli, ["evaluate", "food10", *arguments, "--results", str(results)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty test images, ten of each class; from_scratch takes every third for the first class, fine_tuned none."""
    folder = tmp_path_factory.mktemp("study")
    kept = keep_study(folder / "results", folder / "data")
    right = np.eye(3)[np.arange(20) // 10]  # a network may have more outputs than there are classes
    wrong = right.copy()
    wrong[::3] = np.eye(3)[0]
    wrong[19] = np.eye(3)[2]
    for arm, probabilities in (("from_scratch", wrong), ("fine_tuned", right)):
        keep_predictions(kept / "winners" / arm, folder / "data", probabilities)
    return kept


def test_text_holds_scikit_learns_report_and_what_is_confused(study: Path) -> None:
    before = (study / EVENTS).read_bytes()
    status, text, _ = evaluate(study.parents[1], "--arm", "from_scratch")
    assert status == 0
    labels = np.arange(20) // 10
    predicted = np.where(np.arange(20) % 3 == 0, 0, labels)
    predicted[19] = 2
    names = [*CLASSES, "output 2"]
    assert classification_report(labels, predicted, labels=range(3), target_names=names, zero_division=0) in text + "\n"
    assert f"3 ( 30%)  {CLASSES[1]} taken for {CLASSES[0]}\n1 ( 10%)  {CLASSES[1]} taken for output 2" in text
    assert (study / "tables" / "report_from_scratch.txt").read_text().strip() in text
    assert (study / "plots" / "confusion_from_scratch.png").is_file()
    assert (study / EVENTS).read_bytes() == before  # no opening of the test split


def test_json_is_for_machines(study: Path) -> None:
    status, text, _ = evaluate(study.parents[1], "--format", "json")
    assert status == 0
    told = json.loads(text)
    assert (told["task"], told["study"]) == ("food10", "example")
    assert [arm["arm"] for arm in told["arms"]] == ["fine_tuned", "from_scratch"]  # the best on validation first
    assert told["arms"][0]["confusion"] == [[10, 0], [0, 10]]
    assert told["arms"][0]["report"]["accuracy"] == 1
    assert told["arms"][0]["most_confused"] == []
    assert told["arms"][1]["classes"] == [*CLASSES, "output 2"]


def test_what_cannot_be_is_one_line(study: Path, tmp_path: Path) -> None:
    assert evaluate(study.parents[1], "--arm", "from_scrach") == (
        2,
        "",
        "Error: unknown arm with a winner 'from_scrach'; did you mean from_scratch? Known: fine_tuned, from_scratch\n",
    )
    without = keep_study(tmp_path / "results", tmp_path / "data")
    status, _, errors = evaluate(without.parents[1])
    assert (status, errors.count("\n")) == (2, 1)
    assert "holds no test predictions" in errors
    for arm in ("from_scratch", "fine_tuned"):
        (without / "winners" / arm / "configuration.json").unlink()
    assert "has no winner" in evaluate(without.parents[1])[2]


def test_writing_again_changes_nothing(study: Path) -> None:
    found = evaluations(study)
    first = {path: path.read_bytes() for path in write_evaluations(study, found)}
    assert {path: path.read_bytes() for path in write_evaluations(study, found)} == first
    assert len(first) == 4
