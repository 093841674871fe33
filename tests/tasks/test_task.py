"""Every task as a user meets it: what its arms name exists, its plans are made, its sample needs nothing but this."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from datasets.dataset import DataError
from datasets.input_config import InputConfig
from datasets.pipeline.augmentation import RECIPES
from datasets.synthetic.generated_images import GeneratedPictures
from search_spaces.backbones import SAMPLE_BACKBONE
from search_spaces.known_names import OPTIMIZERS, SCHEDULES
from search_spaces.parameters import SpaceError
from search_spaces.space import Space
from tasks.task import Arm, Sample, averages, load_task, task_names
from trainables.learners.registry import find_learner
from trainables.models.family_registry import family_names
from tuning.plan.make_plan import make_plan
from tuning.plan.plan_text import render_plan
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings

CHECKOUT = Path(__file__).parents[2]
SHARE = Share(slots=2, cpus=1.0, gpus=0.0)
TASKS = task_names()
ARMS = [(name, arm) for name in TASKS for arm in (*load_task(name).arms, *load_task(name).more_arms)]
OF_DOCUMENT_2 = ("animals", "cifar10", "digits", "flowers17", "mnist", "tiny_imagenet")


def ids(value: str | Arm) -> str:
    return value if isinstance(value, str) else value.name


@pytest.mark.parametrize(("task", "arm"), ARMS, ids=ids)
def test_what_an_arm_names_exists(task: str, arm: Arm) -> None:
    assert find_spec(find_learner(arm.learner).module) is not None
    if arm.learner == "keras_learner":
        assert arm.model in family_names()
    if arm.view.augmentation != "none":
        assert arm.view.recipe in RECIPES
    for name, known in (("optimizer", OPTIMIZERS), ("warmup_optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
        assert set(arm.space.choices(name)) <= set(known)


@pytest.mark.parametrize(("task", "arm"), ARMS, ids=ids)
def test_published_settings_are_complete_and_lie_in_the_searched_ranges(task: str, arm: Arm) -> None:
    for config in arm.space.published:
        complete = arm.space.complete(config)
        for axis in arm.space.axes:
            if axis.name not in complete:
                continue
            assert axis.contains(complete[axis.name])
    assert all(axis.source.strip() for axis in arm.space.axes)


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        (name, sample)
        for name in TASKS
        for sample in (False, True)
        if sample or load_task(name).find_dataset is None  # else it is about whatever images the user has
    ],
)
def test_a_plan_is_made_of_every_task_its_sample_and_its_published_settings(
    name: str, sample: bool, tmp_path: Path
) -> None:
    task = load_task(name)
    settings = StudySettings(sample=sample, results=tmp_path, data_dir=tmp_path)

    plan = make_plan(task, settings, SHARE, "study")

    assert [arm.arm.name for arm in plan.arms] == [arm.name for arm in task.arms]
    assert all(arm.trials >= 1 for arm in plan.arms)
    text = render_plan(plan)
    assert all(arm.name in text for arm in task.arms)
    every = (*task.arms, *task.more_arms)
    published = {arm.name: len(arm.space.published) for arm in every if arm.space.published}
    if published:
        listed = StudySettings(
            sample=sample,
            results=tmp_path,
            data_dir=tmp_path,
            configs="published",
            arms=tuple(arm.name for arm in every),
        )
        plan = make_plan(task, listed, SHARE, "study")
        # What a sample holds at a value of its own may make two of a document's settings the same one.
        assert all(1 <= len(arm.listed) <= published[arm.arm.name] for arm in plan.arms)
        assert {arm.arm.name for arm in plan.arms} == set(published)


@pytest.mark.parametrize("name", TASKS)
def test_a_sample_needs_no_network_and_is_smaller(name: str) -> None:
    task = load_task(name)
    sample = task.sampled()

    assert isinstance(sample.dataset, GeneratedPictures) or sample.dataset.name == "digits"
    assert sample.defaults.trials <= task.defaults.trials
    for own, small in zip((*task.arms, *task.more_arms), (*sample.arms, *sample.more_arms), strict=True):
        assert (small.name, small.label, small.learner, small.model) == (own.name, own.label, own.learner, own.model)
        assert small.max_epochs <= own.max_epochs
        assert small.view.image_size <= own.view.image_size
        assert small.space.choices("backbone") in ((), (SAMPLE_BACKBONE,))


@pytest.mark.parametrize("name", TASKS)
def test_arms_ask_different_questions(name: str) -> None:
    """Two arms alike in all but their names would be one question twice, in the task as in its sample."""
    for task in (load_task(name), load_task(name).sampled()):
        asked = [
            repr((arm.learner, arm.model, asdict(arm.view), arm.space.axes, sorted(arm.space.constants.items())))
            + repr((arm.max_epochs, arm.ensemble, arm.pretraining))
            for arm in (*task.arms, *task.more_arms)
        ]
        assert len(set(asked)) == len(asked)


def test_what_a_data_set_is_not_is_refused() -> None:
    with pytest.raises(DataError, match=r"allow_pickle.* images "):
        load_task("images").about(None, "prefix", allow_pickle=True)
    with pytest.raises(DataError, match=r"group.* Animals"):
        load_task("animals").about(None, "prefix")


def test_an_arm_called_as_a_baseline_is_the_task_s_own() -> None:
    task = load_task("digits")
    own = replace(task.arms[0], name="pixels")
    assert replace(task, arms=(own,)).arm("pixels") is own
    assert task.arm("pixels").learner == "pixels_learner"


def test_a_sample_may_have_a_data_set_of_its_own() -> None:
    pictures = GeneratedPictures(
        name="mine", title="mine", classes=("pizza", "sushi"), counts=load_task("food10").sampled().dataset.counts
    )
    sample = Sample(dataset=pictures, views=InputConfig(image_size=32), epochs=2, confirm_seeds=2)
    task = replace(load_task("food10"), sample=sample)
    assert task.sampled().dataset is pictures
    assert task.sampled().defaults.confirm_seeds == 2


@pytest.mark.parametrize("name", OF_DOCUMENT_2)
def test_document_2_is_tabulated_as_its_reports_are(name: str) -> None:
    task = load_task(name)
    assert set(averages()) <= set(task.tables)
    assert task.source.startswith("deep-learning report")


def test_averages_are_the_lines_of_a_classification_report() -> None:
    macro, weighted = averages(test_ten_crop_accuracy="Ten Crops")
    assert [column.field for column in macro.columns] == [
        "test_accuracy",
        "test_macro_precision",
        "test_macro_recall",
        "test_macro_f1",
        "test_ten_crop_accuracy",
    ]
    assert [column.heading for column in weighted.columns] == ["Weighted Precision", "Weighted Recall", "Weighted F1"]


def test_a_space_of_one_configuration_searches_nothing() -> None:
    space: Space = load_task("traffic_signs").arm("CNN_10_relu").space
    only = space.as_single(space.published[0])
    assert only.size == 1
    assert only.complete({}) == space.complete(space.published[0])
    assert only.with_value("batch_size", 16).complete({})["batch_size"] == 16
    with pytest.raises(SpaceError):
        space.as_single({"learning_rate": 1e-3})


def test_surgery_thaws_block_5_and_as_it_ran_nothing() -> None:
    task = load_task("flowers17")
    surgery, as_run = task.arm("surgery"), task.arm("surgery_as_run")
    written, ran = surgery.space.complete(surgery.space.published[0]), as_run.space.complete(as_run.space.published[0])
    assert written["frozen_layers"] == 15  # of VGG16: deep-learning report, inspect_model.py
    assert ran["frozen_fraction"] == 1.0
    assert {key: value for key, value in written.items() if key != "frozen_layers"} == {
        key: value for key, value in ran.items() if key != "frozen_fraction"
    }
    assert (written["warmup_epochs"], surgery.max_epochs, as_run.max_epochs) == (25, 125, 125)
