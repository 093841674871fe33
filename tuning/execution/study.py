"""Runs one study: the only `tune.Tuner`."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from ray import tune

from datasets.dataset import SPLITS
from datasets.store.image_store import ImageStore
from datasets.store.notices import notices_of
from machine import usable_cores
from trainables import devices
from trainables.ray_trainable import TrialTrainable
from tuning.execution.pretraining import Pretrained, pretrained
from tuning.execution.ray_callbacks import EventCallback, PerArmStopping, SearchAdapter, StudyStopper
from tuning.execution.ray_cluster import CHECKOUT
from tuning.execution.trial_generator import TrialGenerator
from tuning.listeners.optuna_storage import OptunaDatabase
from tuning.listeners.progress import Progress
from tuning.listeners.tensorboard import TensorBoardWriter
from tuning.plan.study_plan import ArmPlan, StudyPlan, axis_header
from tuning.records.best_models import keep_best_model
from tuning.records.event_log import EventLog
from tuning.records.events import AnyEvent, StudyEnded, StudyStarted, StudyStatus
from tuning.records.header import ArmHeader, DataHeader
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord

VERSIONED = ("ray", "tensorflow", "keras", "optuna", "numpy", "scikit-learn", "albumentations")
RECORDED_FIELDS = ("name", "label", "note", "learner", "model", "trains", "max_epochs", "grace_epochs")  # of an arm


def run_study(
    plan: StudyPlan,
    store_path: Path,
    progress: Progress,
    command: str,
    pretraining: Mapping[str, Path],
    listener: Callable[[AnyEvent], None],
) -> StudyRecord:
    """Search, confirm, test.

    The study's folder must exist and have no events; Ray must be started (tuning/execution/ray_cluster.py). Failed
    trials raise nothing.

    Args:
        plan: The plan.
        store_path: The study's image store.
        progress: Shows progress.
        command: The command line, for the record.
        pretraining: Stores of the images that backbones learn from first, by arm.
        listener: Called with every event.

    Returns:
        The record; its status says how the study ended.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM, after they were recorded.
    """
    first = pretrained(plan, pretraining)
    described = header(plan, ImageStore.open(store_path, plan.fold), command, first)
    record, paths = StudyRecord(), StudyPaths(plan.folder)
    log, tensorboard = EventLog(paths.events), TensorBoardWriter(paths.tensorboard, record)
    optuna = OptunaDatabase(paths.optuna, record)
    log.listen(record.apply, tensorboard.apply, optuna.apply, progress.apply, listener)
    progress.watch(record, plan)
    search = TrialGenerator(plan, log, record, store_path, first)
    try:
        log.append(described)
        with progress.shown():
            _tune(plan, search, progress.tell)
        status = StudyStatus.FATAL if search.fatal else StudyStatus.COMPLETED
        log.append(StudyEnded(status=status, reason=search.fatal or ""))
    except KeyboardInterrupt as interruption:
        log.append(StudyEnded(status=StudyStatus.INTERRUPTED, reason=str(interruption) or "Ctrl-C"))
        _keep_winners(plan, record)  # of the arms that had been tested
        raise
    finally:
        tensorboard.close()
        log.close()
    _keep_winners(plan, record)
    return record


def _keep_winners(plan: StudyPlan, record: StudyRecord) -> None:
    for arm in plan.arms:
        keep_best_model(plan.folder, record, arm.arm.name)


def _tune(plan: StudyPlan, search: TrialGenerator, tell: Callable[[str], None]) -> None:
    """Run the search; raise KeyboardInterrupt after Ctrl-C, OSError if the study's folder cannot be written."""
    # Workers start side by side, not one after the other; no more trials wait than there are slots.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(plan.share.slots)
    stopper = StudyStopper(search)
    # Ray's own experiment folder is scratch: nothing is ever restored from it.
    with tempfile.TemporaryDirectory(prefix="podium-") as scratch:
        worker = tune.with_resources(TrialTrainable, {"cpu": plan.share.cpus, "gpu": plan.share.gpus})
        worker.__qualname__ = "Trial"  # an idle worker's title; Ray would call it ResourceTrainable
        tuner = tune.Tuner(
            worker,
            tune_config=tune.TuneConfig(
                num_samples=-1,  # the TrialGenerator says when it is over
                search_alg=SearchAdapter(search, stopper),
                scheduler=PerArmStopping(plan),
                reuse_actors=True,
                trial_name_creator=lambda trial: trial.config["spec"].trial,
                trial_dirname_creator=lambda trial: f"{trial.config['spec'].trial}-{trial.trial_id}",
            ),
            run_config=tune.RunConfig(
                name=plan.name,
                storage_path=scratch,
                stop=stopper,
                callbacks=[EventCallback(search, stopper, tell)],
                failure_config=tune.FailureConfig(max_failures=0),  # a deterministic failure would fail again
                verbose=0,
            ),
        )
        with stopper.watching():
            tuner.fit()
    if stopper.failure is not None:
        raise stopper.failure
    if stopper.interrupted:
        raise KeyboardInterrupt(stopper.interrupted)


def header(plan: StudyPlan, store: ImageStore, command: str, first: Mapping[str, Pretrained] = {}) -> StudyStarted:
    """Return the first event: everything that determines and reproduces the study.

    Args:
        plan: The plan.
        store: Its images.
        command: The command line.
        first: Pre-trainings by arm.
    """
    folds = (
        f"{plan.folds} folds of the images outside the test split: each seed validated on another one, "
        "the search on the first"
    )
    return StudyStarted(
        task=plan.task.name,
        title=plan.task.title,
        study=plan.name,
        source=plan.task.source,
        sample=plan.settings.sample,
        target=plan.task.target,
        settings=asdict(plan.settings),
        arms=tuple(_arm_header(arm, first.get(arm.arm.name)) for arm in plan.arms),
        goes_on=plan.origin.described() if plan.origin else None,
        confirm_seeds=plan.confirm_seeds,
        early_stopping=plan.early_stopping,
        reduction_factor=plan.reduction_factor,
        objective=plan.objective,
        share=asdict(plan.share),
        data=DataHeader(
            title=plan.task.dataset.title,
            fingerprint=store.fingerprint,
            store=str(store.path.resolve()),
            max_side=plan.task.dataset.max_side,
            white_level=store.white_level,
            classes=tuple(store.classes),
            counts={split: len(store.indices(split)) for split in SPLITS},
            notices=(*notices_of(plan.task.dataset), *store.notices, *([folds] if plan.folds else [])),
        ),
        versions={"python": platform.python_version(), **{name: metadata.version(name) for name in VERSIONED}},
        machine={"processor": devices.processor(), "cores": usable_cores(), "platform": platform.platform()},
        command=command,
        git_commit=_git_commit(),
    )


def _arm_header(plan: ArmPlan, pretraining: Pretrained | None) -> ArmHeader:
    arm = plan.arm
    return ArmHeader(
        **{field: getattr(arm, field) for field in RECORDED_FIELDS},
        view=asdict(arm.view),
        trials=plan.trials,
        axes=tuple(axis_header(axis) for axis in arm.space.axes),
        constants=dict(arm.space.constants),
        pretraining=pretraining.described() if pretraining else None,
    )


def _git_commit() -> str | None:
    """Return the checkout's commit, marked if files differ from it; None outside a checkout."""
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True, timeout=10).strip() or None
    except (OSError, subprocess.SubprocessError):
        return None
