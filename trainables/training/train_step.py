"""The graphs of a network, each traced once and kept: gradients, updates, predictions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from errors import arg
from trainables.learner import OutOfMemory
from trainables.models.parts.built_network import Network
from trainables.models.parts.model_graph import Graph, Part
from trainables.targets import TargetType
from trainables.training import fused_layers
from trainables.training.optimizers import Optimizer, OptimizerKey, make

# What CUDA and cuDNN say, beside ResourceExhaustedError, when memory is short.
_OUT_OF_MEMORY = ("out of memory", "out_of_memory", "alloc_failed", "failed to allocate")
# Remedies, for those whose configuration has a batch_size and for all.
MORE = f"give a trial more with {arg.gpus_per_trial}"
SMALLER = f"use a smaller batch_size, or {MORE}"

Result = TypeVar("Result")


def configure_tensorflow() -> None:
    """Set the options of the whole process, equal for every trial; another call changes nothing."""
    # Same in, same numbers out: without it, cuDNN may pick another algorithm from one run to the next, and sums over
    # atomics come in any order (tensorflow.org, enable_op_determinism). It also turns XLA off, and costs a training
    # step of EfficientNetLite0 at 96 px about a tenth (0.42 to 0.47 s, one thread).
    tf.config.experimental.enable_op_determinism()
    if not tf.config.list_physical_devices("GPU"):
        # Grappler's passes over a graph cost more than they gain in short trials: with EfficientNetLite0 at 96 px, half
        # of it frozen, one thread, the first step took 3.7 s of processor time without them and 4.5 s with (medians of
        # four), and later steps the same 0.47 s either way. On a GPU its layout pass may matter: left on there.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


class WarmNetwork:
    """A built network, what it is asked, and the variables of a trial that its graphs read."""

    def __init__(self, network: Network, target: TargetType) -> None:
        outputs = int(network.model.outputs[0].shape[-1])
        target.check(outputs)
        self.network, self.target = network, target
        self.graph = Graph(network.model)
        self.rate = tf.Variable(0.0, trainable=False)  # of the network's adjustable dropout
        # How much the loss of an image of each class counts in the gradient.
        self.class_weights = tf.Variable(tf.ones(outputs), trainable=False)

    def cut_tensor(self, cut: int) -> Any | None:
        """Return the symbolic tensor at the end of so many frozen blocks; None where nothing is frozen."""
        return self.network.blocks[cut - 1].end if cut else None


class GradientStep:
    """Forward and backward through what learns, as one graph. Sums of loss and score stay on the device.

    Apart from the optimizer's step, so that optimizers share the larger part of the tracing.
    """

    def __init__(self, warm: WarmNetwork, cut: int, batch_size: int, *, from_images: bool, dropout: bool) -> None:
        """Trace forward and backward pass after a cut.

        Args:
            warm: The network.
            cut: Number of frozen blocks.
            batch_size: Images a batch.
            from_images: Whether images come in, with the prefix computed in every step; else features at the cut.
            dropout: Whether the network's adjustable dropout is used.
        """
        graph, network, target = warm.graph, warm.network, warm.target
        self._tail = graph.after(warm.cut_tensor(cut), graph.logits)
        self._prefix = graph.before(self._tail.inputs) if from_images and cut else None
        self._from_logits = graph.logits is not graph.output
        trained = [variable for layer in self._tail.layers for variable in layer.trainable_variables]
        self.variables = [variable.value for variable in trained]
        self._penalized = [variable for variable in trained if variable.regularizer is not None]
        if dropout:
            self._call = fused_layers.training(dict.fromkeys(network.dropout, warm.rate))
        else:
            self._call = fused_layers.without_dropout(network.dropout, fused_layers.training({}))
        self._class_weights = warm.class_weights
        self._target = target
        self._batch_size = batch_size
        self._loss = tf.Variable(0.0, trainable=False)
        self._score = tf.Variable(0, trainable=False, dtype=target.sum_dtype)
        inputs = (self._prefix or self._tail).inputs
        # A signature with the batch size in it: any other batch is an error here, not a second trace of half a minute.
        signature = [tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype) for tensor in inputs]
        targets = tf.TensorSpec((batch_size, *target.element_shape), target.dtype)
        function = tf.function(self._trace, autograph=False, input_signature=[signature, targets])
        self._concrete = function.get_concrete_function()
        self.is_new = True  # the first run prepares the graph: seconds for a large network

    def reset(self) -> None:
        """Forget the sums, at the start of an epoch."""
        self._loss.assign(0.0)
        self._score.assign(0)

    def __call__(self, inputs: Sequence[np.ndarray], targets: np.ndarray) -> list[Any]:
        """Return a gradient for each of `variables`.

        Args:
            inputs: Images uint8 [B, S, S, 3], or features at the cut.
            targets: [B, ...], such as labels int64 [B].
        """
        gradients: list[Any] = self._concrete(
            [tf.convert_to_tensor(array) for array in inputs], tf.convert_to_tensor(targets)
        )
        self.is_new = False
        return gradients

    def loss_is_finite(self) -> bool:
        """Whether every loss since `reset` was; waits for the device."""
        return bool(np.isfinite(self._loss.numpy()))

    def means(self, steps: int) -> tuple[float, float]:
        """Mean loss and score over the steps since `reset`."""
        return float(self._loss.numpy()) / steps, float(self._score.numpy()) / (steps * self._batch_size)

    def _trace(self, inputs: list[Any], targets: Any) -> list[Any]:
        if self._prefix is not None:
            inputs = self._prefix.run(inputs, fused_layers.predicting)
        # Only what learns is watched.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.variables)
            (outputs,) = self._tail.run(inputs, self._call)
            losses = self._target.losses(outputs, targets, from_logits=self._from_logits)
            weighted = tf.reduce_mean(self._target.weighted(losses, targets, self._class_weights))
            penalties = [variable.regularizer(variable) for variable in self._penalized]
            objective = tf.add_n([weighted, *penalties]) if penalties else weighted
        # What is told is not weighted: it is compared with the loss of validation images.
        self._loss.assign_add(tf.cast(tf.reduce_mean(losses), tf.float32))
        self._score.assign_add(tf.reduce_sum(self._target.scores(outputs, targets)))
        gradients: list[Any] = tape.gradient(objective, self.variables)
        return gradients


class OptimizerStep:
    """One optimizer's step as a graph, for the variables of one tail."""

    def __init__(self, kind: OptimizerKey, variables: Sequence[tf.Variable]) -> None:
        self.optimizer: Optimizer = make(kind, variables)
        signature = [[tf.TensorSpec(variable.shape, variable.dtype) for variable in variables]]
        self._concrete = tf.function(
            self.optimizer.apply, autograph=False, input_signature=signature
        ).get_concrete_function()

    def __call__(self, gradients: Sequence[Any]) -> None:
        self._concrete(gradients)


class PredictStep:
    """Traced prediction from images or features at a cut, with the last batch padded.

    With padding every image has the same shapes: on a GPU another batch size may select another cuDNN algorithm, with
    other last digits.
    """

    def __init__(self, part: Part) -> None:
        self._forward = _forward(part)
        self._classes = int(part.outputs[0].shape[-1])

    def __call__(
        self,
        batches: Iterable[Sequence[np.ndarray]],
        make_room: Callable[[], bool] = lambda: False,
        remedy: str = SMALLER,
    ) -> np.ndarray:
        """Float32 [N, C] for batches of inputs, each [B, ...], none larger than the first.

        make_room, remedy: see retry_after_freeing and raise_oom_as_infeasible. Raises OutOfMemory.
        """
        parts: list[np.ndarray] = []
        for inputs in batches:
            batch_size = max(len(inputs[0]), len(parts[0]) if parts else 0)
            parts.append(retry_after_freeing(partial(self._answer, inputs, batch_size, remedy), make_room))
        return np.concatenate(parts) if parts else np.empty((0, self._classes), np.float32)

    def _answer(self, inputs: Sequence[np.ndarray], batch_size: int, remedy: str) -> np.ndarray:
        with raise_oom_as_infeasible("prediction", remedy):
            return np.asarray(self._forward(padded(inputs, batch_size))[0], np.float32)[: len(inputs[0])]


def frozen_prefix(part: Part, batch_size: int) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Trace a part for batches of images.

    Args:
        part: The part.
        batch_size: Largest batch B.

    Returns:
        Function from uint8 [B, S, S, 3] to the part's outputs [B, ...].
    """
    forward = _forward(part)
    return lambda images: [np.asarray(output)[: len(images)] for output in forward(padded([images], batch_size))]


def _forward(part: Part) -> Any:
    # No batch size in the signature: validation and test may use different ones with one trace.
    signature = [[tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in part.inputs]]
    function = tf.function(
        lambda inputs: part.run(inputs, fused_layers.predicting), autograph=False, input_signature=signature
    )
    return function.get_concrete_function()


def padded(inputs: Sequence[np.ndarray], batch_size: int) -> list[Any]:
    """Return the arrays padded with zeros to the batch size, as tensors.

    Args:
        inputs: Arrays [B, ...].
        batch_size: Rows after padding.
    """
    count = len(inputs[0])
    if count < batch_size:
        zeros = [np.zeros((batch_size - count, *array.shape[1:]), array.dtype) for array in inputs]
        inputs = [np.concatenate([array, padding]) for array, padding in zip(inputs, zeros, strict=True)]
    return [tf.convert_to_tensor(array) for array in inputs]


def retry_after_freeing(run: Callable[[], Result], make_room: Callable[[], bool]) -> Result:
    """Return the result of `run`, with one more attempt after OutOfMemory.

    What fits must not depend on what the process did before.

    Args:
        run: The function.
        make_room: Frees what the process can do without; returns whether there was anything.
    """
    try:
        return run()
    except OutOfMemory:
        if not make_room():
            raise
    return run()  # out here: the exception holds whatever its frames do


@contextlib.contextmanager
def raise_oom_as_infeasible(what: str, remedy: str = SMALLER) -> Iterator[None]:
    """Turn TensorFlow's errors about missing memory into OutOfMemory, which is Infeasible.

    Args:
        what: Subject of the message.
        remedy: Remedy of the message.

    Raises:
        OutOfMemory: The memory is short.
    """
    message = f"{what} does not fit in memory: {remedy}"
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise OutOfMemory(message) from None
    except (tf.errors.InternalError, tf.errors.UnknownError, tf.errors.AbortedError) as error:
        if any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
            raise OutOfMemory(message) from None
        raise
