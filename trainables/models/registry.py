"""The families of models by the names that tasks and records give them."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from errors import unknown_name
from trainables import models as families
from trainables.learner import Fatal

# Modules that do not bear the recorded name of their family. A name stays when its module is renamed.
MODEL_FAMILIES: dict[str, str] = {}


def model_family(name: str) -> Any:
    """Import the module with the family's `build` and STRUCTURE. Raises Fatal (one line, nearest match)."""
    modules = {module.name for module in pkgutil.iter_modules(families.__path__)}
    known = {found: found for found in modules - set(MODEL_FAMILIES.values())} | MODEL_FAMILIES
    if name in known:
        module = importlib.import_module(f"{families.__name__}.{known[name]}")
        if hasattr(module, "build") and hasattr(module, "STRUCTURE"):
            return module
    raise Fatal(unknown_name("model", name, sorted(known)))
