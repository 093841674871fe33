"""What a study of boxes decides before anything runs, and what it tells its workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.task import Task, baselines, load_task
from tuning.execution.trial_specs import TrialSpecBuilder
from tuning.plan.make_plan import make_plan
from tuning.plan.plan_text import render_plan
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings, UsageError
from tuning.plan.study_plan import StudyPlan
from tuning.records.study_record import TrialRecord


def plan(folder: Path, task: Task | None = None, **settings: object) -> StudyPlan:
    given = StudySettings(results=folder, data_dir=folder, **settings)  # type: ignore[arg-type]
    return make_plan(task or load_task("boxes"), given, Share(slots=2, cpus=1.0, gpus=0.0), "study")


def test_the_documents_setting_is_tried_first(tmp_path: Path) -> None:
    """FACTS: frozen ImageNet VGG16, dense 128-64-32-4, MSE, Adam 1e-4, batch 32, 25 epochs, x / 255, 224 px."""
    (arm,) = plan(tmp_path, configs="published").arms
    (listed,) = arm.listed
    assert arm.arm.name == "frozen"
    assert listed.epochs == 25
    assert listed.config == {
        "backbone": "VGG16",
        "head": "box",
        "preprocessing": "scaled",
        "learning_rate": 1e-4,
        "optimizer": "adam",
        "batch_size": 32,
        "frozen_fraction": 1.0,
    }
    assert (arm.arm.view.image_size, arm.arm.view.fit, arm.arm.view.augmentation) == (224, "stretch", "none")
    assert arm.freeze_points == ({"frozen_fraction": 1.0},)  # kept, and shared with whoever freezes as much


def test_the_best_is_the_greatest_overlap(tmp_path: Path) -> None:
    objective = plan(tmp_path).objective
    assert (objective.metric, objective.direction) == ("val_iou", "max")
    assert plan(tmp_path, metric="val_loss").objective.direction == "min"


def test_workers_are_told_what_is_asked(tmp_path: Path) -> None:
    made = plan(tmp_path)
    trial = TrialRecord(
        trial="frozen-0000", arm="frozen", role="search", number=0, config={}, seed=0, max_epochs=25, asked_time=0.0
    )
    spec = TrialSpecBuilder(made, tmp_path / "store.h5", {}).training(made.arms[0], trial, None)
    assert spec.training.target == "box"
    assert "data      Caltech-101 airplanes, a box an image, 640 / 80 / 80 images (train" in render_plan(made)


def test_a_sample_sees_scenes_with_boxes(tmp_path: Path) -> None:
    made = plan(tmp_path, sample=True)
    assert type(made.task.dataset).__name__ == "GeneratedScenes"
    assert "sample: EfficientNetLite0 in place of VGG16" in made.arms[0].arm.note


def test_the_floor_under_boxes_is_a_box() -> None:
    assert [arm.name for arm in baselines(load_task("boxes"))] == ["mean_box"]
    assert next(iter(baselines(load_task("food10")))).name == "pixels"


def test_a_view_that_crops_is_refused(tmp_path: Path) -> None:
    task = load_task("boxes")
    cropping = tuple(replace(arm, view=replace(arm.view, fit="center_crop")) for arm in task.arms)
    with pytest.raises(UsageError, match=r"frozen.*'center_crop'"):
        plan(tmp_path, replace(task, arms=cropping))
