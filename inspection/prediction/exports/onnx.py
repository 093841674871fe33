"""Export as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

SUFFIX = ".onnx"
PACKAGES = ("tf2onnx", "onnx", "onnxruntime")  # make setup EXTRAS=onnx


def write(network: Any, source: Path, path: Path) -> None:
    """Convert the network with frozen variables.

    Args:
        network: The loaded Keras model.
        source: The winner's file.
        path: Target.
    """
    # Keras 3.15's own export makes constants of a Normalization layer inputs of the graph.
    import tensorflow as tf
    import tf2onnx  # type: ignore[import-not-found]
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name="images")
    call = tf.function(lambda images: network(images, training=False), input_signature=[signature])
    frozen = convert_variables_to_constants_v2(call.get_concrete_function())
    tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[tensor.name for tensor in frozen.inputs],
        output_names=[tensor.name for tensor in frozen.outputs],
        output_path=str(path),
    )


def run(path: Path) -> Callable[[Any], Any]:
    """Open a session of ONNX Runtime on the processor."""
    import onnxruntime  # type: ignore[import-not-found]

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})[0]
