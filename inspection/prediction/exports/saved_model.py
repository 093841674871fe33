"""Export as a TensorFlow SavedModel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

SUFFIX = ""


def write(network: Any, source: Path, path: Path) -> None:
    """Write the folder of a SavedModel.

    Args:
        network: The loaded Keras model.
        source: The winner's file.
        path: Target.
    """
    network.export(path, format="tf_saved_model", verbose=False)


def run(path: Path) -> Callable[[Any], Any]:
    """Load the SavedModel's serving function."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return lambda images: loaded.serve(tf.constant(images))
