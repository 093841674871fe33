"""Going on from where a trial of an earlier study stood, with other settings (`tune --from STUDY/TRIAL@EPOCH`).

How the deep-learning report trained its ResNets and its DeeperGoogLeNet: stop, lower the learning rate, go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from errors import arg, unknown_name
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
    """Checkpoint or training state of another training, with its trial and record."""

    record: StudyRecord  # of its study
    trial: TrialRecord
    epoch: int  # of its own, from 1
    path: Path  # a state, or a model alone: then the optimizer begins anew

    @property
    def name(self) -> str:
        return f"{self.record.task}/{self.record.name}/{self.trial.trial}@{self.epoch}"

    def described(self) -> ResumedFrom:
        """Return it as the study's first event keeps it, with the epochs of everything that came before, in order."""
        earlier = self.record.header.goes_on.history if self.record.header.goes_on else ()
        own = (EarlierEpoch(epoch=epoch.epoch, metrics=epoch.metrics) for epoch in self.trial.epochs[: self.epoch])
        return ResumedFrom(trial=self.name, epoch=self.epoch, history=(*earlier, *own))


def find_checkpoint(text: str, results: Path) -> Origin:
    """Find what `--from` names: STUDY/TRIAL@EPOCH, or STUDY/TRIAL for its last kept epoch, else its best model.

    Args:
        text: The name.
        results: Folder of studies.

    Raises:
        StudyNotFound: There is no such study.
        UsageError: There is no such trial or epoch.
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
    return Origin(record=record, trial=trial, epoch=number, path=path.resolve())


def _state(study: Path, trial: TrialRecord, epoch: int | None, text: str) -> tuple[int, Path]:
    folder = StudyPaths(study).states(trial.trial)
    kept = [number + 1 for number in range(len(trial.epochs)) if (folder / state_name(number + 1)).is_file()]
    state = max(kept, default=None) if epoch is None else epoch
    if state in kept:
        return state, folder / state_name(state)
    model = StudyPaths(study).checkpoint(trial.trial).keras
    if model.is_file() and trial.best_epoch and epoch in (None, trial.best_epoch):
        return trial.best_epoch, model
    there = f"it kept epochs {', '.join(map(str, kept))}" if kept else f"it kept none; train it with {arg.keep_epochs}"
    best = f"; its best model is of epoch {trial.best_epoch}" if model.is_file() else ""
    raise UsageError(f"{arg.goes_on_from} {text}: nothing is left of that epoch: {there}{best}")


def check_images(origin: Origin, store: ImageStore) -> None:
    """Check that the study has the images of the other training in the same splits.

    Args:
        origin: The other training.
        store: Images of this study.

    Raises:
        UsageError: Images the other training learned from would validate or test it.
    """
    if store.fingerprint != origin.record.header.data.fingerprint:
        raise UsageError(
            f"{arg.goes_on_from} is {origin.name}, which learned from other images than {store.path}, or from another "
            f"division of them (as with {arg.folds}): what it has seen would validate it; go on from a study of these"
        )


def fix_to_checkpoint(origin: Origin, space: Space) -> Space:
    """Hold every axis of the arm's space at the other training's value, less the warm-up it has had.

    Args:
        origin: The other training.
        space: The arm's space.
    """
    for name, value in origin.trial.config.items():
        if name in space.names:
            left = max(0, int(value) - origin.epoch) if name == "warmup_epochs" else value
            space = space.with_value(name, left, source=arg.goes_on_from)
    return space
