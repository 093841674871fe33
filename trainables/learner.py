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
    """This configuration cannot be trained (loss not finite, does not fit): the trial ends, the study goes on."""


class OutOfMemory(Infeasible):
    """It does not fit beside whatever else this process holds."""


@contextmanager
def value_errors_are_infeasible() -> Iterator[None]:
    """Turn a ValueError, which a configuration that cannot be built raises, into Infeasible with one line."""
    try:
        yield
    except ValueError as error:
        raise Infeasible(" ".join(str(error).split())[:300]) from None


class Fatal(PodiumError):
    """No trial of this arm can work here (no weights, no GPU): the study ends with this one line."""


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a table says about a model beside its scores."""

    parameters: int  # numbers in its weights, trainable or not
    size_bytes: int  # on disk, as saved
    note: str = ""  # what a reader must know, such as a backbone that was swapped


class Learner(Protocol):
    """Trains one configuration, an epoch at a time. Pure in (spec, images): same in, same numbers out.

    A learner's module has `create(gpu_fraction, watch)`; the learner books its seconds on that stopwatch.
    """

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Have the model in the state that configuration and seed determine. Raises Infeasible or Fatal.

        Returns what the study's record should say of how this was done: plain values.
        """

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train epoch number `epoch` (from 0) on the training images.

        Returns at least "loss" and the target's score ("accuracy") as seen while training, and "learning_rate" where
        there is one.
        """

    def validate(self, epoch: int = 0) -> np.ndarray:
        """What `predict` says of the validation images `checked` after that epoch."""

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Class probabilities [N, num_classes] float32, or boxes [N, 4], for batches of uint8 images [B, S, S, 3]."""

    def save(self, folder: Path) -> None:
        """Keep the model as it is now in an existing folder, quickly and without pickle: for `load` alone.

        Whole or not at all, in place of what was saved there: a process that is killed meanwhile leaves the one before.
        """

    def load(self, folder: Path, spec: TrainingSpec, train: SplitBatches) -> None:
        """Become the model that a trial of this spec saved there, ready to predict and to export."""

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
