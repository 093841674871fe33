"""Lists of trials: filtered, sorted, with the columns that tell them apart, in every format."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from reporting.errors import ReportingError
from reporting.formats.dataframes import to_csv, trials_frame
from reporting.trials import trial_text
from reporting.trials.query import TrialQuery, count_line, select
from tests.fixtures.study import example_events, many_events, record_of, write_study
from tuning.records.study_record import read_study

RECORD = record_of(example_events())


def names(**asked: object) -> list[str]:
    return [row["trial"] for row in select(RECORD, TrialQuery(**asked)).rows]  # type: ignore[arg-type]


def test_best_first_and_what_has_no_value_last() -> None:
    found = names(arms=("from_scratch",))

    assert found[:3] == ["from_scratch-0102", "from_scratch-0101", "from_scratch-0100"]  # 0.82, 0.81, 0.80
    assert found[-2:] == ["from_scratch-0003", "from_scratch-0004"]  # infeasible, failed: in the order asked


def test_what_a_lost_trial_reached_before_is_not_best_and_its_reason_is_one_line() -> None:
    events = example_events()
    for event in events:
        if event["event"] == "epoch" and event["trial"] == "from_scratch-0003":  # infeasible after it
            event |= {"best": 0.99, "best_epoch": 1}
        if event["event"] == "trial_ended" and event["trial"] == "from_scratch-0003":
            event["reason"] = "two\nlines"
    runs = select(record_of(events), TrialQuery(arms=("from_scratch",)))

    assert [row["trial"] for row in runs.rows][-2:] == ["from_scratch-0003", "from_scratch-0004"]
    assert len(trial_text.plain_text(runs).splitlines()) == 1 + len(runs.rows)


def test_sorted_by_several_columns() -> None:
    assert names(sort="arm,-number", where="role=confirm") == [
        *("fine_tuned-0102", "fine_tuned-0101", "fine_tuned-0100"),
        *("from_scratch-0102", "from_scratch-0101", "from_scratch-0100"),
    ]
    assert names(sort="momentum,trial", limit=1) == ["fine_tuned-0000"]
    assert names(sort="-momentum,trial")[-1] == "from_scratch-0102"  # absent values come last downwards too


def test_filtered() -> None:
    assert names(where="status=infeasible") == ["from_scratch-0003", "fine_tuned-0003"]
    assert names(where="test_accuracy>=0.9") == ["fine_tuned-0102"]
    assert names(where="optimizer=adam and val_accuracy>0.8 and role=confirm", sort="trial") == [
        "from_scratch-0101",
        "from_scratch-0102",
    ]


def test_default_columns_tell_trials_apart() -> None:
    columns = select(RECORD, TrialQuery(arms=("from_scratch",))).columns

    assert columns[:4] == ("trial", "status", "epochs", "val_accuracy")
    assert {"test_accuracy", "dropout", "seconds", "reason"} <= set(columns)
    assert "optimizer" not in columns  # all of this arm have the same
    assert "momentum" not in columns


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"arms": ("from_scrach",)}, "arms: unknown arm 'from_scrach'; did you mean from_scratch?"),
        ({"sort": "-accuracy"}, "sort: unknown column 'accuracy'; did you mean"),
        ({"columns": ("val_acuracy",)}, "columns: unknown column 'val_acuracy'; did you mean val_accuracy?"),
    ],
)
def test_names_that_are_not_there(asked: dict[str, object], message: str) -> None:
    with pytest.raises(ReportingError) as raised:
        names(**asked)
    assert message in str(raised.value)


def test_nothing_found_says_why() -> None:
    found = select(RECORD, TrialQuery(where="optimizer=adamm"))

    assert found.rows == []
    assert found.hints == ("optimizer is never 'adamm' here: it is adam, sgd",)
    assert select(RECORD, TrialQuery(where="epochs = 4.0 and epochs > 4")).hints == ()
    assert select(RECORD, TrialQuery(where="number = 77 and optimizer=adam")).hints == (
        "number is never 77 here: it is 0, 1, 2, 3, 4, 100, 101, 102",
    )
    assert trial_text.plain_text(found).startswith("trial")
    assert count_line(RECORD, found) == "0 of 16 trials of food10/example"


def test_csv_has_the_numbers_of_trials_csv() -> None:
    found = select(RECORD, TrialQuery(sort="number,arm"))
    found = type(found)(**{**found.__dict__, "columns": found.every})
    ours = {row["trial"]: row for row in csv.DictReader(io.StringIO(trial_text.csv_text(found)))}

    for row in csv.DictReader(io.StringIO(to_csv(trials_frame(RECORD)))):
        mine = ours[row["trial"]]
        assert list(row) == list(mine)
        for name, text in row.items():
            assert mine[name] == text or float(mine[name]) == float(text), name


def test_json_has_nulls_and_markdown_is_a_table() -> None:
    found = select(
        RECORD, TrialQuery(columns=("trial", "momentum", "reason"), limit=2, sort="trial", arms=("from_scratch",))
    )

    assert json.loads(trial_text.json_text(found))[0] == {
        "trial": "from_scratch-0000",
        "momentum": None,
        "reason": None,
    }
    lines = trial_text.markdown_text(found).splitlines()
    assert lines[1] == "| --- | ---: | --- |"
    assert len(lines) == 4


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_a_terminal_is_never_overrun(width: int) -> None:
    found = select(RECORD, TrialQuery())
    text = trial_text.terminal_text(found, width, colour=False)

    table, _, left_out = text.partition("\n\n")
    assert max(map(len, table.splitlines())) <= width
    shown = table.splitlines()[0].split()
    assert shown[0] == "trial"
    if len(shown) < len(found.columns):
        assert all(name in left_out for name in set(found.columns) - set(shown))


def test_the_command(tmp_path: Path) -> None:
    write_study(tmp_path / "food10" / "example", example_events())

    def run(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(cli.cli, ["runs", "food10", "--results", str(tmp_path), *arguments])
        return result.exit_code, result.stdout, result.stderr

    status, printed, told = run("--where", "status=failed")
    assert status == 0
    assert printed.splitlines()[1].startswith("from_scratch-0004  failed")
    assert "the worker ran out of memory" in printed
    assert "\x1b" not in printed  # no terminal here
    assert told == "2 of 16 trials of food10/example: 2 failed\n"
    assert len(run("--limit", "3")[1].splitlines()) == 4
    assert run("--where", "val_accuracy>high")[::2] == (
        2,
        "Error: --where: val_accuracy is a number, but 'high' is none; write a number, as in val_accuracy > 0.8\n",
    )
    by_time = run("--where", "status IN (completed, stopped)", "--sort", "seconds DESC", "--format", "json")[1]
    seconds = [trial["seconds"] for trial in json.loads(by_time)]
    assert seconds == sorted(seconds, reverse=True)
    assert run("--limit", "0")[0] == 2
    assert len(json.loads(run("--format", "json")[1])[0]) > 20


def test_a_study_in_which_nothing_was_asked_yet() -> None:
    record = record_of(example_events()[:1])

    found = select(record, TrialQuery())

    assert found.rows == []
    assert trial_text.plain_text(found) == ""
    assert trial_text.terminal_text(found, 80, colour=True) == ""


def test_ten_thousand_trials_in_seconds(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", many_events(trials=10_000, epochs=2))

    started = time.process_time()
    found = select(read_study(study), TrialQuery(where="optimizer=adam and val_accuracy>0.5"))
    text = trial_text.plain_text(found)

    assert len(text.splitlines()) == 1 + 5000
    assert time.process_time() - started < 5
