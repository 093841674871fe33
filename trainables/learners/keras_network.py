"""Learner of all Keras networks that are trained by gradient descent, an epoch at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trainables.learner import Fatal, Infeasible, value_errors_are_infeasible
from trainables.learners.network_learner import NetworkLearner
from trainables.learners.training_session import TrainingSession
from trainables.models.backbones import builder
from trainables.models.parts.built_network import dropout_rate
from trainables.training.train_step import SMALLER, configure_tensorflow, raise_oom_as_infeasible
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

DEFAULT_BATCH_SIZE = 32  # food10 report


class KerasLearner(NetworkLearner[TrainingSession]):
    """Learner of the networks that the families in `trainables/models/families/` build.

    Settings, beside the family's own: frozen_fraction or frozen_layers (see built_network.frozen_blocks), dropout (rate
    of the adjustable layers, see built_network.Network; default 0), optimizer, learning_rate, momentum, nesterov,
    weight_decay (see optimizers.settings), schedule (see schedule; default "constant"), warmup_epochs (see phases;
    default 0), batch_size (default 32), class_weights (see class_weights; default "none").
    """

    remedy = SMALLER

    def _new_session(self, spec: TrainingSpec, train: SplitBatches, val: SplitBatches) -> TrainingSession:
        configure_tensorflow()
        batch_size = int(spec.config.get("batch_size", DEFAULT_BATCH_SIZE))
        if batch_size < 1:
            raise Infeasible(f"batch_size is {batch_size}, but must be at least 1")
        batch_size = min(batch_size, len(train))  # as the pipeline does
        what = f"{spec.model} with batch_size {batch_size} at {spec.view.image_size} px"
        with value_errors_are_infeasible(), raise_oom_as_infeasible(what):
            dropout_rate(spec.config)  # refused before anything is built
            with self._watch("build"):
                warm = self._take(spec, train)
            return TrainingSession(warm, spec, train, val, batch_size, self._watch)

    def save_state(self, path: Path) -> None:
        self.session.save_state(path)

    def save_backbone(self, path: Path) -> None:
        """Write the backbone's weights; another specification's `weights` may name the file.

        Raises:
            Fatal: There is no pre-trained backbone.
        """
        layers = self._taken.network.pretrained if self._taken else ()
        if not layers:
            raise Fatal("there is no pre-trained backbone to keep: start from ImageNet's weights or a file's")
        builder.save(layers, path)


create = KerasLearner
