"""The test images a winner got wrong while it was most sure of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspection.explanation import image_grids
from inspection.loading.best_model import InspectionError, Winner, class_predictions
from reporting.plots.figure import save_figure
from tuning.records.test_predictions import ClassPredictions

COLUMNS = 4
REASON = "gallery of mistakes"


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One test image that was taken for something else."""

    position: int  # in the test split
    name: str
    true: str
    predicted: str
    confidence: float  # probability of what was predicted
    probability_of_true: float


def mistakes(predictions: ClassPredictions, classes: Sequence[str], most: int) -> list[Mistake]:
    """Return the wrong predictions with the highest confidence first.

    Args:
        predictions: Stored test predictions.
        classes: Name of each output.
        most: Largest number of mistakes.
    """
    probabilities, labels = predictions.probabilities, predictions.labels
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(labels)), predicted]
    wrong = np.flatnonzero(~predictions.correct)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return [
        Mistake(
            position=int(place),
            name=str(predictions.names[place]),
            true=classes[labels[place]],
            predicted=classes[predicted[place]],
            confidence=float(confidence[place]),
            probability_of_true=float(probabilities[place, labels[place]]),
        )
        for place in surest
    ]


def draw_gallery(winner: Winner, path: Path, most: int, enter: Callable[[str], None]) -> list[Mistake]:
    """Write the sheet of the winner's most confident mistakes; without any, nothing is opened or written.

    Args:
        winner: The model.
        path: Target file (PNG).
        most: Largest number of images.
        enter: Records the reason as an opening of the test split; called before any pixel is read.

    Raises:
        InspectionError: Predictions are missing, or the images are gone or changed.
    """
    predictions = class_predictions(winner.paths)
    wrong = mistakes(predictions, winner.names(predictions.probabilities.shape[1]), most)
    if not wrong:
        return []
    images = winner.images("test", REASON)
    if tuple(images.store.names[index] for index in images.indices) != predictions.names:
        raise InspectionError(f"the test images of {winner.title} are not those of its stored predictions")
    enter(REASON)
    positions = np.array([mistake.position for mistake in wrong], np.int64)
    squares = [square for batch in images.batches(len(positions), positions) for square in batch]
    shown = []
    for mistake, square in zip(wrong, squares, strict=True):
        said = f"said {mistake.predicted} {mistake.confidence:.0%}"
        lines = (said, f"is {mistake.true} {mistake.probability_of_true:.0%}")
        shown.append(image_grids.GridCell(title=mistake.name, pixels=square, lines=lines))
    count = int((~predictions.correct).sum())
    title = f"Surest mistakes on the test split: {winner.title}, {count} of {len(predictions.labels)} wrong"
    save_figure(image_grids.picture_sheet(shown, COLUMNS, title), path)
    return wrong
