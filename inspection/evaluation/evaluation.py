"""Evaluation of winners from stored test predictions; no test image is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atomic_file import write_atomically
from inspection.evaluation import confusion_matrix
from inspection.evaluation.classification_report import report
from inspection.loading.best_model import Winner, chosen, class_predictions
from tuning.records.study_paths import StudyPaths


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One winner on the test images."""

    winner: Winner
    title: str
    names: tuple[str, ...]  # the task's classes, then whatever else was predicted
    labels: np.ndarray  # int [N], positions in `names`
    predicted: np.ndarray  # int [N], positions in `names`

    @property
    def confusion(self) -> confusion_matrix.Confusion:
        return confusion_matrix.confusion_of(self.labels, self.predicted, self.names)


def evaluations(study: Path, arms: Sequence[str] = ()) -> list[Evaluation]:
    """Evaluate winners, the best on validation first.

    Args:
        study: Folder of the study.
        arms: Arms whose winners are meant; none means all.

    Raises:
        InspectionError: An arm has no winner, or its predictions are missing.
    """
    return [_evaluation(winner) for winner in chosen(study, arms)]


def evaluation_text(evaluation: Evaluation) -> str:
    """Report, the most confused pairs and, where it fits, the confusion matrix."""
    labels, predicted, names = evaluation.labels, evaluation.predicted, evaluation.names
    parts = [evaluation.title, report(labels, predicted, names).rstrip()]
    confusion = evaluation.confusion
    if pairs := confusion_matrix.most_confused(confusion):
        width = len(str(pairs[0].count))
        lines = [f"{pair.count:{width}} ({pair.share:4.0%})  {pair.true} taken for {pair.predicted}" for pair in pairs]
        parts.append("\n".join(["Most confused: images, share of the true class", *lines]))
    else:
        parts.append("No test image was confused.")
    if len(names) <= confusion_matrix.IN_TEXT:
        parts.append("Confusion matrix: rows true, columns predicted\n" + confusion_matrix.confusion_text(confusion))
    return "\n\n".join(parts)


def evaluation_contract(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as JSON values; commands/evaluate.py prints them."""
    confusion = evaluation.confusion
    return {
        "arm": evaluation.winner.arm,
        "label": evaluation.winner.header.label,
        "trial": evaluation.winner.trial.trial,
        "test_images": len(evaluation.labels),
        "report": report(evaluation.labels, evaluation.predicted, evaluation.names, numbers=True),
        "classes": list(evaluation.names),
        "confusion": confusion.counts.tolist(),
        "most_confused": [asdict(pair) for pair in confusion_matrix.most_confused(confusion)],
    }


def write_evaluations(study: Path, found: Sequence[Evaluation]) -> list[Path]:
    """Write tables/report_<arm>.txt and plots/confusion_<arm>.png of each evaluation.

    Args:
        study: Folder of the study.
        found: The evaluations.

    Returns:
        The paths written.

    Raises:
        OSError: A file cannot be written.
    """
    written = []
    for evaluation in found:
        arm = evaluation.winner.arm
        table, plot = StudyPaths(study).table(f"report_{arm}.txt"), StudyPaths(study).plot(f"confusion_{arm}")
        write_atomically(table, evaluation_text(evaluation) + "\n", synced=False)
        confusion_matrix.draw_confusion(evaluation.confusion, evaluation.title, plot)
        written += [table, plot]
    return written


def _evaluation(winner: Winner) -> Evaluation:
    predictions = class_predictions(winner.paths)
    # A network may have more outputs than there are classes (the traffic-signs report's 1000): of those, only the
    # predicted count.
    predicted = predictions.probabilities.argmax(axis=1)
    outputs = np.union1d(np.arange(len(winner.classes)), predicted)
    names = winner.names(predictions.probabilities.shape[1])
    # The table's row is the mean of all seeds.
    chosen_seed = f" ({winner.trial.trial}, best of {winner.seeds} seeds by validation)" if winner.seeds > 1 else ""
    return Evaluation(
        winner=winner,
        title=f"{winner.title}: {winner.header.label}, test images{chosen_seed}",
        names=tuple(names[output] for output in outputs.tolist()),
        labels=predictions.labels,
        predicted=np.searchsorted(outputs, predicted),
    )
