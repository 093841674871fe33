"""The files of a Keras network: its variables while a study runs, and a model that Keras alone can load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from trainables.learner import ModelFacts

MODEL_FILE = "model.keras"
VARIABLES_FILE = "variables.npz"


def export_model(model: Any, folder: Path) -> ModelFacts:
    """Write model.keras in place of the variables; keras.models.load_model reads it without this application.

    The facts' parameters are all weights, batch normalization's moving statistics included.
    """
    partial = folder / f".{os.getpid()}.{MODEL_FILE}"  # Keras insists on the ending
    try:
        model.save(partial)
        os.replace(partial, folder / MODEL_FILE)
    finally:
        partial.unlink(missing_ok=True)
    (folder / VARIABLES_FILE).unlink(missing_ok=True)
    return ModelFacts(parameters=int(model.count_params()), size_bytes=(folder / MODEL_FILE).stat().st_size)
