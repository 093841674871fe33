"""The plan as people read it before anything runs."""

from __future__ import annotations

from datasets.dataset import Counts, Dataset, HoldOutShares, Shares
from errors import pluralize
from search_spaces.parameters import FixedParameter, Parameter
from trainables.learners.registry import find_learner
from tuning.plan.study_plan import ArmPlan, StudyPlan

# Networks without a backbone, at the sizes that the reports train:
# tests/trainables/models/families/test_families.py counts them.
NETWORK_BYTES = {
    "alexnet": 240_000_000,
    "deepergooglenet": 15_000_000,
    "lenet": 5_000_000,
    "minigooglenet": 7_000_000,
    "minivggnet": 35_000_000,  # at 64 px; 9 at 32
    "plain_cnn": 13_000_000,
    "residual": 19_000_000,
    "resnet": 9_000_000,
    "shallownet": 1_000_000,
}
STATE_MODELS = 3  # a state that --from can go on from: the weights, and two moments of each by Adam
RECORD_BYTES_PER_EPOCH = 2_000


def disk_bytes(plan: StudyPlan) -> int:
    """About what the study's folder will hold: models, with --keep-epochs states of their training, and records."""
    return sum(_arm_bytes(plan, arm) for arm in plan.arms) + plan.total_epochs * RECORD_BYTES_PER_EPOCH


def _arm_bytes(plan: StudyPlan, arm: ArmPlan) -> int:
    """Models of every confirmed seed, of the search's best where they are kept, the winner's, one being written."""
    models = len(plan.seeds_of(arm)) + plan.searched_models(arm) + 2
    each = NETWORK_BYTES.get(arm.arm.model, find_learner(arm.arm.learner).model_bytes)
    return each * (models + STATE_MODELS * plan.kept_states(arm))


def store_bytes(dataset: Dataset) -> int | None:
    """At most what the decoded images take in the data folder; None where their number is not known beforehand."""
    if not isinstance(dataset.counts, Counts):
        return None
    return dataset.counts.total * len(dataset.classes) * dataset.max_side**2 * 3


def render_plan(plan: StudyPlan) -> str:
    """Arms, trials, rungs, epochs, concurrency, disk: what will be done and what it will cost."""
    task, share, settings = plan.task, plan.share, plan.settings
    lines = [f"{task.title}  ({task.source})"]
    if settings.sample:
        lines.append("sample: a small data set; its numbers are not comparable with the published ones")
    asked = "a box an image" if task.target == "box" else pluralize(len(task.dataset.classes), "class", "classes")
    lines.append(f"data      {task.dataset.title}, {asked}, {_split(plan)}")
    for arm in plan.arms:
        lines += _arm_lines(plan, arm)
    stopping = f"ASHA inside each arm, 1 in {plan.reduction_factor} goes on" if plan.early_stopping else "none"
    searcher: str = "TPE (Optuna)" if settings.search == "optuna" else settings.search
    if settings.configs:
        searcher = "none, listed configurations"
    lines += [
        f"search    {searcher}; early stopping: {stopping}; best by {plan.objective.metric}; seed {settings.seed}",
        f"confirm   {_confirmation(plan)}; then the test split, once",
        f"machine   {pluralize(share.slots, 'trial', 'trials')} at once, each with {share.cpus:g} "
        + ("core" if share.cpus == 1 else "cores")
        + (f" and {share.gpus:g} of a GPU" if share.gpus else ", no GPU"),
        f"cost      {'at least' if plan.early_stopping else 'about'} {plan.total_epochs} epochs; "
        "time: known after the first epoch of each arm; "
        f"disk: about {_size(disk_bytes(plan))}, {_images_size(plan)}{_features(plan)}",
        f"study     {plan.folder}",
    ]
    return "\n".join(lines)


def _features(plan: StudyPlan) -> str:
    limit = int(plan.settings.feature_cache * 1e9)
    if not limit or not any(arm.freeze_points or find_learner(arm.arm.learner).uses_features for arm in plan.arms):
        return ""
    return f", at most {_size(limit)} of frozen layers' output"


def _split(plan: StudyPlan) -> str:
    dataset, counts = plan.task.dataset, plan.task.dataset.counts
    if counts is None or isinstance(counts, HoldOutShares):
        return "the authors' split; what it lacks is taken from its training images"
    each = " a class" if len(dataset.classes) > 1 else ""
    unit = "% of each class" if isinstance(counts, Shares) else f"images{each}"
    grouped = ", as near as whole groups come" if plan.settings.group_by else ""
    if plan.folds:
        return f"{counts.test} {unit} to test{grouped}, the rest in {plan.folds} folds of which one validates"
    return f"{counts.train} / {counts.val} / {counts.test} {unit} (train / val / test){grouped}"


def _images_size(plan: StudyPlan) -> str:
    pretraining = [arm.arm.pretraining.dataset for arm in plan.arms if arm.arm.pretraining is not None]
    sizes = [store_bytes(dataset) for dataset in (plan.task.dataset, *pretraining)]
    known = [size for size in sizes if size is not None]
    return f"at most {_size(sum(known))} of images" if len(known) == len(sizes) else "the decoded images"


def _arm_lines(plan: StudyPlan, arm: ArmPlan) -> list[str]:
    view = arm.arm.view
    note = f"  [{arm.arm.note}]" if arm.arm.note else ""
    trials = pluralize(arm.trials, "trial", "trials")
    augmented = "no augmentation" if view.augmentation == "none" else f"augmentation {view.augmentation}"
    lines = [f"arm       {arm.arm.name}: {trials}, {view.image_size} px, {augmented}{note}"]
    if plan.early_stopping:
        rungs = ", ".join(f"{reach} reach epoch {epoch}" for epoch, reach in arm.rungs(plan.reduction_factor))
        lines.append(f"          at least {rungs}")
    elif arm.listed:
        epochs = sorted({listed.epochs for listed in arm.listed})
        lines.append(f"          as listed, to epoch {', '.join(map(str, epochs))}")
    else:
        lines.append(f"          all to epoch {arm.arm.max_epochs}")
    constants = [axis for axis in arm.arm.space.parameters if isinstance(axis, FixedParameter)]
    axes = [] if arm.listed else [axis for axis in arm.arm.space.active_parameters if axis not in constants]
    lines += [f"          {axis.name}: {axis}{_condition(axis)}" for axis in axes if axis.size > 1]
    if fixed := [f"{axis.name} {axis}" for axis in (*axes, *constants) if axis.size == 1]:
        lines.append(f"          fixed: {', '.join(fixed)}")
    if (first := arm.arm.pretraining) is not None:
        lines.append(
            f"          first: its backbone learns {first.dataset.title}, {first.epochs} epochs at "
            f"{first.view.image_size} px, once for all studies"
        )
    return lines


def _condition(axis: Parameter) -> str:
    return f"  (with {axis.when.parameter} {' or '.join(map(str, axis.when.values))})" if axis.when else ""


def _size(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def _confirmation(plan: StudyPlan) -> str:
    seeds = len(plan.confirm_seeds)
    if plan.folds:
        return (
            f"the best of each arm again, to the full budget, on each of {plan.folds} folds of the images outside the "
            "test split, of which the search sees the first"
        )
    if not seeds:
        return "none: the best trial of each arm by validation is tested as it is"
    return f"the best of each arm again, to the full budget, with {pluralize(seeds, 'fresh seed', 'fresh seeds')}"
