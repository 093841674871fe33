from __future__ import annotations

import io
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from tests.fixtures.simulated import SimulatedMachine, simulated_plan
from tests.fixtures.study import example_events, typed
from trainables.trial_spec import TrialSpec
from tuning.listeners.progress import Progress
from tuning.records.study_record import StudyRecord


def test_a_line_an_epoch_does_not_sum_over_all_epochs_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 trials of 100 short epochs spent three minutes on it."""
    sums: list[Progress] = []

    def time_left(self: Progress) -> str:
        sums.append(self)
        return "time left: about 3 s"

    monkeypatch.setattr(Progress, "_time_left", time_left)
    printed, record = io.StringIO(), StudyRecord()
    progress = Progress(Console(file=printed))
    progress.watch(record, simulated_plan(tmp_path, trials=2, max_epochs=4))
    events = [event for event in example_events() if event["event"] != "trial_ended"]
    for event in events:
        record.apply(typed(event))
        progress.apply(typed(event))
    epochs = sum(event["event"] == "epoch" for event in events)
    assert printed.getvalue().count("time left: about 3 s") == epochs > 20
    assert 1 <= len(sums) <= 2


def test_the_best_of_an_arm_is_of_no_lost_trial(tmp_path: Path) -> None:
    """What a trial reached before its loss was not finite is no result: no row will be made of it."""
    plan = simulated_plan(tmp_path, trials=3, max_epochs=2)
    machine = SimulatedMachine(plan, tmp_path)
    for value, status in ((0.9, "infeasible"), (0.2, "completed"), (0.5, "running")):
        spec = machine.search.ask()
        assert isinstance(spec, TrialSpec)
        machine.search.tell_started(spec.trial)
        told = {"epoch": 1, "metrics": {"val_accuracy": value}, "objective": value, "best_epoch": 1, "seconds": {}}
        machine.search.tell_epoch(spec.trial, told)
        if status != "running":
            machine.search.tell_finished(spec.trial, status)
    printed = io.StringIO()
    console = Console(file=printed, width=100)
    progress = Progress(console)
    progress.watch(machine.record, plan)
    console.print(progress)
    rows = [line.split() for line in printed.getvalue().splitlines()]
    assert {cells[0]: cells[4] for cells in rows if cells and cells[0] in ("slow", "fast")} == {
        "slow": "0.5000",
        "fast": "0.2000",
    }


def shown(progress: Progress, width: int = 80) -> str:
    printed = io.StringIO()
    Console(file=printed, width=width).print(progress)
    return printed.getvalue()


def machine_with(tmp_path: Path, value: float, phase: str = "") -> Progress:
    """A study of ten classes and 100 validation images: one trial has ended with that value, one starts."""
    plan = simulated_plan(tmp_path, trials=3, max_epochs=2)
    machine = SimulatedMachine(plan, tmp_path)
    spec = machine.search.ask()
    assert isinstance(spec, TrialSpec)
    machine.search.tell_started(spec.trial)
    told = {"epoch": 1, "metrics": {"val_accuracy": value}, "objective": value, "best_epoch": 1, "seconds": {}}
    machine.search.tell_epoch(spec.trial, told)
    machine.search.tell_finished(spec.trial, "completed")
    assert isinstance(machine.search.ask(), TrialSpec)
    machine.record.started = replace(
        machine.record.header,
        data=replace(machine.record.header.data, classes=tuple("abcdefghij"), counts={"val": 100}),
    )
    progress = Progress(Console(file=io.StringIO()), phase_of=lambda trial: phase)
    progress.watch(machine.record, plan)
    return progress


@pytest.mark.parametrize(("value", "marked"), [(0.08, True), (0.1, True), (0.16, True), (0.17, False), (0.9, False)])
def test_a_score_that_guessing_reaches_is_marked(value: float, marked: bool, tmp_path: Path) -> None:
    """One of ten classes, 100 images: 0.1, and two standard errors of 0.03."""
    assert ("(chance)" in shown(machine_with(tmp_path, value))) == marked


@pytest.mark.parametrize(
    ("phase", "words"), [("import", "importing"), ("trace", "tracing"), ("", "0/2"), ("unheard of", "0/2")]
)
def test_a_trial_says_what_it_does_before_its_first_epoch(phase: str, words: str, tmp_path: Path) -> None:
    assert words in shown(machine_with(tmp_path, 0.5, phase))


def test_no_axis_is_cut_from_a_narrow_table(tmp_path: Path) -> None:
    progress = machine_with(tmp_path, 0.5)
    whole, narrow = shown(progress, width=200), shown(progress, width=64)
    [line] = [line for line in whole.splitlines() if "0/2" in line]
    words = line.split("0/2")[1].split()[1:]
    assert len(words) >= 2
    assert "…" not in narrow
    for word in words:
        assert word.rstrip(",") in narrow
