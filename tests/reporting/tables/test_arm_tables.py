"""The report's tables as data: measured beside published, samples and gaps labelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasets.input_config import InputConfig
from reporting.formats.dataframes import summarize
from reporting.results.headings import ledger_line, status_lines
from reporting.results.reference_results import Published
from reporting.tables import arm_tables, formatting
from reporting.tables.arm_tables import document_tables, open_study
from reporting.tables.table import Cell, RenderedTable, in_brackets, with_marks
from search_spaces.formatting import format_value
from tasks.task import Column, Sample, Table, load_task
from tests.fixtures.study import example_events, example_task, record_of, write_study
from tuning.records.study_record import StudyNotFound


def _tables(**changes: bool | int | str | None) -> dict[str, RenderedTable]:
    record = record_of(example_events(**changes))  # type: ignore[arg-type]
    return {table.name: table for table in document_tables(record, example_task())}


def _marked(table: RenderedTable) -> tuple[tuple[Cell, ...], ...]:
    """The rows with the marks of their footnotes in the text."""
    return with_marks(table, in_brackets).rows


def test_measured_and_published_stand_in_one_cell() -> None:
    table = _tables()["best_variants"]

    assert [heading.text for heading in table.headings] == ["Model Type", "Test Accuracy", "Test Loss"]
    scratch, tuned = _marked(table)
    assert [cell.text for cell in scratch] == ["From Scratch (Best Variant)", "0.8000 ± 0.0200", "0.2000 ± 0.0200"]
    assert [cell.published.text for cell in scratch[1:]] == ["0.8750 [1]", "0.4528 [1]"]
    assert [cell.published.text for cell in tuned[1:]] == ["0.9000 [2]", "0.4108 [2]"]
    assert table.notes[1] == "random 480 of 500 test images"


def test_a_single_seed_shows_no_deviation() -> None:
    assert _tables(confirm_seeds=1)["best_variants"].rows[0][1].text == "0.7800"


def test_the_best_table_has_the_arm_best_on_validation() -> None:
    table = _tables()["best_model"]

    assert len(table.rows) == 1
    assert [cell.text for cell in table.rows[0]] == [
        "Fine Tuned (Best Variant)",
        "0.9100 ± 0.0100",
        "0.0900 ± 0.0100",
        "0.9100 ± 0.0100",
        "0.1900 ± 0.0100",
        "0.8900 ± 0.0100",
        "0.1100 ± 0.0100",
    ]


def test_the_documents_best_stays_where_this_study_found_another() -> None:
    table = _tables(missing_arm=True)["best_model"]

    assert [row[0].text for row in _marked(table)] == ["From Scratch (Best Variant)", "Fine Tuned (Best Variant) [1]"]
    assert table.rows[1][5].text == "-"
    assert table.rows[1][5].published.text.startswith("0.9000")
    assert table.notes[0].startswith("the report's best model")


def test_an_arm_without_a_finished_trial_stays_with_its_reason() -> None:
    table = _tables(missing_arm=True)["best_variants"]

    label, accuracy, _ = _marked(table)[1]
    assert accuracy.text == "-"
    assert accuracy.published.text.startswith("0.9000")
    assert label.text == "Fine Tuned (Best Variant) [2]"
    assert table.notes[1].startswith("no finished trial: 2 failed")


def test_no_arm_finished_is_said_too() -> None:
    events = [event for event in example_events(end=None) if event["event"] == "study_started"]

    table = document_tables(record_of(events), example_task(), Published())[-1]

    assert [row[0].text for row in _marked(table)] == ["- [1]"]
    assert table.notes == ("no arm has a finished trial",)
    notes = document_tables(record_of(events), example_task())[-1].notes
    assert "the report's best model; no finished trial: none was started" in notes  # nothing stands above it


def test_a_published_row_that_was_not_run_stays() -> None:
    events = example_events()
    events[0]["arms"] = events[0]["arms"][:1]

    table = document_tables(record_of(events), example_task())[0]

    assert [cell.text for cell in _marked(table)[1]] == ["Fine Tuned (Best Variant) [2]", "-", "-"]
    assert table.notes[1] == "not part of this study"


def test_every_table_of_a_sample_is_labelled() -> None:
    rendered = _tables(sample=True)

    assert len(rendered) == 4
    assert all(table.title.endswith("(sample data)") for table in rendered.values())
    assert "sample: EfficientNetLite0 in place of NASNetMobile" in rendered["best_variants"].notes
    assert not any("sample" in table.title for table in _tables().values())


def test_fewer_values_than_seeds_is_marked() -> None:
    column = Column(field="val_loss", heading="Validation Loss")
    task = example_task(Table(name="validation", title="Validation", columns=(column,)))

    table = document_tables(record_of(example_events(null_seed=True)), task)[0]

    assert _marked(table)[0][1].text == "0.2950 ± 0.0071 [1]"
    assert table.notes == ("over 2 of 3 seeds: in the others not a finite number",)


def test_a_column_may_be_a_fact_or_a_setting() -> None:
    columns = tuple(
        Column(field=field, heading=field)
        for field in ("label", "parameters", "learning_rate", "train_seconds", "none")
    )
    task = example_task(Table(name="cost", title="Cost", columns=columns))

    table = document_tables(record_of(example_events()), task)[0]

    texts = [cell.text for cell in table.rows[0]]
    assert texts == ["From Scratch (Best Variant)", "4.7 M", "3.2e-4", "8.0 s", "-"]
    assert not any(heading.compared for heading in table.headings)


def test_a_heading_that_names_seconds_has_seconds_below_it() -> None:
    """The traffic-signs report prints 2071.7088 below "Time_train (s)": 34 min 32 s beside it could not be compared."""
    task = load_task("traffic_signs")
    events = [
        {**event, "seconds": {"train": 517.9272}} if event["event"] == "epoch" else event
        for event in example_events(task="traffic_signs", confirm_seeds=1)
    ]

    table = document_tables(record_of(events), task)[0]

    assert table.headings[-1].text == "Time_train (s)"
    cells = {row[0].text: row[-1] for row in table.rows}
    assert cells["Fine Tuned (Best Variant)"].text == "2071.7088"  # four epochs
    assert cells["CNN_10_relu"].published.text == "2071.7088"


def test_published_rows_of_arms_that_must_be_named_stand_under_their_labels() -> None:
    task = load_task("cifar10")

    table = document_tables(record_of(example_events(task="cifar10")), task)[0]

    rows = {row[0].text: row for row in table.rows}
    label, accuracy, *_ = rows["MiniGoogLeNet, Experiment 2"]
    assert (accuracy.text, accuracy.published.text) == ("-", "0.91")
    assert label.notes == ("not part of this study",)
    assert not any("published only" in note for note in table.notes)


def test_what_it_took_stands_below_the_first_table() -> None:
    record = record_of(example_events())

    table = document_tables(record, example_task())[1]

    assert table.name == "what_it_took"
    row = dict(zip((heading.text for heading in table.headings), (cell.text for cell in table.rows[0]), strict=True))
    assert row == {
        "Model Type": "From Scratch (Best Variant)",
        "Search: trials": "2 finished, 1 stopped early, 1 infeasible, 1 failed",
        "Search: epochs": "10",
        "Search: training time": "20.0 s",
        "Best configuration": "adam, learning_rate 3.2e-4, conv_blocks 4, filter_width 1, "
        "schedule halve_on_plateau, dropout 0, batch_size 32",
        "Seeds confirmed": "3",
        "Training time of a seed": "8.0 s",
        "Parameters": "4.7 M",
        "Model size": "18.8 MB",
        "Latency an image": "12.3 ms",
    }


def _pretrained(*arms: str, earlier: bool = False, epochs: int = 20) -> RenderedTable:
    """Compute cost where the backbones of these arms learn from one file first, in a trial of from_scratch."""
    started, *rest = example_events()
    described = {"epochs": 20, "weights": "NASNetMobile-1a.npz", "from_an_earlier_study": earlier}
    for arm in started["arms"]:
        if arm["name"] in arms:
            arm["pretraining"] = described
    name = "from_scratch-pretrain"
    asked = {"trial": name, "arm": "from_scratch", "role": "pretrain", "number": 0, "config": {}, "seed": 0}
    events = [{"event": "trial_asked", **asked, "max_epochs": 20}]
    for epoch in range(1, epochs + 1):
        reached = {"metrics": {"val_accuracy": 0.99}, "best": 0.99, "best_epoch": 1, "seconds": {"train": 186.0}}
        events.append({"event": "epoch", "trial": name, "epoch": epoch, **reached})
    if earlier:
        events = []
    record = record_of([started, *({**event, "time": 0.0} for event in events), *rest])
    return document_tables(record, example_task())[1]


@pytest.mark.parametrize(
    ("arms", "changes", "expected"),
    [
        (["from_scratch"], {}, ["20 epochs, 1 h 2 min", "-"]),
        (["from_scratch"], {"epochs": 3}, ["3 of 20 epochs, 9 min 18 s", "-"]),
        (["from_scratch", "fine_tuned"], {}, ["20 epochs, 1 h 2 min", "20 epochs, with from_scratch"]),
        (["fine_tuned"], {"earlier": True}, ["-", "20 epochs, in an earlier study"]),
    ],
)
def test_what_a_backbone_learned_first_stands_beside_the_search(
    arms: list[str], changes: dict[str, Any], expected: list[str]
) -> None:
    table = _pretrained(*arms, **changes)
    headings = [heading.text for heading in table.headings]

    assert [row[headings.index("Learned first")].text for row in table.rows] == expected
    searched = [row[headings.index("Search: trials")].text for row in table.rows]
    assert searched == ["2 finished, 1 stopped early, 1 infeasible, 1 failed"] * 2
    assert [row[headings.index("Search: epochs")].text for row in table.rows] == ["10", "10"]


def test_openings_of_the_test_split_are_told() -> None:
    assert ledger_line(record_of(example_events())) == (
        "test split opened: 2 times (from_scratch: confirmed winners; fine_tuned: confirmed winners)"
    )
    assert ledger_line(record_of(example_events(confirm_seeds=0))) == "test split opened: never"
    assert ledger_line(record_of(example_events(missing_arm=True))).startswith("test split opened: 1 time (")


def test_an_unfinished_study_says_so() -> None:
    assert status_lines(record_of(example_events())) == []
    assert "no end yet" in status_lines(record_of(example_events(end=None)))[0]
    assert "interrupted (Ctrl-C)" in status_lines(record_of(example_events(end="interrupted")))[0]
    assert "ended early, fatal" in status_lines(record_of(example_events(end="fatal")))[0]


def test_the_wide_frame_has_a_row_an_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())
    study = write_study(tmp_path / "study", example_events(missing_arm=True))

    frame = summarize(study).set_index("arm")

    assert frame.loc["from_scratch", "test_accuracy"] == pytest.approx(0.80)
    assert frame.loc["from_scratch", "test_accuracy_std"] == pytest.approx(0.02)
    assert frame.loc["from_scratch", "published_test_accuracy"] == pytest.approx(0.875)
    assert frame.loc["from_scratch", "seeds"] == "101 102 103"
    assert frame.loc["from_scratch", "conv_blocks"] == 4
    assert frame["test_accuracy"].isna().to_list() == [False, True]
    assert frame["trials_failed"].to_list() == [1, 2]


def test_an_empty_study_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StudyNotFound, match="holds no started study"):
        open_study(write_study(tmp_path / "study", []))


def test_a_sample_is_read_as_the_tasks_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Sample(dataset=example_task().dataset, views=InputConfig(image_size=8), epochs=1)
    whole = replace(example_task(), sample=small)
    monkeypatch.setattr(arm_tables, "load_task", lambda name: whole)

    _, task = open_study(write_study(tmp_path / "study", example_events(sample=True)))

    assert task == whole.sampled() != whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formatting.count(999_949), "999.9 k"),
        (formatting.count(999_999), "1.0 M"),
        (formatting.count(850), "850"),
        (formatting.duration(59.99), "1 min 0 s"),
        (formatting.duration(3599.7), "1 h 0 min"),
        (formatting.duration(11_110), "3 h 5 min"),
        (format_value(1e-3), "1e-3"),
        (format_value(0.05), "0.05"),
        (format_value(999.7), "1000"),
        (format_value(0.0), "0"),
        (format_value(True), "True"),
        (formatting.latency(1234.5), "1,234 ms"),
        (formatting.mean_and_deviation(0.875, None, 4), "0.8750"),
    ],
)
def test_numbers_as_a_reader_wants_them(text: str, expected: str) -> None:
    assert text == expected
