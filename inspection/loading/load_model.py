"""A kept winner as a function from images to probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from inspection.loading.best_model import InspectionError, Winner
from inspection.loading.silence_tensorflow import start_tensorflow

if TYPE_CHECKING:
    import keras

    from datasets.pipeline.batches import SplitBatches


# Batches uint8 [B, S, S, 3] to probabilities float32 [N, outputs].
Classifier = Callable[[Iterable[NDArray[np.uint8]]], NDArray[np.float32]]
BATCH = 32  # as the test images met it: another batch size may mean another order of sums


def load_classifier(winner: Winner) -> Classifier:
    """Load the winner, ready to predict.

    Raises:
        InspectionError: Its file is missing or damaged.
    """
    if winner.is_keras:
        return classifier(load_network(winner.paths.keras))
    from trainables.learner import Fatal
    from trainables.learners.registry import find_learner
    from trainables.trial_spec import TrainingSpec

    spec = TrainingSpec(
        model=winner.header.model,
        config=winner.trial.config,
        seed=winner.trial.seed,
        max_epochs=1,
        num_classes=len(winner.classes),
        view=winner.view,
    )
    try:
        learner = find_learner(winner.header.learner).create()
        learner.load(winner.paths.folder, spec, cast("SplitBatches", _StoredImages(winner)))
    except (ValueError, Fatal) as error:
        raise InspectionError(str(error)) from None
    return learner.predict


def classifier(network: keras.Model) -> Classifier:
    """Return the network as a study's test runs it: fused batch normalization, no randomness, one trace."""
    from trainables.models.parts.model_graph import Graph
    from trainables.training.train_step import PredictStep

    graph = Graph(network)
    prediction = PredictStep(graph.after(None, graph.output))
    return lambda batches: prediction([batch] for batch in batches)


def load_network(path: Path) -> keras.Model:
    """Load a saved Keras model.

    Raises:
        InspectionError: The file is missing or damaged.
    """
    start_tensorflow()
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # zipfile's, h5py's, json's and Keras's own
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InspectionError(f"{path} is no Keras model that can be read ({reason}); train it again") from None


class _StoredImages:
    """The training images of a winner, opened only if its learner asks for them: most need none to predict."""

    def __init__(self, winner: Winner) -> None:
        self._winner = winner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._winner.images("train"), name)
