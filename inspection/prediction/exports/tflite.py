"""Export as TensorFlow Lite."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

SUFFIX = ".tflite"


def write(network: Any, source: Path, path: Path) -> None:
    """Convert the network.

    Args:
        network: The loaded Keras model.
        source: The winner's file.
        path: Target.
    """
    import tensorflow as tf

    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())


def run(path: Path) -> Callable[[Any], Any]:
    """Open TensorFlow Lite's interpreter."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow 2.21 announces its move to a package of its own
        interpreter = tf.lite.Interpreter(model_path=str(path))

    def answer(images: Any) -> Any:
        taken = interpreter.get_input_details()[0]
        interpreter.resize_tensor_input(taken["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], images.astype(taken["dtype"]))
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return answer
