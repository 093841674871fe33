"""A row a trial, a row an epoch."""

from __future__ import annotations

import csv
import io
import time

import pytest

from reporting.formats.dataframes import history_frame, table_frame, to_csv, trials_frame
from reporting.results.reference_results import read_published
from tests.fixtures.study import BEST, example_events, example_task, many_events, record_of


def test_a_row_a_trial_with_every_axis() -> None:
    frame = trials_frame(record_of(example_events())).set_index("trial")

    assert len(frame) == 2 * (5 + 3)
    first = frame.loc["from_scratch-0000"]
    assert (first["role"], first["status"], first["epochs"], first["best_epoch"]) == ("search", "completed", 4, 3)
    assert first["best"] == pytest.approx(0.79)
    assert first["val_loss"] == pytest.approx(1.1 - 0.79)
    assert first["learning_rate"] == pytest.approx(0.00032)  # as configured, not as the schedule left it
    assert first["seconds_train"] == pytest.approx(8.0)
    confirmed = frame.loc["fine_tuned-0101"]
    assert confirmed["test_accuracy"] == pytest.approx(0.89)
    assert confirmed["final_train_accuracy"] == pytest.approx(0.97)


def test_what_a_trial_does_not_have_is_empty() -> None:
    frame = trials_frame(record_of(example_events())).set_index("trial")

    assert frame["momentum"].isna()["from_scratch-0000"]
    assert frame["conv_blocks"].isna()["fine_tuned-0000"]
    assert frame["best_epoch"].isna()["from_scratch-0004"]
    assert frame["reason"]["from_scratch-0004"] == "the worker ran out of memory"
    first = next(csv.DictReader(io.StringIO(to_csv(frame.reset_index()))))
    assert (first["conv_blocks"], first["best_epoch"], first["momentum"]) == ("4", "3", "")


def test_a_row_an_epoch() -> None:
    frame = history_frame(record_of(example_events(missing_arm=True)))

    scratch = frame[frame["trial"] == "from_scratch-0000"]
    assert scratch["epoch"].to_list() == [1, 2, 3, 4]
    assert scratch["val_accuracy"].to_list() == [0.5, 0.6, 0.79, 0.7]
    assert scratch["learning_rate"].to_list() == [1e-4] * 4
    infeasible = frame[frame["trial"] == "fine_tuned-0002"]
    assert infeasible["val_loss"].isna().to_list() == [True]


def test_a_study_that_only_began_has_empty_frames() -> None:
    record = record_of(example_events()[:1])

    assert len(trials_frame(record)) == 0
    assert len(history_frame(record)) == 0


def test_a_table_as_numbers_keeps_published_ones_verbatim() -> None:
    task = example_task()

    frame = table_frame(record_of(example_events()), BEST, read_published(task))

    assert frame["arm"].to_list() == ["fine_tuned"]
    assert frame["val_accuracy_std"].to_list() == pytest.approx([0.01])
    assert frame["published_test_accuracy"].to_list() == ["0.9000"]
    assert frame["published_test_accuracy_note"].to_list() == ["random 480 of 500 test images"]


@pytest.mark.slow
def test_ten_thousand_trials_are_read_in_seconds() -> None:
    record = record_of(many_events(trials=10_000, epochs=10))

    started = time.process_time()
    trials, history = trials_frame(record), history_frame(record)

    assert (len(trials), len(history)) == (10_000, 100_000)
    assert time.process_time() - started < 5
