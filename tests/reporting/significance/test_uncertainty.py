"""The evidence of a study: numbers recomputed here from its files, and everything that may be missing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from reporting.formats.dataframes import to_csv, trials_frame
from reporting.formats.summarize import summarize_text
from reporting.results.arm_results import summarize_arms
from reporting.significance.uncertainty import collect_uncertainty
from reporting.tables import arm_tables
from reporting.tables.uncertainty_table import evidence_table, in_words
from tests.fixtures.predictions import answers, store, study_with_predictions
from tests.fixtures.study import example_events, example_task, write_study
from tuning.records.study_record import read_study


@pytest.fixture(autouse=True)
def _task_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())


def _correct(study: Path, trial: str) -> np.ndarray:
    with np.load(study / "checkpoints" / trial / "test_predictions.npz") as stored:
        return stored["probabilities"].argmax(axis=1) == stored["labels"]


def test_every_number_follows_from_the_files_of_the_study(tmp_path: Path) -> None:
    study = study_with_predictions(tmp_path / "food10" / "example")
    summary = json.loads(summarize_text([study], "json"))
    trials = list(csv.DictReader(io.StringIO(to_csv(trials_frame(read_study(study))))))

    for row in summary["rows"]:
        of_arm = [trial for trial in trials if trial["arm"] == row["arm"]]
        confirmed = [trial["trial"] for trial in of_arm if trial["role"] == "confirm"]
        evidence = row["evidence"]
        correct = np.stack([_correct(study, trial) for trial in confirmed])
        mean = correct.mean()
        assert row["test_accuracy"] == pytest.approx(mean)
        assert evidence["test_images"] == correct.shape[1] == 100
        effective = min(100 * mean * (1 - mean) / correct.mean(axis=0).var(), correct.size)
        centre = (mean + 1.9599640**2 / (2 * effective)) / (1 + 1.9599640**2 / effective)
        assert sum(evidence["test_accuracy_interval"]) / 2 == pytest.approx(centre)
        assert evidence["epochs"] == sum(int(trial["epochs"]) for trial in of_arm)
        seconds = sum(float(trial["seconds"]) for trial in of_arm if trial["seconds"])
        assert evidence["compute_seconds"] == pytest.approx(seconds)
        searched = [float(trial["best"]) for trial in of_arm if trial["role"] == "search" and trial["best"]]
        assert evidence["expected_best_of_n"]["1"] == pytest.approx(np.mean(searched))
    (comparison,) = summary["comparisons"]
    means = [np.stack([_correct(study, f"{arm}-010{n}") for n in range(3)]) for arm in ("fine_tuned", "from_scratch")]
    assert (comparison["arm"], comparison["minus"]) == ("fine_tuned", "from_scratch")
    assert comparison["difference"] == pytest.approx(means[0].mean() - means[1].mean())
    assert comparison["images"] == 100
    line = next(csv.DictReader(io.StringIO(summarize_text([study], "csv"))))
    assert float(line["best_less_this"]) == pytest.approx(comparison["difference"])
    assert float(line["test_accuracy_low"]) == pytest.approx(
        summary["rows"][0]["evidence"]["test_accuracy_interval"][0]
    )


def test_the_words_say_whether_a_difference_is_noise(tmp_path: Path) -> None:
    study = study_with_predictions(tmp_path / "study")
    events = example_events()
    for number, trial in enumerate(event["trial"] for event in events if event["event"] == "test_measured"):
        alike = 0.88 if trial.startswith("fine") else 0.86
        store(study, trial, answers(alike, number))
    for event in events:
        if event["event"] == "test_measured":
            event["metrics"]["test_accuracy"] = 0.88 if event["arm"] == "fine_tuned" else 0.86
    write_study(study, events)
    text = " ".join(summarize_text([study]).split())
    assert "fine_tuned - from_scratch = +0.020 [" in text
    assert ": within noise" in text
    assert "t test over images and seeds" in text

    for number in range(3):
        store(study, f"from_scratch-010{number}", answers(0.2, number))
    for event in events:
        if event["event"] == "test_measured" and event["arm"] == "from_scratch":
            event["metrics"]["test_accuracy"] = 0.2
    write_study(study, events)
    assert "p < 0.001: beyond noise" in " ".join(summarize_text([study]).split())


def test_one_seed_each_is_mcnemars_test_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    study = study_with_predictions(tmp_path / "study", confirm_seeds=1)

    table = evidence_table(
        record := read_study(study), found := summarize_arms(record), collect_uncertainty(record, found)
    )

    assert "McNemar" in table.remarks[1]
    assert "one seed" in table.remarks[1]


def test_without_predictions_the_interval_is_the_widest_and_nothing_is_compared(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", example_events())
    record = read_study(study)

    evidence = collect_uncertainty(record)

    low, high = evidence.of("from_scratch").interval or (0.0, 0.0)
    assert high - low > 0.3  # of the 15 test images that the study's header counts
    assert in_words(evidence.comparisons[0]) == (
        "fine_tuned - from_scratch: not compared; "
        "the predictions of fine_tuned and from_scratch on the test images are not stored"
    )
    assert "not stored" in " ".join(evidence_table(record, summarize_arms(record), evidence).notes)


def test_arms_that_met_other_images_are_not_compared(tmp_path: Path) -> None:
    study = study_with_predictions(tmp_path / "study", confirm_seeds=1)
    store(study, "fine_tuned-0100", answers(0.88, 0), names=[f"other-{number}" for number in range(100)])

    (comparison,) = collect_uncertainty(read_study(study)).comparisons

    assert comparison.result is None
    assert comparison.within_noise is None
    assert "(100 and 100)" in in_words(comparison)


@pytest.mark.parametrize("damage", ["missing", "rubbish", "another model", "boxes"])
def test_a_seed_whose_predictions_cannot_count_is_left_out_and_named(tmp_path: Path, damage: str) -> None:
    study = study_with_predictions(tmp_path / "study")
    path = study / "checkpoints" / "fine_tuned-0102" / "test_predictions.npz"
    if damage == "missing":
        path.unlink()
    elif damage == "rubbish":
        path.write_bytes(b"PK\x03\x04 not a zip")
    elif damage == "another model":
        store(study, "fine_tuned-0102", answers(0.5, 0))
    else:
        np.savez(path, probabilities=np.zeros((50, 4)), labels=np.zeros((50, 4)), names=np.arange(50).astype(str))

    record = read_study(study)
    evidence = collect_uncertainty(record)

    answered = evidence.of("fine_tuned").answers
    assert answered is not None
    assert answered.trials == ("fine_tuned-0100", "fine_tuned-0101")
    assert "fine_tuned-0102" in evidence.of("fine_tuned").without_answers
    assert "(without fine_tuned-0102: " in in_words(evidence.comparisons[0])


def test_no_arm_tested_is_a_table_without_remarks(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path / "study", example_events(confirm_seeds=0)))

    table = evidence_table(record, summarize_arms(record), collect_uncertainty(record))

    assert table.remarks == ()
    assert [cell.text for cell in table.rows[0][2:5]] == ["-", "-", "-"]


def test_what_a_lost_trial_once_reached_is_no_find_of_the_search(tmp_path: Path) -> None:
    events = example_events()
    for event in events:
        if event["event"] == "epoch" and event["trial"] == "fine_tuned-0003":  # infeasible after it
            event |= {"best": 0.99, "best_epoch": 1}

    found = collect_uncertainty(read_study(write_study(tmp_path / "study", events))).of("fine_tuned").best_of_n

    assert max(found) == 3
    assert max(found.values()) < 0.89


def test_many_arms_share_their_five_percent(tmp_path: Path) -> None:
    """Three arms: the best against two others, p-values for both together."""
    study = study_with_predictions(tmp_path / "study")
    events = example_events()
    third = json.loads(
        json.dumps([event for event in events if "from_scratch" in json.dumps(event)]).replace("from_scratch", "third")
    )
    third = [event for event in third if event["event"] != "study_started"]
    events[0]["arms"].append({**events[0]["arms"][0], "name": "third", "label": "Third"})
    for number in range(3):
        store(study, f"third-010{number}", answers((0.78, 0.80, 0.82)[number], 40 + number))
    write_study(study, [*events[:-1], *third, events[-1]])

    comparisons = collect_uncertainty(read_study(study)).comparisons

    assert [comparison.minus for comparison in comparisons] == ["from_scratch", "third"]
    own = [comparison.result.p for comparison in comparisons if comparison.result]
    together = [comparison.p for comparison in comparisons]
    assert min(own) * 2 == pytest.approx(min(p for p in together if p is not None))
