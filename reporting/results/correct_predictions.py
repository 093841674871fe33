"""What confirmed models answered on the test split, as a study keeps it: nothing is opened or predicted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord, TrialRecord
from tuning.records.test_predictions import UnreadablePredictions, read_test_predictions

if TYPE_CHECKING:
    import numpy as np

# An event's accuracy and its predictions' are the same division of whole numbers; only its last digits are printed.
SAME_ACCURACY = 1e-6


@dataclass(frozen=True, kw_only=True)
class Correctness:
    """What counts as a correct answer on a test image, and the share of them that a study records."""

    metric: str  # "test_accuracy"
    heading: str
    words: str  # in the middle of a sentence


CORRECT = {
    "class": Correctness(metric="test_accuracy", heading="Test Accuracy", words="test accuracy"),
    "box": Correctness(
        metric="test_iou_at_least_half",
        heading="IoU at least 0.5",
        words="the share of test boxes with IoU at least 0.5",
    ),
}


def correctness(record: StudyRecord) -> Correctness:
    """Of that study's target; studies older than boxes do not say."""
    return CORRECT[record.header.target]


@dataclass(frozen=True, kw_only=True)
class CorrectPredictions:
    """Which test images the seeds of one arm answered correctly."""

    trials: tuple[str, ...]
    names: tuple[str, ...]  # of the images
    labels: tuple[int, ...]  # 0 of boxes
    correct: np.ndarray  # bool [seeds, images]


def read_correct_predictions(
    study: Path, trials: Sequence[TrialRecord], metric: str
) -> tuple[CorrectPredictions | None, str]:
    """The answers of those trials whose predictions are stored, and what is missing of them, in words.

    A trial's predictions lie in checkpoints/<trial>/; probabilities float [N, C], labels int [N], names str [N]. The
    class of the highest probability is the answer, the lowest of equals, as in trainables/metrics.py. Or of boxes,
    overlaps float [N] with the true ones, of which at least half is correct. Predictions that do not have the share of
    correct answers that the study recorded are of another model and left out.
    metric: that share, see Correctness.
    """
    import numpy as np

    found: dict[str, np.ndarray] = {}  # by trial, in which image it was correct
    images: tuple[tuple[str, ...], tuple[int, ...]] | None = None  # names and labels, of the first that is found
    missing: list[str] = []
    for trial in trials:
        try:
            stored = read_test_predictions(StudyPaths(study).checkpoint(trial.trial).test_predictions)
        except FileNotFoundError:
            missing.append(f"{trial.trial}: not stored")
            continue
        except (OSError, UnreadablePredictions):
            missing.append(f"{trial.trial}: its file cannot be read")
            continue
        met = stored.names, tuple(map(int, stored.labels))
        recorded = trial.test.get(metric)
        if recorded is None or abs(float(stored.correct.mean()) - recorded) > SAME_ACCURACY:
            missing.append(f"{trial.trial}: of another model, by their accuracy")
        elif images is not None and met != images:
            missing.append(f"{trial.trial}: of other images")
        else:
            found[trial.trial], images = stored.correct, met
    words = "; ".join(missing)
    if images is None:
        return None, words
    correct = np.stack(list(found.values()))
    return CorrectPredictions(trials=tuple(found), names=images[0], labels=images[1], correct=correct), words
