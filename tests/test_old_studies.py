"""Studies written by version 0.1.0: every later version reads them, with the same tables and predictions.

`tests/studies/v0.1` holds three samples (food10, digits, animals) with their events, tables and stored predictions, and
the two smallest saved models. Paths in them were replaced; nothing else was changed.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from reporting.report.derived_files import write_derived

STUDIES = Path(__file__).with_name("studies") / "v0.1"
TASKS = ("food10", "digits", "animals")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    shutil.copytree(STUDIES, tmp_path / "results")
    return tmp_path / "results"


def invoke(*arguments: object) -> str:
    done = CliRunner().invoke(cli.cli, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def comparable(text: str, results: Path) -> str:
    """Leave out where the studies lie, and digits of a p-value beyond the twelfth (another library computes it)."""
    text = text.replace(f"{results}/", "results/").replace("What it took", "Compute cost")  # its heading since
    return re.sub(r"\d+\.\d{12,}(e-\d+)?", lambda number: f"{float(number[0]):.12g}", text)


@pytest.mark.parametrize("task", TASKS)
def test_its_tables_are_the_same(results: Path, task: str) -> None:
    study, old = results / task / "old", STUDIES / task / "old"
    shutil.rmtree(study / "tables")
    write_derived(study)
    written = sorted(path.name for path in (study / "tables").iterdir())
    kept = sorted(path for path in (old / "tables").iterdir() if not path.name.startswith("report_"))  # by `evaluate`
    assert written == [path.name for path in kept]
    for path in kept:
        text = (study / "tables" / path.name).read_text()
        assert comparable(text, results) == comparable(path.read_text(), results), path.name
    for name in ("trials.csv", "history.csv"):
        assert (study / name).read_text() == (old / name).read_text()


@pytest.mark.parametrize("task", TASKS)
def test_it_is_summarized_and_listed(results: Path, task: str) -> None:
    summary = invoke("summarize", f"{task}/old", "--format", "json", "--results", results)
    kept = (STUDIES / task / "old" / "tables" / "summary.json").read_text()
    assert json.loads(comparable(summary, results)) == json.loads(comparable(kept, results))
    listed = invoke("runs", f"{task}/old", "--format", "csv", "--results", results)
    assert len(listed.splitlines()) == len((STUDIES / task / "old" / "trials.csv").read_text().splitlines())


@pytest.mark.parametrize("task", TASKS)
def test_its_stored_predictions_are_evaluated(results: Path, task: str) -> None:
    old = STUDIES / task / "old" / "tables"
    invoke("evaluate", f"{task}/old", "--results", results)
    for path in old.glob("report_*.txt"):
        assert (results / task / "old" / "tables" / path.name).read_text() == path.read_text()


@pytest.mark.slow  # draws its pictures
def test_it_is_reported(results: Path) -> None:
    output = invoke("report", "food10/old", "--results", results)
    page = results / "food10" / "old" / "report.html"
    assert str(page) in output
    assert "0.7812" in page.read_text()


EXPECTED = json.loads((STUDIES / "expected_predictions.json").read_text())


@pytest.mark.slow  # loads TensorFlow
@pytest.mark.parametrize("case", EXPECTED)
def test_its_models_predict_as_they_did(results: Path, case: str) -> None:
    study, arm, image = case.split()
    text = invoke("predict", study, STUDIES / image, "--arm", arm, "--format", "json", "--results", results)
    [answer] = json.loads(text)
    given = {entry["class"]: entry["probability"] for entry in answer["classes"]}
    assert given == pytest.approx(EXPECTED[case], abs=1e-5)


@pytest.mark.slow  # loads TensorFlow
def test_a_model_is_exported_and_its_image_store_not_built_anew(results: Path, tmp_path: Path) -> None:
    events = results / "animals" / "old" / "events.jsonl"
    events.write_text(events.read_text().replace("/home/user/.cache/podium", str(tmp_path / "data")))
    invoke("datasets", "prepare", "animals", "--sample", "--data-dir", tmp_path / "data")
    model = tmp_path / "model.keras"
    invoke("export", "animals/old", "--arm", "shallownet", "--to", "keras", "--out", model, "--results", results)
    assert model.stat().st_size > 100_000
