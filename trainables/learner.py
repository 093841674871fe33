"""The one interface between a trial and whatever learns in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from errors import PodiumError
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:  # the driver imports this module for its exceptions: it needs neither NumPy nor the pipeline's OpenCV
    import numpy as np

    from datasets.pipeline.batches import SplitBatches


class Infeasible(PodiumError):
    """Configuration that cannot be trained (loss not finite, memory): the trial ends, the study continues."""


class OutOfMemory(Infeasible):
    """Configuration that does not fit beside the process's other networks."""


@contextmanager
def value_errors_are_infeasible() -> Iterator[None]:
    """Turn ValueError, raised by a configuration that cannot be built, into Infeasible.

    Raises:
        Infeasible: A ValueError was raised.
    """
    try:
        yield
    except ValueError as error:
        raise Infeasible(" ".join(str(error).split())[:300]) from None


class Fatal(PodiumError):
    """A fault of the machine or the request (no weights, no GPU) that ends the study with one line."""


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """Facts about a model for tables."""

    parameters: int  # numbers in its weights, trainable or not
    size_bytes: int  # on disk, as saved
    note: str = ""  # what a reader must know, such as a backbone that was swapped


class Learner(Protocol):
    """Trains one configuration, an epoch at a time. Pure in (spec, images): same in, same numbers out.

    A learner's module has `create(gpu_fraction, watch)`; the learner books its seconds on that stopwatch.
    """

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Bring the model into the state that configuration and seed determine.

        Args:
            spec: Specification of the training.
            train: Training images.
            val: Validation images.

        Returns:
            Facts about the preparation for the study's record, plain values.

        Raises:
            Infeasible: The configuration cannot be trained.
            Fatal: No trial can work.
        """

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train epoch number `epoch` (from 0) on the training images.

        Returns at least "loss" and the target's score ("accuracy") as seen while training, and "learning_rate" where
        there is one.
        """

    def validate(self, epoch: int = 0) -> np.ndarray:
        """Return predictions for the validation images of an epoch.

        Returns:
            float32, as `predict`.
        """

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return predictions.

        Args:
            batches: uint8 [B, S, S, 3] each.

        Returns:
            Class probabilities float32 [N, num_classes], or boxes float32 [N, 4].
        """

    def save(self, folder: Path) -> None:
        """Keep the model as it is now in an existing folder, quickly and without pickle: for `load` alone.

        Whole or not at all, in place of what was saved there: a process that is killed meanwhile leaves the one before.
        """

    def load(self, folder: Path, spec: TrainingSpec, train: SplitBatches) -> None:
        """Load a saved model, ready to predict and to export.

        Args:
            folder: Folder of the model.
            spec: Specification of the training that saved it.
            train: Training images.
        """

    def export(self, folder: Path) -> ModelFacts:
        """Write the model as others can load it, in place of what was saved."""


class Resumable(Learner, Protocol):
    """A learner whose training another trial can go on with; see LearnerInfo.can_resume."""

    def save_state(self, path: Path) -> None:
        """Write the state of the training, whole or not at all."""


class HasBackbone(Learner, Protocol):
    """A learner with pre-trained layers; see LearnerInfo.has_backbone."""

    def save_backbone(self, path: Path) -> None:
        """Write the pre-trained layers' weights, whole or not at all. Raises Fatal where the network has none."""
