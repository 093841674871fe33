"""Export as a TensorFlow SavedModel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SUFFIX = ""


def write(network: Any, source: Path, path: Path) -> None:
    """Write the folder of a SavedModel."""
    network.export(path, format="tf_saved_model", verbose=False)


def run(path: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Load the SavedModel's serving function."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return lambda images: np.asarray(loaded.serve(tf.constant(images)), np.float32)
