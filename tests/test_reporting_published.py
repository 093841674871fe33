"""Published numbers: read as printed, and refused in one line where they cannot be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporting.published import PublishedError, read_published
from tests.study_fixtures import example_task

HEADER = "table,row,column,value,note,source\n"


def test_document_4_is_complete_and_verbatim() -> None:
    published = read_published(example_task())

    printed = {key: value.text for key, value in published.values.items() if key[0] != "runs"}
    assert printed == {
        ("best_variants", "from_scratch", "test_accuracy"): "0.8750",
        ("best_variants", "from_scratch", "test_loss"): "0.4528",
        ("best_variants", "fine_tuned", "test_accuracy"): "0.9000",
        ("best_variants", "fine_tuned", "test_loss"): "0.4108",
        ("best_model", "fine_tuned", "train_accuracy"): "0.9836",
        ("best_model", "fine_tuned", "train_loss"): "0.0559",
        ("best_model", "fine_tuned", "val_accuracy"): "0.9057",
        ("best_model", "fine_tuned", "val_loss"): "0.3771",
        ("best_model", "fine_tuned", "test_accuracy"): "0.9000",
        ("best_model", "fine_tuned", "test_loss"): "0.4108",
    }
    assert all(value.source.startswith("document 4, section") for value in published.values.values())


def test_the_four_best_runs_of_the_screenshot_are_kept() -> None:
    published = read_published(example_task())

    assert len(published.rows("runs")) == 4
    second = published.get("runs", "from_scratch_2", "test_accuracy")
    assert second is not None
    assert second.text == "0.8896"
    assert second.note == "random 480 of 500 test images"


def test_a_task_of_ones_own_has_no_published_numbers(tmp_path: Path) -> None:
    assert not read_published(example_task(name="mine"), tmp_path).values


def test_a_percentage_is_a_fraction_to_machines(tmp_path: Path) -> None:
    (tmp_path / "food10.csv").write_text(HEADER + "best_variants,fine_tuned,test_accuracy,97.5%,,document 9\n")

    value = read_published(example_task(), tmp_path).get("best_variants", "fine_tuned", "test_accuracy")

    assert value is not None
    assert value.text == "97.5%"
    assert value.number == pytest.approx(0.975)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "begins with 'nothing'"),
        ("table,row,field,value,note,source\n", "its first line must name the columns"),
        (HEADER + "best_variants,fine_tuned,test_acuracy,0.9,,document 4\n", "did you mean test_accuracy?"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,about 0.9,,document 4\n", "the value 'about 0.9'"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,nan,,document 4\n", "must be a number"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,0.9,,\n", "has no source"),
        (HEADER + "best_variants,fine_tuned,test_accuracy,0.9,,document 4, section 5\n", "has 7 fields, but needs 6"),
        (HEADER + 2 * "best_variants,fine_tuned,test_accuracy,0.9,,document 4\n", "stands twice"),
    ],
)
def test_what_cannot_be_right_is_refused_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "food10.csv").write_text(text)

    with pytest.raises(PublishedError) as error:
        read_published(example_task(), tmp_path)

    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert "food10.csv" in str(error.value)


def test_a_spreadsheets_encodings(tmp_path: Path) -> None:
    path = tmp_path / "food10.csv"
    line = "best_variants,fine_tuned,test_accuracy,0.9,mesuré,document 4\n"
    path.write_text(HEADER + line, encoding="utf-8-sig")
    assert read_published(example_task(), tmp_path).values

    path.write_text(HEADER + line, encoding="latin-1")
    with pytest.raises(PublishedError, match="is not UTF-8 at byte"):
        read_published(example_task(), tmp_path)
