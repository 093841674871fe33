from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import pytest

from errors import unknown_name
from search_spaces import flowers17
from search_spaces.objective import Objective
from tasks.task import load_task
from tests.fixtures.simulated import study_started
from trainables.trial_spec import state_name
from tuning.execution.trial_generator import TrialGenerator
from tuning.plan.make_plan import make_plan
from tuning.plan.resources import Share
from tuning.plan.resume_from import check_images, find_checkpoint, fix_to_checkpoint
from tuning.plan.settings import StudySettings, UsageError
from tuning.plan.study_plan import StudyPlan
from tuning.records.event_log import EventLog
from tuning.records.events import StudyStarted
from tuning.records.header import ArmHeader, DataHeader
from tuning.records.study_paths import EVENTS, StudyPaths
from tuning.records.study_record import StudyNotFound, StudyRecord, read_study

SHARE = Share(slots=1, cpus=1.0, gpus=0.0)


def planned(results: Path, name: str, **settings: object) -> StudyPlan:
    asked = {"arms": (), "trials": 2, "epochs": 4, "confirm_seeds": None, **settings}
    return make_plan(load_task("food10"), StudySettings(results=results, data_dir=results, **asked), SHARE, name)  # type: ignore[arg-type]


class Store:
    fingerprint, classes, notices, path, white_level = "f", ("a", "b"), (), Path("store.h5"), None

    def indices(self, split: str) -> list[int]:
        return []


def study(results: Path) -> Path:
    """A study of food10 with two trials an arm, of which one kept its second epoch and one left its best model."""
    plan = planned(results, "first", arms=("fine_tuned",), keep_epochs=2)
    plan.folder.mkdir(parents=True)
    log, record = EventLog(plan.folder / EVENTS), StudyRecord()
    log.listen(record.apply)
    view = {**asdict(plan.arms[0].arm.view), "image_size": 96}
    log.append(
        StudyStarted(
            task="food10",
            study="first",
            objective=Objective(),
            arms=(ArmHeader(name="fine_tuned", view=view),),
            data=DataHeader(fingerprint="f"),
        )
    )
    search = TrialGenerator(plan, log, record, results / "store.h5")
    for _ in range(2):
        spec = search.ask()
        search.tell_started(spec.trial)
        assert (spec.states, spec.keep_every) == (StudyPaths(plan.folder).states(spec.trial), 2)
        for epoch in range(1, 5):
            search.tell_epoch(
                spec.trial,
                {
                    "epoch": epoch,
                    "metrics": {"val_accuracy": epoch / 10},
                    "objective": min(epoch, 3) / 10,
                    "best_epoch": min(epoch, 3),
                    "seconds": {},
                },
            )
        search.tell_finished(spec.trial, "completed")
    log.close()
    kept = StudyPaths(plan.folder).states("fine_tuned-0000") / state_name(2)
    kept.parent.mkdir(parents=True)
    kept.touch()
    model = plan.folder / "checkpoints" / "fine_tuned-0001" / "model.keras"
    model.parent.mkdir(parents=True, exist_ok=True)
    model.touch()
    return plan.folder


def test_a_kept_epoch_or_else_the_best_model(tmp_path: Path) -> None:
    folder = study(tmp_path)
    origin = find_checkpoint("food10/first/fine_tuned-0000@2", tmp_path)
    assert (origin.record.task, origin.trial.arm) == ("food10", "fine_tuned")
    assert (origin.epoch, origin.path.name) == (2, "epoch-0002.npz")
    assert [entry.metrics["val_accuracy"] for entry in origin.described().history] == [0.1, 0.2]
    assert find_checkpoint("first/fine_tuned-0000", tmp_path) == origin
    best = find_checkpoint(f"{folder}/fine_tuned-0001", tmp_path)
    assert (best.epoch, best.path.name) == (3, "model.keras")
    assert best == find_checkpoint("first/fine_tuned-0001@3", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fine_tuned-0000", "must be STUDY/TRIAL@EPOCH"),
        ("first/fine_tuned-0000@two", "must be STUDY/TRIAL@EPOCH"),
        ("first/fine_tuned-0000@", "must be STUDY/TRIAL@EPOCH"),
        ("first/fine_tuned-0003", "fine_tuned-0000"),
        ("first/fine_tuned-0000@4", "nothing is left of that epoch: it kept epochs 2"),
        ("first/fine_tuned-0001@4", "train it with keep_epochs; its best model is of epoch 3"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    study(tmp_path)
    with pytest.raises(UsageError, match=said) as caught:
        find_checkpoint(text, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_studys_name_may_hold_what_stands_before_an_epoch(tmp_path: Path) -> None:
    study(tmp_path).rename(tmp_path / "food10" / "first@home")
    assert find_checkpoint("food10/first@home/fine_tuned-0000@2", tmp_path).epoch == 2


def test_of_very_many_trials_only_some_are_named() -> None:
    message = unknown_name("trial", "slow-9999", [f"slow-{number:04d}" for number in range(1000)])
    assert "did you mean slow-0999?" in message
    assert message.endswith("slow-0049 and 950 more")


def test_no_such_study(tmp_path: Path) -> None:
    study(tmp_path)
    with pytest.raises(StudyNotFound):
        find_checkpoint("frist/fine_tuned-0000", tmp_path)


def test_its_settings_are_kept_but_for_what_is_changed(tmp_path: Path) -> None:
    study(tmp_path)
    config = read_study(tmp_path / "food10" / "first").trials["fine_tuned-0000"].config
    plan = planned(tmp_path, "second", goes_on_from="first/fine_tuned-0000@2", sets=("learning_rate=1e-6",))
    [arm] = plan.arms
    assert (arm.arm.name, arm.trials, plan.confirm_seeds) == ("fine_tuned", 1, ())
    assert arm.arm.note == "goes on from food10/first/fine_tuned-0000@2"
    [only] = arm.arm.space.grid(5)
    assert only == {**config, "learning_rate": 1e-6}
    assert plan.origin is not None
    # Several ways on from one place are a search like any other.
    plan = planned(tmp_path, "third", goes_on_from="first/fine_tuned-0000@2", spaces=("learning_rate=1e-7..1e-5",))
    assert plan.arms[0].trials == 2


@pytest.mark.parametrize(("epoch", "left"), [(20, 5), (25, 0), (60, 0)])
def test_what_has_been_warmed_up_is_not_warmed_up_again(tmp_path: Path, epoch: int, left: int) -> None:
    study(tmp_path)
    space = flowers17.SURGERY
    origin = find_checkpoint("first/fine_tuned-0000@2", tmp_path)
    origin = replace(origin, trial=replace(origin.trial, config=space.constants), epoch=epoch)
    assert fix_to_checkpoint(origin, space).constants == {**space.constants, "warmup_epochs": left}


def test_it_goes_on_seeing_images_as_it_did(tmp_path: Path) -> None:
    study(tmp_path)
    plan = planned(tmp_path, "second", goes_on_from="first/fine_tuned-0000@2")
    assert plan.arms[0].arm.view.image_size == 96
    plan = planned(tmp_path, "second", goes_on_from="first/fine_tuned-0000@2", image_size=64)
    assert plan.arms[0].arm.view.image_size == 64


def test_what_it_has_learned_from_does_not_validate_it(tmp_path: Path) -> None:
    """Other images, or a fold: the network would be asked about what it knows, and look better than it is."""
    study(tmp_path)
    origin = find_checkpoint("first/fine_tuned-0000@2", tmp_path)
    check_images(origin, Store())  # type: ignore[arg-type]
    folded = Store()
    folded.fingerprint = "fold 0 of 5"
    with pytest.raises(UsageError, match="another division of them"):
        check_images(origin, folded)  # type: ignore[arg-type]


def test_specs_name_what_they_go_on_from_and_the_study_what_came_before(tmp_path: Path) -> None:
    from tuning.execution.study import header

    study(tmp_path)
    plan = planned(tmp_path, "second", goes_on_from="first/fine_tuned-0000@2")
    plan.folder.mkdir(parents=True)
    log, record = EventLog(plan.folder / EVENTS), StudyRecord()
    log.listen(record.apply)
    log.append(study_started(plan))
    spec = TrialGenerator(plan, log, record, tmp_path / "store.h5").ask()
    states = StudyPaths(tmp_path / "food10" / "first").states("fine_tuned-0000")
    assert spec.training.goes_on_from == states / state_name(2)
    assert spec.states is None
    described = header(plan, Store(), "python cli.py tune food10").goes_on  # type: ignore[arg-type]
    recorded = json.loads(msgspec.json.encode(described))
    assert recorded["from"] == "food10/first/fine_tuned-0000@2"
    assert recorded["history"][1] == {"epoch": 2, "metrics": {"val_accuracy": 0.2}}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"arms": ("from_scratch",)}, "but arms names others"),
        ({"configs": "published", "trials": None}, "configs and goes_on_from both say"),
        ({"sample": True}, "only that can go on from it"),
    ],
)
def test_what_contradicts_it_is_refused(tmp_path: Path, settings: dict[str, object], said: str) -> None:
    study(tmp_path)
    with pytest.raises(UsageError, match=said):
        planned(tmp_path, "second", goes_on_from="first/fine_tuned-0000@2", **settings)


def test_former_words_of_an_earlier_study_are_held_as_todays(tmp_path: Path) -> None:
    origin = find_checkpoint(f"{study(tmp_path)}/fine_tuned-0000@2", tmp_path)
    config = {**origin.trial.config, "schedule": "halve_on_plateau"}
    old = replace(origin, trial=replace(origin.trial, config=config))
    space = load_task("food10").arm("fine_tuned").space
    assert fix_to_checkpoint(old, space).choices("schedule") == ("reduce_on_plateau",)
