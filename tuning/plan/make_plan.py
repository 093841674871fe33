"""The plan of a study, made from its settings. Settings that contradict each other are refused here in one line."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from datasets.dataset import Target
from datasets.input_config import InputConfig, keeps_boxes, parse_augmentation
from errors import arg, unknown_name
from search_spaces.objective import Direction, Objective
from search_spaces.overrides import set_in_arms
from search_spaces.space import Space
from tasks.task import Arm, Task
from trainables.learners.registry import find_learner
from tuning.plan.config_list import only_backbone, read_config_list
from tuning.plan.image_limits import drop_values_for_larger_images
from tuning.plan.resources import Share
from tuning.plan.resume_from import Origin, find_checkpoint, fix_to_checkpoint
from tuning.plan.settings import StudySettings, UsageError, check
from tuning.plan.study_plan import GRID_POINTS, WARMUP, ArmPlan, StudyPlan
from tuning.stopping import NONE


def make_plan(task: Task, settings: StudySettings, share: Share, name: str) -> StudyPlan:
    """Return the plan of one study.

    Args:
        task: The task.
        settings: What the user asked for.
        share: Share of the machine for each trial.
        name: Name of the study's folder.

    Raises:
        UsageError: The settings contradict each other or cannot be met.
        UnknownTask: An arm is unknown.
        SpaceError: A value or a range is impossible.
    """
    check(settings)
    if Path(name).name != name or name.startswith(".") or not name.isprintable() or len(name) > 100:
        raise UsageError("must be a plain folder name of at most 100 characters", argument="name", value=name)
    task = (task.sampled() if settings.sample else task).about(settings.data, settings.group_by, settings.allow_pickle)
    origin = _origin(task, settings)
    arms = resolve_arms(task, settings, origin)
    confirm = settings.folds or settings.confirm_seeds
    if confirm is None:
        # Another seed would go on from the same weights: no confirmation of what came before.
        confirm = 0 if settings.configs or origin is not None else task.defaults.confirm_seeds
    return StudyPlan(
        task=task,
        settings=settings,
        name=name,
        folder=settings.results / task.name / name,
        arms=resolve_budget(task, settings, arms),
        confirm_seeds=tuple(settings.seed + 1 + index for index in range(confirm)),
        objective=_objective(task, settings.metric),
        stopping_rule=NONE if settings.configs else settings.scheduler,
        share=share,
        origin=origin,
    )


def resolve_arms(task: Task, settings: StudySettings, origin: Origin | None) -> list[Arm]:
    """Return the arms of a study with their spaces, views and epochs.

    Args:
        task: the question, or its sample.
        settings: what the user asked.
        origin: what trials go on from; its arm is then the only one.

    Raises:
        UsageError, UnknownTask or SpaceError: one line, for what no arm can do.
    """
    named = settings.arms or ((origin.trial.arm,) if origin else ())
    arms = [task.arm(arm) for arm in named] if named else list(task.arms)
    doubled = {arm.name for arm in arms if [other.name for other in arms].count(arm.name) > 1}
    if doubled:
        raise UsageError(f"{arg.arms} names {', '.join(sorted(doubled))} twice; name each arm once")
    if origin is not None:
        [arm] = arms
        view = InputConfig(**origin.record.arm(arm.name).view)
        arm = replace(arm, space=fix_to_checkpoint(origin, arm.space), view=view)
        arms = [_noted(arm, f"goes on from {origin.name}")]
    spaces = set_in_arms({arm.name: arm.space for arm in arms}, settings.sets, settings.spaces)
    arms = [_changed(arm, spaces[arm.name], settings) for arm in arms]
    if task.target == "box":
        _check_boxes(task, arms, settings)
    if settings.weights is not None and not any("backbone" in arm.space.names for arm in arms):
        raise UsageError(
            "none of these arms starts from a backbone; leave it out", argument="weights", value=settings.weights
        )
    if settings.keep_epochs is not None and not any(find_learner(arm.learner).can_resume for arm in arms):
        names = ", ".join(arm.name for arm in arms)
        raise UsageError(
            f"no trial of {names} could go on from there; leave it out",
            argument="keep_epochs",
            value=settings.keep_epochs,
        )
    return arms


def resolve_budget(task: Task, settings: StudySettings, arms: list[Arm]) -> tuple[ArmPlan, ...]:
    """Return how many trials each arm gets, or which ones with --configs, which may leave arms out.

    Args:
        task: whose defaults count where nothing is asked.
        settings: what the user asked.
        arms: as resolve_arms returns them.

    Raises:
        UsageError: one line, for impossible configurations or an ensemble of more trials than there are.
    """
    if settings.configs:
        listed = read_config_list(settings, arms)
        plans = [
            ArmPlan(arm=arm, trials=len(listed[arm.name]), listed=tuple(listed[arm.name]))
            for arm in arms
            if arm.name in listed
        ]
    else:
        trials = task.defaults.trials if settings.trials is None else settings.trials
        plans = [ArmPlan(arm=arm, trials=_most_trials(arm.space, trials, settings)) for arm in arms]
    most = max(plan.trials for plan in plans)
    if settings.ensemble is not None and settings.ensemble > most:
        raise UsageError(
            f"of no arm there are more trials than {most}",
            argument="ensemble",
            value=settings.ensemble,
            remedy=f"average fewer, or search more with {arg.trials}",
        )
    return tuple(plans)


def _most_trials(space: Space, asked: int, settings: StudySettings) -> int:
    """Return the number of trials asked for, or of different configurations if there are fewer."""
    if settings.search == "grid":
        return sum(1 for _ in itertools.islice(space.grid(GRID_POINTS), asked))
    return int(min(asked, space.size))


def _origin(task: Task, settings: StudySettings) -> Origin | None:
    if settings.goes_on_from is None:
        return None
    origin = find_checkpoint(settings.goes_on_from, settings.results)
    study, arm = origin.record.header, origin.trial.arm
    if (study.task, study.sample) != (task.name, settings.sample):
        kind = f"{'the sample of ' if study.sample else ''}{study.task}"
        raise UsageError(f"{arg.goes_on_from} is {origin.name}, a trial of {kind}: only that can go on from it")
    if settings.arms not in ((), (arm,)):
        raise UsageError(
            f"{arg.goes_on_from} is {origin.name}, a trial of {arm}, but {arg.arms} names others; leave it out"
        )
    return origin


def _check_boxes(task: Task, arms: list[Arm], settings: StudySettings) -> None:
    """Boxes do not move with what a view makes of their images."""
    for arm in arms:
        if keeps_boxes(arm.view):
            continue
        if settings.augmentation not in (None, "none"):
            raise UsageError(
                f"the boxes of {task.name} are not moved with augmented images; leave it out",
                argument="augmentation",
                value=settings.augmentation,
            )
        raise UsageError(
            f"{arm.name} of {task.name} asks for boxes in a view with fit {arm.view.fit!r}, augmentation "
            f"{arm.view.augmentation!r} and crops {arm.view.crops}; boxes need 'stretch', 'none' and 1"
        )


# Metrics every learner reports of a target (trainables/targets.py), with the direction that is better.
METRICS: Mapping[Target, Mapping[str, Direction]] = {
    "class": {
        "val_loss": "min",
        **dict.fromkeys(("val_accuracy", "val_balanced_accuracy", "val_top5_accuracy"), "max"),
        **dict.fromkeys(("val_macro_precision", "val_macro_recall", "val_macro_f1"), "max"),
        **dict.fromkeys(("val_weighted_precision", "val_weighted_recall", "val_weighted_f1"), "max"),
    },
    "box": {"val_iou": "max", "val_loss": "min", "val_iou_at_least_half": "max"},
}


def _objective(task: Task, metric: str | None) -> Objective:
    if metric is None:
        return task.objective
    known = METRICS[task.target]
    if metric not in known:
        raise UsageError(unknown_name("metric", metric, tuple(known)), argument="metric")
    return Objective(metric=metric, direction=known[metric])


def _changed(arm: Arm, space: Space, settings: StudySettings) -> Arm:
    if space.choices("backbone") and arm.stands_for not in (None, *space.choices("backbone")):
        arm = _noted(arm, f"sample: {space.choices('backbone')[0]} in place of {arm.stands_for}")
    view = arm.view
    if settings.image_size is not None:
        view = replace(view, image_size=settings.image_size)
    arm = replace(arm, space=drop_values_for_larger_images(arm.name, space, view.image_size), view=view)
    if not arm.trains:
        return arm
    if settings.augmentation is not None and find_learner(arm.learner).augments:
        augmentation, views = parse_augmentation(settings.augmentation)
        view = replace(view, augmentation=augmentation, views=views)
    if view.augmentation == "views":
        arm = _noted(arm, f"{view.views} fixed views of each training image")
    if view.check_images is not None:
        arm = _noted(
            arm, f"each epoch validated on the next {view.check_images} images, so that its best is a lucky look"
        )
    if arm.pretraining is not None:
        if not find_learner(arm.learner).has_backbone:
            raise UsageError(f"{arm.name} is pre-trained first, but its learner {arm.learner} has no backbone to keep")
        only_backbone(arm)
        arm = _noted(arm, f"its backbone first learned {arm.pretraining.dataset.title}")
    max_epochs = arm.max_epochs if settings.epochs is None else settings.epochs
    if WARMUP in space.names and (longest := space.upper_bound(WARMUP)) >= max_epochs:
        raise UsageError(
            f"{WARMUP} of {arm.name} is {longest:g}, but a trial has {max_epochs} epochs in all; "
            f"give more with {arg.epochs}, or fewer with {arg.sets} {arm.name}.{WARMUP}=N"
        )
    return replace(arm, view=view, max_epochs=max_epochs, grace_epochs=min(arm.grace_epochs, max_epochs))


def _noted(arm: Arm, note: str) -> Arm:
    return replace(arm, note="; ".join(filter(None, [arm.note, note])))
