"""Decisions of a study, run against simulated learning curves: of Ray its ASHA alone, hundreds of trials a second."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import optuna
import pytest

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.synthetic.generated_images import GeneratedPictures
from reporting.results.arm_results import best_arm, summarize_arms
from search_spaces.parameters import CategoricalParameter, FloatParameter, IntParameter
from search_spaces.space import Space
from tasks.task import Pretraining, load_task
from tests.fixtures.simulated import SimulatedMachine, simulated_plan, simulated_task, study_started
from tests.fixtures.study import recorded
from trainables.trial_spec import TrialSpec
from tuning.execution.pretraining import Pretrained
from tuning.execution.trial_generator import TrialGenerator
from tuning.plan.make_plan import make_plan
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings, UsageError
from tuning.plan.study_plan import ArmPlan, StudyPlan
from tuning.records.event_log import EventLog, read_events
from tuning.records.study_paths import EVENTS
from tuning.records.study_record import StudyRecord, replay


def run(plan: Any, tmp_path: Path, **options: Any) -> tuple[StudyRecord, SimulatedMachine]:
    machine = SimulatedMachine(plan, tmp_path, **options)
    machine.run()
    return machine.record, machine


def test_an_arm_that_learns_slowly_but_ends_better_wins_its_row(tmp_path: Path) -> None:
    """The fast arm leads at every rung below the last epoch; stopping across arms would have ended the slow one."""
    plan = simulated_plan(tmp_path, trials=9, max_epochs=27)
    record, _ = run(plan, tmp_path, curve=lambda arm, quality, epoch: _fast_and_slow(arm, quality, epoch))
    [slow], [fast] = record.confirmed("slow"), record.confirmed("fast")
    assert slow.best > 0.8 > fast.best
    # The trap is real: at the first rung the best of the slow arm was behind the worst of the fast one.
    first_of_slow = max(trial.epochs[0].metrics["val_accuracy"] for trial in record.of_arm("slow", "search"))
    first_of_fast = min(trial.epochs[0].metrics["val_accuracy"] for trial in record.of_arm("fast", "search"))
    assert first_of_slow < first_of_fast


def _fast_and_slow(arm: str, quality: float, epoch: int) -> float:
    if arm == "fast":
        return 0.55 + 0.1 * quality * min(epoch, 3) / 3
    return 0.1 + (0.6 + 0.2 * quality) * (epoch / 27) ** 2


def test_arms_take_turns_and_get_equally_many_trials(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=7, max_epochs=3)
    record, machine = run(plan, tmp_path)
    assert len(record.of_arm("slow", "search")) == len(record.of_arm("fast", "search")) == 7
    arms = [name.rsplit("-", 1)[0] for name in machine.asked if "confirm" not in name and "test" not in name]
    for count in range(0, len(arms), 2):
        assert set(arms[count : count + 2]) == {"slow", "fast"}


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_never_more_trials_at_once_than_slots(tmp_path: Path, slots: int) -> None:
    plan = simulated_plan(tmp_path, trials=6, max_epochs=3, slots=slots)
    _, machine = run(plan, tmp_path)
    assert machine.most_at_once == slots


def test_confirmation_retrains_the_best_with_fresh_seeds_to_the_full_budget(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=6, max_epochs=9, confirm_seeds=3)
    record, _ = run(plan, tmp_path)
    for arm in ("slow", "fast"):
        best, confirmed = record.best_trial(arm), record.of_arm(arm, "confirm")
        assert best is not None
        assert [trial.seed for trial in confirmed] == [1, 2, 3]
        assert {trial.seed for trial in record.of_arm(arm, "search")} == {0}
        assert all(trial.config == best.config for trial in confirmed)
        assert all(len(trial.epochs) == 9 for trial in confirmed)


def test_the_test_split_is_opened_once_per_arm_after_its_confirmation_and_stands_in_the_ledger_first(
    tmp_path: Path,
) -> None:
    plan = simulated_plan(tmp_path, trials=4, max_epochs=3, confirm_seeds=2)
    record, _ = run(plan, tmp_path)
    events = list(recorded(plan.folder / EVENTS))
    for arm in ("slow", "fast"):
        openings = [i for i, event in enumerate(events) if event["event"] == "test_opened" and event["arm"] == arm]
        measured = [i for i, event in enumerate(events) if event["event"] == "test_measured" and event["arm"] == arm]
        ended = [
            i
            for i, event in enumerate(events)
            if event["event"] == "trial_ended" and f"{arm}-confirm" in event["trial"]
        ]
        assert len(openings) == 1
        assert len(measured) == 2
        assert max(ended) < openings[0] < min(measured)
    assert len(record.ledger) == 2


def test_a_trial_whose_loss_is_not_finite_is_infeasible_and_never_best(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=5, max_epochs=3)
    record, _ = run(plan, tmp_path, infeasible=("slow-0001", "fast-0002"))
    assert record.trials["slow-0001"].status == record.trials["fast-0002"].status == "infeasible"
    best = record.best_trial("slow")
    assert best is not None
    assert best.trial != "slow-0001"


@pytest.mark.slow
def test_optunas_database_tells_the_truth(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=9, max_epochs=9)
    record, _ = run(plan, tmp_path, infeasible=("slow-0001",), database=True)
    storage = f"sqlite:///{plan.folder / 'optuna.db'}"
    names = {summary.study_name for summary in optuna.get_all_study_summaries(storage)}
    assert names == {"simulated/study/slow", "simulated/study/fast"}
    study = optuna.load_study(study_name="simulated/study/slow", storage=storage)
    assert len(study.trials) == 9
    by_name = {trial.user_attrs["trial"]: trial for trial in study.trials}
    expected = {"completed": "COMPLETE", "stopped": "PRUNED", "infeasible": "FAIL"}
    for trial in record.of_arm("slow", "search"):
        kept = by_name[trial.trial]
        assert kept.state.name == expected[trial.status]
        assert kept.params == {name: value for name, value in trial.config.items() if name != "batch_size"}
        assert list(kept.intermediate_values) == [epoch.epoch for epoch in trial.epochs]
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "PRUNED", "FAIL"}
    assert study.best_value == max(
        trial.best for trial in record.of_arm("slow", "search") if trial.status == "completed"
    )


def test_published_settings_are_the_first_points_tried(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=3, max_epochs=3)
    record, _ = run(plan, tmp_path)
    assert record.trials["slow-0000"].config == {"batch_size": 32, "quality": 0.25, "optimizer": "adam"}


def test_the_same_seed_asks_the_same_configurations_and_another_seed_others(tmp_path: Path) -> None:
    def configurations(folder: str, seed: int) -> list[dict[str, Any]]:
        plan = simulated_plan(tmp_path / folder, trials=8, max_epochs=3, seed=seed)
        record, _ = run(plan, tmp_path / folder)
        return [trial.config for trial in record.of_arm("slow", "search")]

    assert configurations("a", 0) == configurations("b", 0) != configurations("c", 1)


@pytest.mark.parametrize("search", ["optuna", "random", "qmc", "grid"])
def test_every_search_asks_full_configurations_inside_the_space(tmp_path: Path, search: str) -> None:
    plan = simulated_plan(tmp_path, trials=10, max_epochs=3, search=search)
    record, _ = run(plan, tmp_path)
    space = plan.arms[0].arm.space
    for trial in record.of_arm("slow", "search"):
        assert space.complete(trial.config) == trial.config
        assert ("momentum" in trial.config) == (trial.config["optimizer"] == "sgd")


def test_a_grid_has_no_doubles_and_reaches_both_ends(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=10, max_epochs=3, search="grid")
    record, _ = run(plan, tmp_path)
    configs = [tuple(sorted(trial.config.items())) for trial in record.of_arm("slow", "search")]
    assert len(set(configs)) == len(configs) == 10
    qualities = [trial.config["quality"] for trial in record.of_arm("slow", "search")]
    assert (min(qualities), max(qualities)) == (0.0, 1.0)


def test_a_grid_with_fewer_points_than_trials_is_planned_as_it_is_run(tmp_path: Path) -> None:
    """The plan counted 40 trials, and with them epochs, disk and the time left."""
    plan = simulated_plan(tmp_path, trials=40, max_epochs=3, search="grid")
    assert [arm.trials for arm in plan.arms] == [30, 30]  # five qualities with adam; with sgd, each at five momenta
    record, _ = run(plan, tmp_path)
    assert len(record.of_arm("slow", "search")) == len(record.of_arm("fast", "search")) == 30


def test_without_confirmation_the_best_trial_is_tested_and_only_its_model_is_kept(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=5, max_epochs=3, confirm_seeds=0)
    record, _ = run(plan, tmp_path)
    best = {record.best_trial(arm).trial for arm in ("slow", "fast")}  # type: ignore[union-attr]
    assert {folder.name for folder in (plan.folder / "checkpoints").iterdir()} == best
    assert all(record.trials[name].test for name in best)


def test_a_fatal_trial_ends_the_study_with_its_reason(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=50, max_epochs=3)
    machine = SimulatedMachine(plan, tmp_path, fatal={"slow-0001": "no weights"})
    machine.run()
    assert machine.search.fatal == "slow: no weights"
    assert len(machine.record.trials) < 10


def test_an_arm_without_a_finished_trial_leaves_the_others_their_rows(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=3, max_epochs=3)
    record, _ = run(plan, tmp_path, infeasible=tuple(f"slow-{i:04d}" for i in range(3)))
    assert record.confirmed("slow") == []
    assert record.trials["fast-confirm-0"].test


def test_events_alone_rebuild_the_study(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=5, max_epochs=9)
    record, _ = run(plan, tmp_path, infeasible=("fast-0001",))
    assert replay(read_events(plan.folder / EVENTS)) == record


def test_tpe_beats_random_draws_on_a_smooth_curve(tmp_path: Path) -> None:
    """Not a claim about images: that results reach the sampler at all. Mean over five seeds, 30 trials."""

    def mean_best(search: str) -> float:
        found = []
        for seed in range(5):
            plan = simulated_plan(tmp_path / f"{search}{seed}", trials=30, max_epochs=1, seed=seed, search=search)
            plan = replace(plan, arms=plan.arms[:1])
            record, _ = run(plan, tmp_path / f"{search}{seed}", curve=lambda arm, q, epoch: 1 - abs(q - 0.9))
            best = record.best_trial("slow")
            assert best is not None
            found.append(best.best)
        return float(np.mean(found))

    assert mean_best("optuna") > mean_best("random")


def test_weights_of_a_backbone_go_to_the_arms_that_start_from_one(tmp_path: Path) -> None:
    weights = tmp_path / "weights.h5"
    weights.touch()
    settings = StudySettings(results=tmp_path, data_dir=tmp_path, weights=weights)
    plan = make_plan(load_task("food10"), settings, Share(slots=2, cpus=1.0, gpus=0.0), "study")
    plan.folder.mkdir(parents=True)
    record = StudyRecord()
    log = EventLog(plan.folder / EVENTS)
    log.listen(record.apply)
    log.append(study_started(plan))
    search = TrialGenerator(plan, log, record, tmp_path / "store.h5")
    given = {spec.arm: spec.training.weights for spec in (search.ask(), search.ask()) if isinstance(spec, TrialSpec)}
    assert given == {"from_scratch": None, "fine_tuned": weights}


def asked(machine: SimulatedMachine) -> TrialSpec:
    """The next trial, taken up by a worker."""
    spec = machine.search.ask()
    assert isinstance(spec, TrialSpec)
    machine.search.tell_started(spec.trial)
    return spec


def one_epoch(machine: SimulatedMachine, spec: TrialSpec, **fields: Any) -> None:
    metrics = {"val_accuracy": 0.5}
    told = {"epoch": 1, "metrics": metrics, "objective": 0.5, "best_epoch": 1, "seconds": {"train": 1.0}}
    machine.search.tell_epoch(spec.trial, told | fields)


def events_of(plan: StudyPlan, trial: str) -> list[str]:
    return [event["event"] for event in recorded(plan.folder / EVENTS) if event.get("trial") == trial]


def test_a_trial_whose_worker_died_before_its_first_epoch_is_asked_again_as_it_was(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=5, max_epochs=3)
    machine = SimulatedMachine(plan, tmp_path)
    first, other = asked(machine), asked(machine)
    machine.search.tell_worker_died(first.trial, "the worker died")
    assert list(machine.search.running) == [other.trial]
    assert machine.record.trials[first.trial].status == "waiting"
    again = asked(machine)  # before any new one
    assert again == first
    assert machine.record.trials[first.trial].status == "running"
    one_epoch(machine, again)
    machine.search.tell_finished(first.trial, "completed")
    expected = ["trial_asked", "trial_started", "trial_restarted", "trial_started", "epoch", "trial_ended"]
    assert events_of(plan, first.trial) == expected
    assert machine.record.trials[first.trial].status == "completed"


def test_more_losses_than_there_are_workers_are_a_failure(tmp_path: Path) -> None:
    """Every worker may have grown, and leaves once; a trial that outlives all of them is itself what kills."""
    plan = simulated_plan(tmp_path, trials=2, max_epochs=3, slots=2)
    machine = SimulatedMachine(plan, tmp_path)
    trial = asked(machine).trial
    for _ in range(2):
        machine.search.tell_worker_died(trial, "the worker died")
        assert asked(machine).trial == trial
    machine.search.tell_worker_died(trial, "the worker died again")
    record = machine.record.trials[trial]
    assert (record.status, record.reason) == ("failed", "the worker died again")
    assert list(machine.search.running) == []
    assert asked(machine).trial != trial


def test_a_loss_after_the_first_epoch_is_a_failure(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=2, max_epochs=3)
    machine = SimulatedMachine(plan, tmp_path)
    spec = asked(machine)
    one_epoch(machine, spec)
    machine.search.tell_worker_died(spec.trial, "the worker died")
    assert machine.record.trials[spec.trial].status == "failed"
    assert events_of(plan, spec.trial) == ["trial_asked", "trial_started", "epoch", "trial_ended"]
    assert asked(machine).trial != spec.trial


def test_a_loss_on_the_test_split_is_not_tried_again(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=1, max_epochs=1, confirm_seeds=0, slots=1)
    machine = SimulatedMachine(plan, tmp_path)
    while (spec := asked(machine)).role != "test":
        assert spec.checkpoint is not None
        spec.checkpoint.mkdir(parents=True)
        one_epoch(machine, spec)
        machine.search.tell_finished(spec.trial, "completed")
    machine.search.tell_worker_died(spec.trial, "the worker died")
    assert machine.record.test_failures == {spec.arm: "the worker died"}
    assert [event.arm for event in machine.record.ledger] == [spec.arm]
    following = asked(machine)
    assert (following.role, following.arm == spec.arm) == ("test", False)


def test_workers_that_die_before_a_result_change_no_number(tmp_path: Path) -> None:
    def study(folder: str, dies: tuple[str, ...]) -> StudyRecord:
        plan = simulated_plan(tmp_path / folder, trials=9, max_epochs=9, slots=1)
        return run(plan, tmp_path / folder, dies=dies)[0]

    whole, shaken = study("a", ()), study("b", ("slow-0000", "fast-0003", "slow-0008", "fast-confirm-0"))
    events = recorded(tmp_path / "b/simulated/study/events.jsonl")
    assert sum(event["event"] == "trial_restarted" for event in events) == 4
    for name, trial in whole.trials.items():
        same = shaken.trials[name]
        assert (trial.config, trial.status, trial.best, trial.test) == (same.config, same.status, same.best, same.test)
    assert set(whole.trials) == set(shaken.trials)


def test_what_was_prepared_is_told_before_the_first_epoch(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=1, max_epochs=3)
    machine = SimulatedMachine(plan, tmp_path)
    spec = asked(machine)
    facts = {"frozen_layers": 3, "features": {"kept": True, "why": "computing it anew would cost 9 times as much"}}
    one_epoch(machine, spec, prepared=facts)
    one_epoch(machine, spec, epoch=2)
    assert events_of(plan, spec.trial) == ["trial_asked", "trial_started", "trial_prepared", "epoch", "epoch"]
    assert msgspec.to_builtins(machine.record.trials[spec.trial].prepared) == facts
    assert replay(read_events(plan.folder / EVENTS)) == machine.record


@pytest.mark.parametrize("slots", [1, 3])
def test_every_idle_worker_is_kept_for_what_comes_later(tmp_path: Path, slots: int) -> None:
    plan = simulated_plan(tmp_path, trials=4, max_epochs=3, slots=slots)
    _, machine = run(plan, tmp_path)
    assert machine.controller.kept == [("a worker's share", slots)]


def food10(tmp_path: Path, **settings: Any) -> StudyPlan:
    asked_for = StudySettings(results=tmp_path, data_dir=tmp_path, **settings)
    return make_plan(load_task("food10"), asked_for, Share(slots=2, cpus=1.0, gpus=0.0), "study")


def points(plan: StudyPlan, arm: str) -> tuple[dict[str, Any], ...]:
    return next(each.freeze_points for each in plan.arms if each.arm.name == arm)


def test_freeze_points_are_the_choices_of_an_axis(tmp_path: Path) -> None:
    plan = food10(tmp_path)
    assert points(plan, "from_scratch") == ()
    assert points(plan, "fine_tuned") == tuple({"frozen_fraction": value} for value in (0.5, 0.6, 0.7, 0.8))
    narrowed = food10(tmp_path, spaces=("frozen_fraction=0.9,1",))
    assert points(narrowed, "fine_tuned") == ({"frozen_fraction": 0.9}, {"frozen_fraction": 1.0})


def test_a_constant_is_the_one_freeze_point(tmp_path: Path) -> None:
    plan = food10(tmp_path, sets=("frozen_fraction=0.7",))
    assert points(plan, "fine_tuned") == ({"frozen_fraction": 0.7},)


def test_listed_configurations_freeze_what_they_say_and_nothing_else(tmp_path: Path) -> None:
    common = {"arm": "fine_tuned", "learning_rate": 1e-4, "optimizer": "adam", "schedule": "constant", "dropout": 0}
    listed = [common | {"frozen_fraction": value} for value in (0.8, 0.6, 0.8)]
    path = tmp_path / "configs.json"
    path.write_text(json.dumps(listed))
    assert points(food10(tmp_path, configs=str(path)), "fine_tuned") == (
        {"frozen_fraction": 0.8},
        {"frozen_fraction": 0.6},
    )
    assert points(food10(tmp_path, configs="published"), "fine_tuned") == ({"frozen_fraction": 0.6},)


def test_a_constant_that_listed_configurations_replace_is_no_freeze_point(tmp_path: Path) -> None:
    path = tmp_path / "configs.json"
    listed = {"arm": "fine_tuned", "learning_rate": 1e-4, "optimizer": "adam", "schedule": "constant", "dropout": 0}
    path.write_text(json.dumps([listed | {"frozen_fraction": 0.8}]))
    plan = food10(tmp_path, configs=str(path), sets=("frozen_fraction=0.7",))
    assert points(plan, "fine_tuned") == ({"frozen_fraction": 0.8},)


def test_a_continuous_axis_names_no_freeze_points(tmp_path: Path) -> None:
    arm = food10(tmp_path).arms[1].arm
    axes = (
        FloatParameter(name="frozen_fraction", low=0, high=1, source="test"),
        IntParameter(name="n", low=0, high=3, source="test"),
    )
    assert ArmPlan(arm=replace(arm, space=Space(parameters=axes)), trials=2).freeze_points == ()
    layers = Space(
        parameters=(CategoricalParameter(name="frozen_layers", values=(11, 15), source="deep-learning report"),)
    )
    found = ArmPlan(arm=replace(arm, space=layers), trials=2).freeze_points
    assert found == ({"frozen_layers": 11}, {"frozen_layers": 15})


def test_a_spec_says_what_its_arm_may_freeze_and_how_long_it_will_train(tmp_path: Path) -> None:
    plan = food10(
        tmp_path, trials=9, epochs=9, confirm_seeds=2, feature_cache=1.5, arms=("fine_tuned", "pixels"), concurrent=2
    )
    plan.folder.mkdir(parents=True)
    log, record = EventLog(plan.folder / EVENTS), StudyRecord()
    log.listen(record.apply)
    log.append(study_started(plan))
    spec = TrialGenerator(plan, log, record, tmp_path / "store.h5").ask()
    assert isinstance(spec, TrialSpec)
    assert spec.training.freeze_points == points(plan, "fine_tuned")
    # 9 to epoch 1, 3 to epoch 3, 1 to epoch 9: 9 + 3 * 2 + 1 * 6; then two confirmations of 9 each.
    assert spec.training.arm_epochs == plan.epochs_of(plan.arms[0]) == 21 + 18
    assert spec.training.features == (tmp_path / "features").resolve()
    assert spec.training.features_bytes == 1_500_000_000
    assert spec.training.memory_bytes > 1_000_000_000


def test_folds_take_the_place_of_seeds(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=2, max_epochs=3, confirm_seeds=None, folds=3)
    assert plan.confirm_seeds == (1, 2, 3)
    record, machine = run(plan, tmp_path)
    folds = {spec.trial: spec.fold for spec in machine.specs}
    assert {fold for trial, fold in folds.items() if trial.split("-")[1].isdigit()} == {(0, 3)}
    for arm in ("slow", "fast"):
        assert [folds[f"{arm}-confirm-{number}"] for number in range(3)] == [(0, 3), (1, 3), (2, 3)]
        [test] = [spec for spec in machine.specs if spec.trial == f"{arm}-test"]
        assert [saved.fold for saved in test.saved] == [(0, 3), (1, 3), (2, 3)]
        assert len(record.confirmed(arm)) == 3


def test_the_best_of_a_search_are_kept_and_averaged(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=7, max_epochs=3, confirm_seeds=2, ensemble=3)
    record, machine = run(plan, tmp_path)
    for arm in ("slow", "fast"):
        best = sorted(record.of_arm(arm, "search"), key=lambda trial: -trial.best)[:3]
        names = tuple(trial.trial for trial in best)
        [test] = [spec for spec in machine.specs if spec.trial == f"{arm}-test"]
        assert test.ensembles == {f"{arm}_best_3": names}
        assert [saved.trial for saved in test.saved] == [f"{arm}-confirm-0", f"{arm}-confirm-1", *names]
        assert [saved.config for saved in test.saved[2:]] == [trial.config for trial in best]
        kept = {path.name for path in (plan.folder / "checkpoints").glob(f"{arm}-0*")}
        assert kept == set(names)
    assert len(record.ledger) == 2  # one opening an arm, whatever is measured
    averaged = {row.arm: row for row in summarize_arms(record) if row.members}
    assert set(averaged) == {"slow_best_3", "fast_best_3"}
    assert averaged["slow_best_3"].metrics["test_accuracy"].mean == 0.625
    assert {event.role for event in record.ensembles} == {"search"}
    best_result = best_arm(record, summarize_arms(record))
    assert best_result is not None
    assert not best_result.members  # no average wins by validation: it has none


def test_one_model_is_no_average_and_is_not_shown_the_test_split_for_it(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=3, max_epochs=3, confirm_seeds=2, ensemble=2)
    record, _ = run(plan, tmp_path, infeasible=("slow-0000", "slow-0001"))
    assert [event.arm for event in record.ensembles] == ["fast"]
    [opening] = [event for event in record.ledger if event.arm == "slow"]
    assert opening.trials == ("slow-confirm-0", "slow-confirm-1")
    assert opening.reason == "confirmed winners of slow"


def test_an_arm_may_ask_for_the_average_of_its_seeds(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=2, max_epochs=2, confirm_seeds=3)
    slow, fast = plan.arms
    plan = replace(plan, arms=(replace(slow, arm=replace(slow.arm, ensemble=True)), fast))
    record, machine = run(plan, tmp_path)
    [test] = [spec for spec in machine.specs if spec.trial == "slow-test"]
    seeds = tuple(f"slow-confirm-{number}" for number in range(3))
    assert test.ensembles == {"slow_ensemble": seeds}
    assert [event.role for event in record.ensembles] == ["confirm"]
    [row] = [row for row in summarize_arms(record) if row.members]
    assert (row.arm, row.members, row.seeds) == ("slow_ensemble", seeds, (1, 2, 3))


def test_without_folds_no_spec_names_one(tmp_path: Path) -> None:
    _, machine = run(simulated_plan(tmp_path, trials=2, max_epochs=2), tmp_path)
    assert {spec.fold for spec in machine.specs} == {None}


def test_an_arm_waits_for_what_its_backbone_learns_first(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=3, max_epochs=2)
    first = _pretrained(tmp_path)
    record, machine = run(plan, tmp_path, pretrained={"slow": first})
    assert machine.asked[:2] == ["slow-pretrain", "fast-0000"]
    pretraining = machine.specs[0]
    assert (pretraining.store, pretraining.training.max_epochs) == (first.store, 4)
    assert (pretraining.training.weights, pretraining.backbone) == (None, first.weights)
    assert pretraining.training.view.image_size == 16
    after = [spec for spec in machine.specs if spec.arm == "slow" and spec.role != "pretrain"]
    assert {spec.training.weights for spec in after} == {first.weights}
    assert {spec.training.weights for spec in machine.specs if spec.arm == "fast"} == {None}
    assert len(record.of_arm("slow", "search")) == 3
    # Four epochs of its own before the arm's first trial ends.
    assert machine.asked.index("slow-0000") > machine.asked.index("fast-0001")

    again = simulated_plan(tmp_path / "again", trials=3, max_epochs=2)
    _, machine = run(again, tmp_path / "again", pretrained={"slow": first})
    assert "slow-pretrain" not in machine.asked


def test_two_arms_wait_for_one_pretraining(tmp_path: Path) -> None:
    first = _pretrained(tmp_path)
    _, machine = run(
        simulated_plan(tmp_path, trials=2, max_epochs=2), tmp_path, pretrained={"slow": first, "fast": first}
    )
    assert [trial for trial in machine.asked if trial.endswith("pretrain")] == ["slow-pretrain"]


def test_a_pretraining_that_fails_ends_the_study(tmp_path: Path) -> None:
    plan = simulated_plan(tmp_path, trials=3, max_epochs=2)
    _, machine = run(plan, tmp_path, pretrained={"slow": _pretrained(tmp_path)}, infeasible=("slow-pretrain",))
    assert machine.search.fatal == "slow: its backbone's pre-training infeasible: loss is nan"
    assert not any(trial.startswith("slow-0") for trial in machine.asked)


def _pretrained(folder: Path) -> Pretrained:
    dataset = GeneratedPictures(
        name="first", title="others", classes=("c", "d"), counts=Counts(train=1, val=1, test=0), side=8
    )
    pretraining = Pretraining(dataset=dataset, config={"quality": 0.5}, view=InputConfig(image_size=16), epochs=4)
    return Pretrained(
        pretraining=pretraining,
        config={"quality": 0.5},
        store=(folder / "first.h5").resolve(),
        weights=(folder / "backbone.npz").resolve(),
    )


def test_an_arm_whose_learner_has_no_backbone_is_not_pre_trained(tmp_path: Path) -> None:
    task = simulated_task(2)
    pretraining = Pretraining(dataset=task.dataset, config={}, view=InputConfig(image_size=16), epochs=4)
    task = replace(task, arms=(replace(task.arms[0], learner="pixels_learner", pretraining=pretraining),))
    settings = StudySettings(results=tmp_path, data_dir=tmp_path)
    with pytest.raises(UsageError, match=r"slow .*pixels_learner"):
        make_plan(task, settings, Share(slots=1, cpus=1.0, gpus=0.0), "study")
