"""The families of models by the names that tasks and records give them. Imports no framework."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from errors import unknown_name
from trainables.learner import Fatal
from trainables.models import families

# Recorded names of families whose module is called otherwise. A new family needs no entry: its module is its name.
MODEL_FAMILIES = {
    "as_is": "pretrained_classifier",
    "backbone_features": "linear_probe",
    "residual": "small_resnet",
    "resnet": "preact_resnet",
}


def family_names() -> list[str]:
    """Return the recorded name of every family, in alphabetical order."""
    recorded = {module: name for name, module in MODEL_FAMILIES.items()}
    return sorted(recorded.get(module.name, module.name) for module in pkgutil.iter_modules(families.__path__))


def model_family(name: str) -> Any:
    """Import the module with the family's `build` and STRUCTURE.

    Raises:
        Fatal: There is none; the message has the nearest name.
    """
    if name not in family_names():
        raise Fatal(unknown_name("model", name, family_names()))
    return importlib.import_module(f"{families.__name__}.{MODEL_FAMILIES.get(name, name)}")
