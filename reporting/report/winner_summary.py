"""The winner of a study in a few lines: what it reached, where its model lies, how to use it, its surest mistakes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from reporting.results.arm_results import best_arm, summarize_arms
from reporting.results.correct_predictions import correctness
from reporting.significance.uncertainty import collect_uncertainty
from tuning.records.study_paths import ModelPaths, StudyPaths
from tuning.records.study_record import StudyRecord
from tuning.records.test_predictions import ClassPredictions, UnreadablePredictions, read_test_predictions

MOST_MISTAKES = 10


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A test image that the winner answered wrongly."""

    name: str
    true: str
    predicted: str
    probability: float  # of the predicted class


@dataclass(frozen=True, kw_only=True)
class WinnerSummary:
    """The row that is best on validation, and its model."""

    arm: str
    label: str
    measured: str  # such as "test accuracy 0.7812, 95 % interval 0.7110 to 0.8383, 160 images"
    model: str  # path of the Keras model; empty where none is kept
    command: str  # predicts with it
    mistakes: tuple[Mistake, ...]


def winner_summary(record: StudyRecord) -> WinnerSummary | None:
    """Return the summary of the study's winner; None where no arm was tested.

    The mistakes are those of stored test predictions: no image is looked at again.
    """
    criterion = correctness(record)
    tested = [row for row in summarize_arms(record) if criterion.metric in row.metrics and not row.members]
    best = best_arm(record, tested)
    if best is None or record.folder is None:
        return None
    evidence = collect_uncertainty(record).of(best.arm)
    measured = f"{criterion.words} {best.metrics[criterion.metric].mean:.4f}"
    if evidence.interval is not None:
        measured += f", 95 % interval {evidence.interval[0]:.4f} to {evidence.interval[1]:.4f}"
    if evidence.images:
        measured += f", {evidence.images:,} images"
    model = StudyPaths(record.folder).best_model(best.arm)
    return WinnerSummary(
        arm=best.arm,
        label=best.label,
        measured=measured,
        model=_shown(model.keras) if model.keras.is_file() else "",
        command=f"python cli.py predict {_named(record, record.folder)} new.jpg",
        mistakes=_mistakes(model, record.header.data.classes),
    )


def _shown(path: Path) -> str:
    """Return the path as it is typed here: relative where it lies below the current folder."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _named(record: StudyRecord, folder: Path) -> str:
    """Return the study's name as `predict` finds it without further options."""
    name = f"{record.task}/{record.name}"
    return name if folder.resolve() == Path("results", name).resolve() else shlex.quote(str(folder))


def _mistakes(model: ModelPaths, classes: tuple[str, ...]) -> tuple[Mistake, ...]:
    try:
        stored = read_test_predictions(model.test_predictions)
    except (OSError, UnreadablePredictions):
        return ()
    if not isinstance(stored, ClassPredictions):
        return ()

    def name(output: int) -> str:  # a network may have more outputs than there are classes
        return classes[output] if output < len(classes) else f"output {output}"

    predicted, highest = stored.probabilities.argmax(axis=1), stored.probabilities.max(axis=1)
    wrong = sorted((~stored.correct).nonzero()[0].tolist(), key=lambda place: -float(highest[place]))
    return tuple(
        Mistake(
            name=stored.names[place],
            true=name(int(stored.labels[place])),
            predicted=name(int(predicted[place])),
            probability=float(highest[place]),
        )
        for place in wrong[:MOST_MISTAKES]
    )
