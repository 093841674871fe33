"""Export as a Keras file: the winner's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspection.loading.load_model import load_network

SUFFIX = ".keras"


def write(network: Any, source: Path, path: Path) -> None:
    """Copy the winner's file.

    Args:
        network: The loaded Keras model.
        source: The winner's file.
        path: Target.
    """
    shutil.copyfile(source, path)


def run(path: Path) -> Callable[[Any], Any]:
    """Load the file again."""
    network = load_network(path)
    return lambda images: network(images, training=False)
