"""One row an arm: means, deviations, what is missing and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from reporting.results.arm_results import aggregate, best_arm, summarize_arms
from reporting.tables import arm_tables
from tests.fixtures.study import CONFIGS, example_events, example_task, record_of, typed, write_study
from tuning.records.study_record import StudyRecord, replay


def test_a_row_is_the_mean_over_the_confirmed_seeds() -> None:
    scratch, tuned = summarize_arms(record_of(example_events()))

    assert scratch.seeds == (101, 102, 103)
    assert scratch.state == "confirmed"
    assert scratch.status == ""
    # 0.78, 0.80, 0.82: mean 0.80; squared distances 4e-4, 0, 4e-4 over n - 1 = 2 make 4e-4, its root 0.02
    assert scratch.metrics["test_accuracy"].mean == pytest.approx(0.80)
    assert scratch.metrics["test_accuracy"].std == pytest.approx(0.02)
    assert scratch.metrics["test_accuracy"].n == 3
    assert tuned.metrics["val_accuracy"].mean == pytest.approx(0.91)
    assert tuned.metrics["val_accuracy"].std == pytest.approx(0.01)
    assert tuned.metrics["final_train_accuracy"].mean == pytest.approx(0.97)


def test_metrics_are_those_of_the_best_epoch_not_of_the_last() -> None:
    scratch = summarize_arms(record_of(example_events()))[0]

    assert scratch.metrics["val_loss"].mean == pytest.approx(1.1 - 0.81)
    assert scratch.metrics["best_epoch"].mean == 2
    assert scratch.metrics["epochs"].mean == 4
    assert scratch.metrics["train_seconds"].mean == pytest.approx(4 * 2.0)


def test_one_seed_has_no_deviation() -> None:
    scratch = summarize_arms(record_of(example_events(confirm_seeds=1)))[0]

    assert scratch.metrics["test_accuracy"].mean == pytest.approx(0.78)
    assert scratch.metrics["test_accuracy"].std is None
    assert scratch.metrics["test_accuracy"].n == 1


def test_a_value_that_is_not_finite_is_left_out_and_counted() -> None:
    scratch = summarize_arms(record_of(example_events(null_seed=True)))[0]

    assert scratch.metrics["val_loss"].n == 2
    assert scratch.metrics["val_loss"].mean == pytest.approx((0.30 + 0.29) / 2)
    assert scratch.metrics["val_accuracy"].n == 3


def test_nothing_measured_is_no_metric() -> None:
    assert aggregate([None, None]) is None
    assert aggregate([]) is None
    single = aggregate([0.5])
    assert single is not None
    assert single.std is None


def test_the_search_is_counted_apart_from_the_confirmations() -> None:
    scratch = summarize_arms(record_of(example_events()))[0]

    assert scratch.trials == {"completed": 2, "stopped": 1, "infeasible": 1, "failed": 1}
    assert scratch.search_epochs == 4 + 4 + 1 + 1
    assert scratch.search_train_seconds == pytest.approx(20.0)


def test_the_configured_learning_rate_is_not_the_schedules() -> None:
    scratch = summarize_arms(record_of(example_events()))[0]

    assert scratch.config == CONFIGS["from_scratch"]
    assert "learning_rate" not in scratch.metrics


def test_an_arm_without_a_finished_trial_keeps_its_row() -> None:
    tuned = summarize_arms(record_of(example_events(missing_arm=True)))[1]

    assert tuned.state == "missing"
    assert tuned.status == (
        "no finished trial: 2 failed (the worker ran out of memory), 1 infeasible (loss is not finite)"
    )
    assert tuned.metrics == {}
    assert tuned.objective is None


def test_what_a_backbone_learned_first_is_no_trial_of_its_row() -> None:
    events = example_events(missing_arm=True)
    pretraining = {"trial": "p", "arm": "fine_tuned", "role": "pretrain", "number": 0, "config": {}, "seed": 0}
    events[1:1] = [
        {"event": "trial_asked", **pretraining, "max_epochs": 20, "time": 0.0},
        {"event": "trial_ended", "trial": "p", "status": "completed", "time": 0.0},
    ]

    tuned = summarize_arms(record_of(events))[1]

    assert "completed" not in tuned.status
    assert tuned.status.startswith("no finished trial: 2 failed")
    assert tuned.trials == {"completed": 0, "stopped": 0, "infeasible": 1, "failed": 2}
    only_pretrained = record_of([event for event in events if event.get("trial", "p") == "p"])
    assert summarize_arms(only_pretrained)[1].status == "no finished trial: none was started"


def test_without_confirmations_the_row_says_so() -> None:
    scratch = summarize_arms(record_of(example_events(confirm_seeds=0)))[0]

    assert scratch.state == "searched"
    assert scratch.seeds == (1,)
    assert "one seed" in scratch.status
    assert scratch.status.endswith("not measured on the test split")


def test_a_failed_confirmation_is_told() -> None:
    events = example_events()
    for event in events:
        if event["event"] == "trial_ended" and event["trial"] == "from_scratch-0102":
            event |= {"status": "failed", "reason": "the worker died"}

    scratch = summarize_arms(record_of(events))[0]

    assert scratch.seeds == (101, 102)
    assert scratch.status == "2 of 3 seeds: 1 failed (the worker died)"


def test_the_best_arm_is_chosen_by_validation_alone() -> None:
    events = example_events()
    for event in events:  # the test split would choose the other arm
        if event["event"] == "test_measured" and event["arm"] == "from_scratch":
            event["metrics"] = {"test_accuracy": 0.99, "test_loss": 0.01}
    record = record_of(events)

    best = best_arm(record, summarize_arms(record))

    assert best is not None
    assert best.arm == "fine_tuned"


def test_the_best_arm_follows_the_direction_of_the_objective() -> None:
    events = example_events()
    events[0]["objective"] = {"metric": "val_loss", "direction": "min"}
    record = record_of(events)

    best = best_arm(record, summarize_arms(record))

    assert best is not None
    assert best.objective is not None
    assert math.isclose(best.objective.mean, 0.81)


def test_facts_are_of_the_seed_best_on_validation() -> None:
    events = example_events()
    for event in events:
        if event["event"] == "test_measured" and event["trial"] == "from_scratch-0102":
            event["facts"] = {"parameters": 7, "size_bytes": 8, "latency_ms": None, "note": "swapped"}

    scratch = summarize_arms(record_of(events))[0]

    assert scratch.facts == {"parameters": 7, "size_bytes": 8, "latency_ms": None}
    assert scratch.note == "swapped"


@pytest.mark.slow  # draws its pictures
@pytest.mark.parametrize("command", ["summarize", "report"])
def test_a_command_computes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    computed: list[Hashable] = []
    derived = StudyRecord.derived

    def counted(record: StudyRecord, key: Hashable, compute: Callable[[], Any]) -> Any:
        return derived(record, key, lambda: (computed.append(key), compute())[1])

    monkeypatch.setattr(StudyRecord, "derived", counted)
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())
    write_study(tmp_path / "food10" / "once", example_events())
    done = CliRunner().invoke(cli.cli, [command, "once", "--results", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert len(computed) == len(set(computed)) > 0


def test_a_live_study_is_computed_anew_after_an_event() -> None:
    *events, last = map(typed, example_events())
    record = replay(events)
    before = summarize_arms(record)
    assert summarize_arms(record) is before
    record.apply(last)
    assert summarize_arms(record) is not before
