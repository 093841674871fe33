"""A winner as its study keeps it: which model, what it sees of an image, what its outputs are called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store.folds import Fold
from datasets.store.image_store import ImageStore
from errors import PodiumError, unknown_name
from reporting.results.headings import titled
from tuning.records.header import ArmHeader
from tuning.records.study_paths import ModelPaths, StudyPaths
from tuning.records.study_record import StudyRecord, TrialRecord, read_started
from tuning.records.test_predictions import ClassPredictions, UnreadablePredictions, read_test_predictions


class InspectionError(PodiumError):
    """A request that a winner cannot fulfil; the message is one line."""


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The model of winners/<arm>/, and everything needed to show it another image as it saw the test images."""

    study: Path
    paths: ModelPaths  # of winners/<arm>
    title: str  # "food10/first, fine_tuned"
    arm: str
    header: ArmHeader  # of the arm
    trial: TrialRecord
    view: InputConfig
    classes: tuple[str, ...]  # in the order of the outputs
    max_side: int  # pixels, longer side: images are decoded no larger, then fitted
    white_level: float | None  # value shown as white where channels have more than 8 bits
    score: str  # "val_accuracy 0.8333 (best of 3 seeds)"
    seeds: int  # trained with its configuration, of which it is the best by validation
    store: Path  # of the study's images, where it was
    fold: Fold | None  # how the store's images were divided for it
    fingerprint: str

    @property
    def is_keras(self) -> bool:
        return self.paths.keras.is_file()

    def names(self, outputs: int) -> tuple[str, ...]:
        """Return the name of each output; a network may have more outputs than classes (traffic-signs report: 1000)."""
        return (*self.classes, *(f"output {number}" for number in range(len(self.classes), outputs)))[:outputs]

    def images(self, split: str, opened_by: str = "") -> SplitBatches:
        """Return the study's images of a split as the winner saw them.

        Args:
            split: "train", "val" or "test".
            opened_by: Reason for opening the test split; empty for the others.

        Raises:
            InspectionError: The store is gone or holds other images.
        """
        if not self.store.is_file():
            raise InspectionError(
                f"the images of {self.title} are not at {self.store} any more; prepare them there again with "
                "`python cli.py datasets prepare`, or name images of your own"
            )
        fold = Fold(number=0, of=self.fold.of) if self.fold else None  # what the study's fingerprint is of
        if ImageStore.open(self.store, fold).fingerprint != self.fingerprint:
            raise InspectionError(f"{self.store} holds other images than {self.title} was trained on; prepare it again")
        return SplitBatches(ImageStore.open(self.store, self.fold), split, self.view, opened_by)  # type: ignore[arg-type]


def class_predictions(model: ModelPaths) -> ClassPredictions:
    """Read the stored test predictions of a model.

    Raises:
        InspectionError: The file is missing or damaged, or holds boxes.
    """
    path = model.test_predictions
    try:
        predictions = read_test_predictions(path)
    except (OSError, UnreadablePredictions) as error:
        raise InspectionError(f"{path} holds no test predictions ({error}); run the study again") from None
    if not isinstance(predictions, ClassPredictions):
        raise InspectionError(f"{path} holds boxes, not classes; only classes have this")
    return predictions


def winners(study: Path) -> list[Winner]:
    """Return every arm's winner, the best on validation first.

    Raises:
        InspectionError: The study has none.
    """
    record = read_started(study)
    kept = [StudyPaths(study).best_model(arm.name).description for arm in record.arms]
    names = [json.loads(description.read_text())["trial"] for description in kept if description.is_file()]
    if not names:
        ended = f"it ended {record.status}, nothing was tested"
        ended = "it has not ended yet" if record.status == "running" else ended
        raise InspectionError(f"{record.task}/{record.name} has no winner: {ended}")
    return [_winner(study, record, trial) for trial in record.ranked(record.trials[name] for name in names)]


def winner(study: Path, arm: str | None = None) -> Winner:
    """Return an arm's winner.

    Args:
        study: Folder of the study.
        arm: Name of the arm; None takes the arm that is best on validation.

    Raises:
        InspectionError: There is no such winner; the message has the nearest match.
    """
    return chosen(study, [arm] if arm else [])[0]


def chosen(study: Path, arms: Sequence[str]) -> list[Winner]:
    """Return the winners of these arms, the best on validation first.

    Args:
        study: Folder of the study.
        arms: Names of arms; none means all.

    Raises:
        InspectionError: An arm has no winner.
    """
    of = {each.arm: each for each in winners(study)}
    for arm in arms:
        if arm not in of:
            raise InspectionError(unknown_name("arm with a winner", arm, of))
    return [of[arm] for arm in dict.fromkeys(arms)] if arms else list(of.values())


def _winner(study: Path, record: StudyRecord, trial: TrialRecord) -> Winner:
    data, arm = record.header.data, record.arm(trial.arm)
    title = titled(record, f"{record.task}/{record.name}, {arm.name}")
    if data.store is None or data.max_side is None:
        raise InspectionError(f"{title} was made by an earlier version, which did not note how it reads images")
    if record.header.target != "class":
        raise InspectionError(f"{title} predicts a {record.header.target}, not classes: it has no names to give")
    fold = trial.fold(record.header.folds)
    score = f"{record.header.objective.metric} {trial.best:.4f}" if trial.best is not None else "not validated"
    seeds = len(record.confirmed(trial.arm))
    if seeds > 1:
        score += f" (best of {seeds} seeds)"
    return Winner(
        study=study,
        paths=StudyPaths(study).best_model(arm.name),
        title=title,
        arm=arm.name,
        header=arm,
        trial=trial,
        view=InputConfig(**arm.view),
        classes=data.classes,
        max_side=data.max_side,
        white_level=data.white_level,
        score=score,
        seeds=seeds,
        store=Path(data.store),
        fold=Fold(number=fold[0], of=fold[1]) if fold else None,
        fingerprint=data.fingerprint,
    )
