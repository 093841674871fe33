"""Base of learners on a Keras network: warm network, saving, loading, memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from atomic_file import atomic_path
from trainables import devices, npz
from trainables.learner import ModelFacts, OutOfMemory
from trainables.learners.training_session import Session, predict_finite
from trainables.models.parts.built_network import dropout_rate
from trainables.phase_timer import PhaseTimer
from trainables.training.model_cache import MODEL_CACHE, CachedModel
from trainables.training.train_step import MORE, configure_tensorflow, raise_oom_as_infeasible, retry_after_freeing
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

MODEL_FILE = "model.keras"
VARIABLES_FILE = "variables.npz"  # while a study runs
StartedSession = TypeVar("StartedSession", bound=Session)


class NetworkLearner(ABC, Generic[StartedSession]):
    """A learner on a Keras network. Subclasses say what a session of theirs is."""

    remedy = MORE  # where memory is short

    def __init__(self, gpu_fraction: float = 0.0, watch: PhaseTimer | None = None) -> None:
        """Have not started. With a share of a GPU (above 0), memory is limited to that share."""
        if gpu_fraction:
            devices.limit_gpu(gpu_fraction)
        self._watch = watch or PhaseTimer()
        self._taken: CachedModel | None = None  # from start() or load() on
        self._started: StartedSession | None = None  # from start() on

    @property
    def warm(self) -> CachedModel:
        if self._taken is None:
            raise RuntimeError("this learner has no model before start() or load()")
        return self._taken

    @property
    def session(self) -> StartedSession:
        if self._started is None:
            raise RuntimeError("this learner trains nothing before start()")
        return self._started

    def start(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> dict[str, Any]:
        """Bring the model into the state that configuration and seed determine, whatever ran before.

        Only parts that no earlier trial of this process has are built and traced.

        Args:
            spec: Specification of the trial.
            train: Training images.
            val: Validation images.

        Raises:
            Infeasible: The configuration cannot be built or does not fit.
            Fatal: No trial can work.
        """
        self._taken = self._started = None
        self._inputs = (spec, train, val)
        self._started = retry_after_freeing(lambda: self._new_session(spec, train, val), self._make_room)
        return self._started.prepared

    def _make_room(self) -> bool:
        """Let go of all that trials have left in this process, this one too: it must begin again.

        Returns whether there was anything of earlier ones.
        """
        self._started = None
        dropped = MODEL_CACHE.drop_others(keep=self._taken)
        return (self._taken is not None and self._taken.drop_graphs()) or dropped

    @abstractmethod
    def _new_session(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> StartedSession:
        """Take the network and prepare its training. Raises Infeasible or Fatal."""

    def _take(self, spec: TrainingSpec, train: SplitBatches) -> CachedModel:
        """Return the network of this specification, built if none is warm."""
        statistics = {"channel_mean": train.store.channel_mean, "channel_std": train.store.channel_std}
        self._taken = warm = MODEL_CACHE.get(spec, statistics)
        return warm

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; raise Infeasible if the loss is not finite or memory runs out."""
        try:
            return self.session.epoch(epoch)
        except OutOfMemory:
            # Only the first epoch can be restarted, and it meets every shape of its phase.
            if epoch or not self._make_room():
                raise
        self._started = self._new_session(*self._inputs)
        return self._started.epoch(epoch)

    def validate(self, epoch: int = 0) -> np.ndarray:
        """Return predictions for the validation images of an epoch.

        Returns:
            float32 [N, outputs].

        Raises:
            Infeasible: A number is not finite.
        """
        return self.session.validate(epoch)

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return predictions.

        Args:
            batches: uint8 [B, S, S, 3] each.

        Returns:
            float32 [N, outputs].

        Raises:
            Infeasible: A number is not finite.
        """
        return predict_finite(self.warm, 0, ([batch] for batch in batches), self.remedy)

    def save(self, folder: Path) -> None:
        """Write the variables alone: 0.1 s, where a whole Keras model takes seconds."""
        npz.write(folder / VARIABLES_FILE, npz.numbered(self._kept(self.warm)))

    def load(self, folder: Path, spec: TrainingSpec, train: SplitBatches) -> None:
        """Load the model that a trial of this specification saved.

        Args:
            folder: Folder of the model.
            spec: Specification of the trial.
            train: Training images.

        Raises:
            ValueError: The file is damaged or holds another model.
        """
        configure_tensorflow()
        self._taken = self._started = None  # what is loaded is not trained on
        path = folder / VARIABLES_FILE
        saved = npz.read(path, "Keras model")
        warm = retry_after_freeing(lambda: self._untrained(spec, train), self._make_room)
        if not npz.assign(saved, self._kept(warm)):
            raise ValueError(f"{path} holds another model than {spec.config} describes; train it again")

    def _untrained(self, spec: TrainingSpec, train: SplitBatches) -> CachedModel:
        """Return the specification's untrained network."""
        with raise_oom_as_infeasible(f"{spec.model} at {spec.view.image_size} px", self.remedy):
            warm = self._take(spec, train)
            warm.reset(spec.seed, dropout_rate(spec.config), 0)
        return warm

    def _kept(self, warm: CachedModel) -> list[Any]:
        """Return the variables that `save` writes and `load` reads, in order."""
        return list(warm.network.model.variables)

    def export(self, folder: Path) -> ModelFacts:
        """Write model.keras in place of the variables; keras.models.load_model reads it without this application.

        The facts' parameters are all weights, batch normalization's moving statistics included.
        """
        model, path = self.warm.network.model, folder / MODEL_FILE
        with atomic_path(path, synced=False) as partial:
            model.save(partial)
        (folder / VARIABLES_FILE).unlink(missing_ok=True)
        return ModelFacts(parameters=int(model.count_params()), size_bytes=path.stat().st_size)
