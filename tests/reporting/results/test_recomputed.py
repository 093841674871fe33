"""What a report says is what its study's files hold, by a script that knows nothing of this project."""

from __future__ import annotations

import json
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from reporting.report.derived_files import write_derived
from reporting.report.write_report import write_report
from tests.fixtures.predictions import study_with_predictions

SCRIPT = """
import csv, json, math, pathlib, statistics, sys
import numpy

study = pathlib.Path(sys.argv[1])
trials = list(csv.DictReader((study / "trials.csv").open()))
found = {}
for arm in dict.fromkeys(trial["arm"] for trial in trials):
    own = [trial for trial in trials if trial["arm"] == arm]
    confirmed = [trial for trial in own if trial["role"] == "confirm" and trial["status"] == "completed"]
    accuracies = []
    for trial in confirmed:
        stored = numpy.load(study / "checkpoints" / trial["trial"] / "test_predictions.npz")
        accuracies.append(float((stored["probabilities"].argmax(axis=1) == stored["labels"]).mean()))
    validated = [float(trial["val_accuracy"]) for trial in confirmed]
    searched = [trial for trial in own if trial["role"] == "search"]
    found[arm] = {
        "test": [statistics.mean(accuracies), statistics.stdev(accuracies)],
        "val": [statistics.mean(validated), statistics.stdev(validated)],
        "search_epochs": sum(int(trial["epochs"]) for trial in searched),
        "all_epochs": sum(int(trial["epochs"]) for trial in own),
        "seeds": len(confirmed),
    }
print(json.dumps(found))
"""


@pytest.mark.slow  # draws every picture of a report
def test_numbers_of_a_report_are_those_of_trials_csv_and_the_stored_predictions(tmp_path: Path) -> None:
    study = study_with_predictions(tmp_path)
    write_derived(study)
    write_report(study)
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(study)], capture_output=True, text=True, check=True)
    recomputed = json.loads(done.stdout)
    assert set(recomputed) == {"from_scratch", "fine_tuned"}
    page = unescape((study / "report.html").read_text())
    told = {row["arm"]: row for row in json.loads((study / "tables" / "summary.json").read_text())["rows"]}
    for arm, numbers in recomputed.items():
        (test, deviation), (val, _) = numbers["test"], numbers["val"]
        assert f"{test:.4f} ± {deviation:.4f}" in page
        assert told[arm]["test_accuracy"] == pytest.approx(test)
        assert told[arm]["metrics"]["test_accuracy"] == pytest.approx({"mean": test, "std": deviation, "n": 3})
        assert told[arm]["val_accuracy"] == pytest.approx(val)
        assert told[arm]["search"]["epochs"] == numbers["search_epochs"]
        assert told[arm]["evidence"]["epochs"] == numbers["all_epochs"]
        assert len(told[arm]["seeds"]) == numbers["seeds"] == 3
