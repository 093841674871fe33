"""Studies as text: terminal, Markdown, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reporting.errors import ReportingError
from reporting.formats import terminal
from reporting.formats.markdown import markdown_table
from reporting.formats.summarize import summarize_text
from reporting.tables import arm_tables
from reporting.tables.arm_tables import document_tables, open_study
from reporting.tables.table import Cell, Heading, RenderedTable, in_brackets, with_marks
from tests.fixtures.study import example_events, example_task, record_of, write_study


def table_text(studies: list[Path], **how: Any) -> str:
    """The studies in these folders as a terminal has them."""
    return terminal.render([open_study(study) for study in studies], **how)


SCORES = ("train_accuracy", "train_loss", "val_accuracy", "val_loss", "test_accuracy", "test_loss", "train_seconds")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())
    return write_study(tmp_path / "food10" / "example", example_events(missing_arm=True, sample=True))


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())
    return write_study(tmp_path / "food10" / "whole", example_events())


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_terminal_breaks_no_number(width: int, whole: Path, study: Path) -> None:
    for folder, record in ((whole, example_events()), (study, example_events(missing_arm=True, sample=True))):
        text = table_text([folder], width=width, colour=False)

        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        for table in document_tables(record_of(record), example_task()):
            table = with_marks(table, in_brackets)
            for row in table.rows:
                for heading, cell in zip(table.headings, row, strict=True):
                    assert heading.prose or cell.text in text
                    assert cell.published.text in text


def test_measured_and_published_stand_on_one_line(whole: Path) -> None:
    text = table_text([whole], width=80, colour=False)

    assert re.search(r"From Scratch +0\.8000 ± 0\.0200 +0\.8750 \[1\] +0\.2000 ± 0\.0200 +0\.4528 \[1\]", text)
    assert re.search(r"Validation Accuracy +0\.9100 ± 0\.0100 +0\.9057 \[\d\]", text)


def test_colour_only_on_a_terminal(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" not in table_text([whole], width=80, colour=False)
    assert "\x1b[" in table_text([whole], width=80, colour=True)
    assert "\x1b[" not in summarize_text([whole])  # pytest's standard output is no terminal


def test_brackets_in_labels_are_not_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())
    events = example_events()
    events[0]["arms"][0]["label"] = "Tiny [red]"

    assert "Tiny [red]" in table_text([write_study(tmp_path, events)], width=100, colour=False)


def test_several_studies_have_a_heading_each(whole: Path, study: Path) -> None:
    for form in ("table", "markdown"):
        text = summarize_text([whole, study], form)
        assert len(re.findall(r"study food10/example", text)) == 2


def test_a_sample_is_labelled_in_every_format(study: Path) -> None:
    assert summarize_text([study], "markdown").count("(sample data") == 5  # heading and four tables
    assert " ".join(table_text([study], width=80, colour=False).split()).count("(sample data") == 5
    assert json.loads(summarize_text([study], "json"))["sample"] is True
    assert {row["sample"] for row in csv.DictReader(io.StringIO(summarize_text([study], "csv")))} == {"True"}


def test_markdown_is_a_valid_table() -> None:
    for table in document_tables(record_of(example_events()), example_task()):
        lines = [line for line in markdown_table(table).splitlines() if line.startswith("|")]
        columns = sum(2 if heading.compared else 1 for heading in table.headings)
        assert len(lines) == 2 + len(table.rows)
        assert re.fullmatch(r"\|(-+\|)+", lines[1])
        assert {line.count("|") for line in lines} == {columns + 1}


def test_markdown_keeps_bars_and_line_breaks_inside_their_cell() -> None:
    table = RenderedTable(
        name="odd", title="Odd", headings=(Heading(text="Model", prose=True),), rows=((Cell(text="a|b\nc *d*"),),)
    )

    assert r"| a\|b c \*d\* |" in markdown_table(table).splitlines()


def test_json_is_the_contract(study: Path) -> None:
    summary = json.loads(summarize_text([study], "json"))

    assert {"task", "study", "rows", "sample", "status"} <= set(summary)
    assert (summary["task"], summary["study"], summary["status"]) == ("food10", "example", "completed")
    scratch, tuned = summary["rows"]
    for row in (scratch, tuned):
        assert {"arm", "label", "config", "seeds", *SCORES, "metrics", "published"} <= set(row)
    assert scratch["seeds"] == [101, 102, 103]
    assert scratch["test_accuracy"] == pytest.approx(0.80)
    assert scratch["metrics"]["test_accuracy"] == {"mean": pytest.approx(0.80), "std": pytest.approx(0.02), "n": 3}
    assert scratch["published"] == {"test_accuracy": 0.875, "test_loss": 0.4528}
    assert all(tuned[score] is None for score in SCORES)
    assert tuned["config"] is None
    assert tuned["metrics"] == {}
    assert tuned["published"]["val_accuracy"] == pytest.approx(0.9057)


def test_json_of_several_studies_is_a_list(study: Path, whole: Path) -> None:
    assert [summary["sample"] for summary in json.loads(summarize_text([study, whole], "json"))] == [True, False]


def test_csv_is_the_wide_frame(study: Path, whole: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(summarize_text([study, whole], "csv"))))

    assert [line["arm"] for line in lines] == ["from_scratch", "fine_tuned"] * 2
    assert lines[1]["test_accuracy"] == ""
    assert lines[0]["conv_blocks"] == "4"
    assert lines[1]["conv_blocks"] == ""
    assert float(lines[3]["published_test_accuracy"]) == pytest.approx(0.9)


def test_an_unknown_format_is_one_line(whole: Path) -> None:
    with pytest.raises(ReportingError, match=r"unknown format 'markdwn'; did you mean markdown\?"):
        summarize_text([whole], "markdwn")


@pytest.mark.parametrize(("form", "pandas_too"), [("table", True), ("markdown", True), ("json", True), ("csv", False)])
def test_reading_results_imports_nothing_heavy(whole: Path, form: str, pandas_too: bool) -> None:
    heavy = {
        "ray",
        "tensorflow",
        "keras",
        "optuna",
        "h5py",
        "sklearn",
        "matplotlib",
        *({"pandas"} if pandas_too else ()),
    }
    code = (
        "import sys; from pathlib import Path\n"
        "from reporting.tables import arm_tables; from reporting.formats.summarize import summarize_text\n"
        "from tests.fixtures.study import example_task\n"
        "arm_tables.load_task = lambda name: example_task()\n"
        f"summarize_text([Path({str(whole)!r})], {form!r})\n"
        f"print(sorted({heavy!r} & set(sys.modules)))\n"
    )

    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
