"""The two graphs of a trial, each traced once: one training step, and one prediction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainables.learner import Infeasible
from trainables.optimizers import Optimizer

# What CUDA and cuDNN say, beside ResourceExhaustedError, when memory is short.
_OUT_OF_MEMORY = ("out of memory", "out_of_memory", "alloc_failed", "failed to allocate")


def configure_tensorflow() -> None:
    """Settings of the whole process, the same for every trial; calling it again changes nothing."""
    # Same in, same numbers out: without it, cuDNN may pick another algorithm from one run to the next, and sums over
    # atomics come in any order (tensorflow.org, enable_op_determinism). It also turns XLA off, and costs a training
    # step of EfficientNetLite0 at 96 px about a tenth (0.42 to 0.47 s, one thread).
    tf.config.experimental.enable_op_determinism()
    if not tf.config.list_physical_devices("GPU"):
        # Grappler's passes over a graph cost more than they gain in short trials: with EfficientNetLite0 at 96 px, half
        # of it frozen, one thread, the first step took 3.7 s of processor time without them and 4.5 s with (medians of
        # four), and later steps the same 0.47 s either way. On a GPU its layout pass may matter: left on there.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


class TrainingStep:
    """Forward, backward and update as one graph. Sums of loss and hits stay on the device until asked for."""

    def __init__(self, model: keras.Model, optimizer: Optimizer, batch_size: int) -> None:
        self._network = _to_logits(model)
        self._from_logits = self._network is not model
        self._variables = [variable.value for variable in model.trainable_variables]
        self._model = model
        self._optimizer = optimizer
        optimizer.build(self._variables)  # outside the graph, where variables may be made
        self._loss = tf.Variable(0.0, trainable=False)
        self._hits = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._batch_size = batch_size
        # A signature with the batch size in it: any other batch is an error here, not a second trace of half a minute.
        self._step = tf.function(
            self._trace,
            input_signature=[
                tf.TensorSpec((batch_size, *model.input_shape[1:]), tf.uint8),
                tf.TensorSpec((batch_size,), tf.int64),
            ],
        )

    def reset(self) -> None:
        """Forget the sums, at the start of an epoch."""
        self._loss.assign(0.0)
        self._hits.assign(0)

    def __call__(self, images: np.ndarray, labels: np.ndarray) -> None:
        """One optimizer step on images uint8 [B, S, S, 3] and labels int64 [B]."""
        self._step(images, labels)

    def loss_is_finite(self) -> bool:
        """Whether every loss since `reset` was; waits for the device."""
        return bool(np.isfinite(self._loss.numpy()))

    def means(self, steps: int) -> tuple[float, float]:
        """Mean loss and accuracy over the steps since `reset`."""
        return float(self._loss.numpy()) / steps, float(self._hits.numpy()) / (steps * self._batch_size)

    def _trace(self, images: Any, labels: Any) -> None:
        # Only what learns is watched. By default the tape would record the frozen prefix too, and its gradient would be
        # traced, only to be pruned.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._variables)
            outputs = self._network(images, training=True)
            if self._from_logits:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs)
            else:
                losses = keras.losses.sparse_categorical_crossentropy(labels, outputs)
            loss = tf.reduce_mean(losses)
            objective = tf.add_n([loss, *self._model.losses]) if self._model.losses else loss
        gradients = tape.gradient(objective, self._variables)
        self._optimizer.apply(gradients)
        self._loss.assign_add(tf.cast(loss, tf.float32))
        self._hits.assign_add(tf.reduce_sum(tf.cast(tf.argmax(outputs, axis=-1) == labels, tf.int64)))


class Prediction:
    """The model's probabilities, the last and smaller batch padded so that every image meets the same shapes.

    On a GPU another batch size may mean another cuDNN algorithm, and so other last digits.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        # No batch size in the signature: validation and test may use different ones with one trace.
        self._forward = tf.function(
            lambda images: self._model(images, training=False),
            input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)],
        )
        self._batch_size: int | None = None

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Float32 [B, C] for uint8 [B, S, S, 3]."""
        count = len(images)
        self._batch_size = max(count, self._batch_size or 0)
        if count < self._batch_size:
            padding = np.zeros((self._batch_size - count, *images.shape[1:]), images.dtype)
            images = np.concatenate([images, padding])
        return np.asarray(self._forward(images), np.float32)[:count]


def _to_logits(model: keras.Model) -> keras.Model:
    """The model up to the input of its last softmax; the model itself where it ends otherwise.

    Cross-entropy on logits is exact: log(softmax(x)) loses everything below 1e-7 to clipping.
    """
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax) and last.output is model.output:
        return keras.Model(model.input, last.input)
    return model


@contextlib.contextmanager
def out_of_memory_is_infeasible(what: str) -> Iterator[None]:
    """Turns TensorFlow's many ways of saying that memory is short into Infeasible."""
    message = f"{what} does not fit in memory: use a smaller batch_size, or give a trial more with --gpus-per-trial"
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise Infeasible(message) from None
    except (tf.errors.InternalError, tf.errors.UnknownError, tf.errors.AbortedError) as error:
        if any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
            raise Infeasible(message) from None
        raise
