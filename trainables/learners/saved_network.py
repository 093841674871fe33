"""The files of a Keras network: its variables while a study runs, and a model that Keras alone can load."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainables import npz
from trainables.learner import ModelFacts

MODEL_FILE = "model.keras"
VARIABLES_FILE = "variables.npz"


def save_variables(variables: Sequence[Any], folder: Path) -> None:
    """Write the variables, whole or not at all: 0.1 s, where a whole Keras model takes seconds."""
    numbered = {str(number): variable.numpy() for number, variable in enumerate(variables)}
    npz.write(folder / VARIABLES_FILE, numbered)


def read_variables(folder: Path) -> dict[str, np.ndarray]:
    """Return what `save_variables` wrote, by number. Raises ValueError (one line) for a damaged file."""
    return npz.read(folder / VARIABLES_FILE, "Keras model")


def assign_variables(
    saved: Mapping[str, np.ndarray], variables: Sequence[Any], folder: Path, config: Mapping[str, Any]
) -> None:
    """Give the variables the saved values.

    Args:
        saved: What `read_variables` returned.
        variables: Of a network that was built for `config`, in the order in which they were saved.
        folder: Where the values were read, for the message.
        config: The configuration, for the message.

    Raises:
        ValueError: The shapes differ (one line).
    """
    shapes = {str(number): tuple(variable.shape) for number, variable in enumerate(variables)}
    if {number: array.shape for number, array in saved.items()} != shapes:
        raise ValueError(f"{folder / VARIABLES_FILE} holds another model than {config} describes; train it again")
    for number, variable in enumerate(variables):
        variable.value.assign(saved[str(number)])


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
