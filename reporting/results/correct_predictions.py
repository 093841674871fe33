"""The stored test predictions of confirmed models; nothing is evaluated again."""

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

# The recorded accuracy and the predictions' are the same quotient of whole numbers; only last digits may differ.
SAME_ACCURACY = 1e-6


@dataclass(frozen=True, kw_only=True)
class Correctness:
    """The criterion of a correct answer on a test image, and the metric with their share."""

    metric: str  # "test_accuracy"
    heading: str
    words: str  # name of the share in the middle of a sentence


CORRECT = {
    "class": Correctness(metric="test_accuracy", heading="Test Accuracy", words="test accuracy"),
    "box": Correctness(
        metric="test_iou_at_least_half",
        heading="IoU at least 0.5",
        words="the share of test boxes with IoU at least 0.5",
    ),
}


def correctness(record: StudyRecord) -> Correctness:
    """Return the criterion of the study's target; studies recorded before box tasks existed count as "class"."""
    return CORRECT[record.header.target]


@dataclass(frozen=True, kw_only=True)
class CorrectPredictions:
    """The test images that the seeds of one arm answered correctly."""

    trials: tuple[str, ...]
    names: tuple[str, ...]  # names of the images
    labels: tuple[int, ...]  # class of each image; 0 for boxes
    correct: np.ndarray  # bool [seeds, images]


def read_correct_predictions(
    study: Path, trials: Sequence[TrialRecord], metric: str
) -> tuple[CorrectPredictions | None, str]:
    """Read the correct answers of trials whose test predictions are stored.

    Each trial's predictions are in checkpoints/<trial>/. Class tasks store probabilities float [N, C], labels int [N]
    and names str [N]; the answer is the class of the highest probability, the lowest of equals, as in
    trainables/classification_metrics.py. Box tasks store IoUs float [N] with the true boxes, of which at least 0.5 is
    correct. Predictions whose share of correct answers differs from the recorded one belong to another model and are
    left out.

    Args:
        study: Folder of the study.
        trials: The trials to read.
        metric: Name of the recorded share, see Correctness.

    Returns:
        The answers, None where no predictions can be used, and a text on the missing trials.
    """
    import numpy as np

    found: dict[str, np.ndarray] = {}  # by trial, bool [images]
    images: tuple[tuple[str, ...], tuple[int, ...]] | None = None  # names and labels of the first readable trial
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
