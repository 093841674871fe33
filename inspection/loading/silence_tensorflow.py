"""TensorFlow without its start-up lines: what a user asked for stands alone in the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def suppress_stderr() -> Iterator[None]:
    """Nothing that compiled code writes to standard error is seen; exceptions are Python's and pass.

    By the file descriptor: TensorFlow 2.21 says that there is no CUDA before it reads TF_CPP_MIN_LOG_LEVEL.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def start_tensorflow() -> None:
    """Import TensorFlow, find its devices and make its numbers repeatable, as a trial's worker does."""
    with suppress_stderr():
        from trainables.training.train_step import configure_tensorflow

        configure_tensorflow()
