"""Class predictions that a study stored when it opened its test split, for a command that needs them."""

from __future__ import annotations

from pathlib import Path

from inspection.loading.best_model import InspectionError
from tuning.records.study_paths import ModelPaths
from tuning.records.test_predictions import ClassPredictions, UnreadablePredictions, read_test_predictions


def read(folder: Path) -> ClassPredictions:
    """Read the class predictions in a model's folder. Raises InspectionError (one line)."""
    path = ModelPaths(folder).test_predictions
    try:
        predictions = read_test_predictions(path)
    except (OSError, UnreadablePredictions) as error:
        raise InspectionError(f"{path} holds no test predictions ({error}); run the study again") from None
    if not isinstance(predictions, ClassPredictions):
        raise InspectionError(f"{path} holds boxes, not classes; only classes have this")
    return predictions
