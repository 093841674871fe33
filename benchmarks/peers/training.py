"""One trial in Keras, the same for every peer that calls model.fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from benchmarks.peers.data import Data, training, validation
from benchmarks.peers.models import compiled
from benchmarks.peers.peer_config import Job
from benchmarks.workloads import Configuration


def use_threads(count: int) -> None:
    """Before TensorFlow does anything: it reads its limits once."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def fit(
    job: Job, config: Configuration, data: Data, threads: int, callbacks: Sequence[Any] = ()
) -> keras.callbacks.History:
    """Build and train, validating after each epoch; no checkpoint is written.

    Args:
        job: The run.
        config: The configuration.
        data: Pixels and labels.
        threads: Threads that augment.
        callbacks: Keras callbacks.
    """
    model = compiled(job, config)
    return model.fit(
        training(job.workload, data, config.seed, threads),
        validation_data=validation(data),
        epochs=job.workload.epochs,
        shuffle=False,  # the data shuffles itself
        callbacks=list(callbacks),
        verbose=0,
    )
