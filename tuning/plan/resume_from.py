"""Going on from where a trial of an earlier study stood, with other settings (`tune --from STUDY/TRIAL@EPOCH`).

How document 2 trained its ResNets and its DeeperGoogLeNet: stop, lower the learning rate, go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.input_config import InputConfig
from errors import arg, unknown_name
from search_spaces.parameters import Config
from search_spaces.space import Space
from trainables.trial_spec import state_name
from tuning.plan.settings import UsageError
from tuning.records.find_study import find_study
from tuning.records.header import EarlierEpoch, ResumedFrom
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord, TrialRecord, read_started

if TYPE_CHECKING:
    from datasets.store.image_store import ImageStore


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where another training stood."""

    name: str  # "cifar10/first/resnet-0003@70"
    task: str
    sample: bool
    arm: str
    config: Config
    view: InputConfig  # how it saw the images
    fingerprint: str  # of the images and how they were divided
    epoch: int  # of its own, from 1
    path: Path  # a state, or a model alone: then the optimizer begins anew
    history: tuple[EarlierEpoch, ...]  # epoch and metrics of everything that came before, in order

    def described(self) -> ResumedFrom:
        """As the study's first event keeps it."""
        return ResumedFrom(trial=self.name, epoch=self.epoch, history=self.history)


def find_checkpoint(text: str, results: Path) -> Origin:
    """What `--from` names: STUDY/TRIAL@EPOCH, or STUDY/TRIAL for its last kept epoch, else its best model.

    Raises StudyNotFound or UsageError (one line, nearest match).
    """
    study_name, _, place = text.rpartition("/")
    trial_name, at, epoch = place.partition("@")
    if not study_name or not trial_name or (at and not epoch.isdecimal()):
        raise UsageError(
            "must be STUDY/TRIAL@EPOCH, such as cifar10/first/resnet-0003@70", argument="goes_on_from", value=text
        )
    study = find_study(results, study_name)
    record = read_started(study)
    if trial_name not in record.trials:
        raise UsageError(unknown_name("trial", trial_name, tuple(record.trials)), argument="goes_on_from")
    trial = record.trials[trial_name]
    number, path = _state(study, trial, int(epoch) if epoch else None, text)
    return Origin(
        name=f"{record.task}/{record.name}/{trial_name}@{number}",
        task=record.task,
        sample=record.header.sample,
        arm=trial.arm,
        config=trial.config,
        view=InputConfig(**record.arm(trial.arm).view),
        fingerprint=record.header.data.fingerprint,
        epoch=number,
        path=path.resolve(),
        history=(*_before(record), *(EarlierEpoch(epoch=e.epoch, metrics=e.metrics) for e in trial.epochs[:number])),
    )


def _before(record: StudyRecord) -> tuple[EarlierEpoch, ...]:
    """What the study itself went on from."""
    return record.header.goes_on.history if record.header.goes_on else ()


def _state(study: Path, trial: TrialRecord, epoch: int | None, text: str) -> tuple[int, Path]:
    folder = StudyPaths(study).states(trial.trial)
    kept = [number + 1 for number in range(len(trial.epochs)) if (folder / state_name(number + 1)).is_file()]
    if epoch is not None and epoch in kept:
        return epoch, folder / state_name(epoch)
    if epoch is None and kept:
        return kept[-1], folder / state_name(kept[-1])
    model = StudyPaths(study).checkpoint(trial.trial).keras
    if model.is_file() and trial.best_epoch and epoch in (None, trial.best_epoch):
        return trial.best_epoch, model
    there = f"it kept epochs {', '.join(map(str, kept))}" if kept else f"it kept none; train it with {arg.keep_epochs}"
    best = f"; its best model is of epoch {trial.best_epoch}" if model.is_file() else ""
    raise UsageError(f"{arg.goes_on_from} {text}: nothing is left of that epoch: {there}{best}")


def check_images(origin: Origin, store: ImageStore) -> None:
    """Raises UsageError: these are other images, or some that it learned from would now validate or test it."""
    if store.fingerprint != origin.fingerprint:
        raise UsageError(
            f"{arg.goes_on_from} is {origin.name}, which learned from other images than {store.path}, or from another "
            f"division of them (as with {arg.folds}): what it has seen would validate it; go on from a study of these"
        )


def fix_to_checkpoint(origin: Origin, space: Space) -> Space:
    """The arm's space with every axis where the other training had it; what is to be changed is changed after this.

    What it has warmed up is not warmed up again.
    """
    for name, value in origin.config.items():
        if name in space.names:
            left = max(0, int(value) - origin.epoch) if name == "warmup_epochs" else value
            space = space.with_value(name, left, source=arg.goes_on_from)
    return space
