"""Every network learns here: one Keras model, its optimizer and its schedule, an epoch at a time."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from trainables import arrays, devices, schedules, targets, training_state
from trainables.class_weights import class_weights
from trainables.compiled import (
    SMALLER,
    Gradients,
    Prediction,
    Update,
    configure_tensorflow,
    out_of_memory_is_infeasible,
    with_room,
)
from trainables.features import feeds
from trainables.feeds import Feed
from trainables.learner import Fatal, Infeasible, ModelFacts, OutOfMemory
from trainables.models import backbones
from trainables.models.network import dropout_rate
from trainables.phases import Phase, phase_of, phases
from trainables.stopwatch import Stopwatch
from trainables.trial_spec import TrainingSpec
from trainables.workbench import WORKBENCH, WarmNetwork

if TYPE_CHECKING:
    from datasets.pipeline import Images

FILE_NAME = "model.keras"
CHECKPOINT = "variables.npz"
DEFAULT_BATCH_SIZE = 32  # document 4
# Steps between looks at the running loss: a look waits for the GPU. A diverged trial wastes at most so many steps.
CHECK_EVERY = 32
VALIDATION_BATCH = 32


def create(gpu_fraction: float = 0.0, watch: Stopwatch | None = None) -> KerasLearner:
    """A learner that has not started. With a share of a GPU (above 0), its memory is limited to that share."""
    if gpu_fraction:
        devices.limit_gpu(gpu_fraction)
    return KerasLearner(watch or Stopwatch())


class KerasLearner:
    """Trains what `trainables/models/<spec.model>.py` builds.

    config, beside the model's own keys: frozen_fraction or frozen_layers (see network.frozen_blocks), dropout (rate in
    the layers that are the configuration's, default 0), optimizer, learning_rate, momentum, nesterov, weight_decay
    (see optimizers.settings), schedule (see schedules; default "constant"), warmup_epochs (see phases; default 0),
    batch_size (default 32), class_weights (see class_weights; default "none").
    """

    remedy = SMALLER  # where memory is short

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        self._warm: WarmNetwork | None = None
        self._gradients: Gradients | None = None
        self._update: Update | None = None

    def start(self, spec: TrainingSpec, train: Images, val: Images) -> dict[str, Any]:
        """Have the model in the state that configuration and seed determine, whatever this process did before.

        Builds and traces what no earlier trial of this process has. Raises Infeasible for a configuration that cannot
        be built or does not fit, Fatal where no trial can work.
        """
        self._warm = None
        self._inputs = (spec, train, val)
        return with_room(lambda: self._start(*self._inputs), self._make_room)

    def _make_room(self) -> bool:
        """Let go of all that trials have left in this process, this one too: it must begin again.

        Returns whether there was anything of earlier ones.
        """
        self._gradients = self._update = None
        dropped = self._drop_others()
        return (self._warm is not None and self._warm.drop_graphs()) or dropped

    def _drop_others(self) -> bool:
        """Let go of every other network. Returns whether there was any."""
        return WORKBENCH.drop_others(keep=self._warm)

    def _start(self, spec: TrainingSpec, train: Images, val: Images) -> dict[str, Any]:
        configure_tensorflow()
        self._assignment = spec
        config = spec.config
        batch_size = int(config.get("batch_size", DEFAULT_BATCH_SIZE))
        if batch_size < 1:
            raise Infeasible(f"batch_size is {batch_size}, but must be at least 1")
        self._batch_size = min(batch_size, len(train))  # as the pipeline does
        self._what = f"{spec.model} with batch_size {self._batch_size} at {spec.view.image_size} px"
        try:
            self._dropout = dropout_rate(config)
            with out_of_memory_is_infeasible(self._what):
                with self._watch("build"):
                    self._warm = warm = WORKBENCH.take(spec, channel_statistics(train))
                network = warm.network
                self._phases = phases(config, network, spec.max_epochs)
                outputs = int(network.model.outputs[0].shape[-1])
                weights = class_weights(str(config.get("class_weights", "none")), train.labels, outputs)
                with self._watch("reset"):
                    earliest = 0 if spec.goes_on_from else min(phase.cut for phase in self._phases)
                    warm.start(spec.seed, self._dropout, earliest, weights)
                    if spec.goes_on_from is not None:
                        self._take_over(warm, spec.goes_on_from)
                fact = self._feed_phases(warm, train, val)
                self._begin(warm, self._phases[0])
                if spec.goes_on_from is not None and spec.goes_on_from.suffix == ".npz":
                    optimizer = cast(Update, self._update).optimizer
                    training_state.restore_optimizer(spec.goes_on_from, optimizer, self._optimizer_kind())
        except ValueError as error:
            raise Infeasible(" ".join(str(error).split())[:300]) from None
        prepared: dict[str, Any] = {"features": fact} if fact else {}
        if np.ptp(weights):
            prepared["class_weights"] = [round(float(weight), 4) for weight in weights]
        if network.blocks:
            cut = self._phases[-1].cut
            frozen_layers = network.blocks[cut - 1].layers if cut else 0
            prepared |= {"frozen_layers": frozen_layers, "backbone_layers": network.layers, "frozen_blocks": cut}
        return prepared

    @staticmethod
    def _take_over(warm: WarmNetwork, path: Path) -> None:
        """Have the weights that another training ended with. Raises Fatal (one line) where they do not fit."""
        if path.suffix == ".npz":
            training_state.restore_network(path, warm.network.model.variables)
            return
        try:
            warm.network.model.load_weights(path)
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise Fatal(f"{path} does not fit this configuration ({' '.join(str(error).split())[:160]})") from None

    def _optimizer_kind(self) -> str:
        return f"{self._phase.settings.kind} after {self._phase.cut} blocks"

    def _feed_phases(self, warm: WarmNetwork, train: Images, val: Images) -> dict[str, Any]:
        """Compute or map what goes into each phase, before anything learns. Returns what to record of the last."""
        self._feeds: dict[int, tuple[Feed, Feed]] = {}
        fact: dict[str, Any] = {}
        spec = self._assignment
        if spec.goes_on_from is not None:  # what is kept was computed with the backbone's own first weights
            spec = replace(spec, features=None)

        def trace_meanwhile() -> None:  # as if they were there
            self._trace(warm, self._phases[0], from_images=False, validated_at=self._phases[0].cut)

        for phase in self._phases:
            with self._watch("features"):
                training, validation, fact = feeds(warm, phase.cut, spec, train, val, while_waiting=trace_meanwhile)
            self._feeds[phase.cut] = training, validation
        return fact

    def _begin(self, warm: WarmNetwork, phase: Phase) -> None:
        """Trace what no earlier trial has, and have an optimizer that has made no step."""
        self._phase = phase
        self._losses: list[float] = []
        self._training, self._validation = self._feeds[phase.cut]
        self._cut = phase.cut if self._validation.holds_features else 0  # where validation enters
        gradients, update = self._trace(
            warm, phase, from_images=not self._training.holds_features, validated_at=self._cut
        )
        with self._watch("reset"):
            update.optimizer.start(phase.settings)
        self._gradients, self._update = gradients, update

    def _trace(
        self, warm: WarmNetwork, phase: Phase, *, from_images: bool, validated_at: int
    ) -> tuple[Gradients, Update]:
        with self._watch("trace"):
            gradients = warm.gradients(phase.cut, self._batch_size, from_images=from_images, dropout=self._dropout > 0)
            update = warm.update(phase.cut, phase.settings.kind, gradients.variables)
            warm.prediction(validated_at)
        return gradients, update

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the training images. Returns loss and score as seen while training, and learning_rate.

        loss: the target's, such as cross-entropy in nats, without penalties. learning_rate: at the epoch's first step.
        Raises Infeasible as soon as the loss is seen not to be finite, or where memory runs out.
        """
        if self._warm is None or self._gradients is None:
            raise RuntimeError("epoch() before start(): this learner has nothing to train")
        phase = phase_of(self._phases, epoch)
        if phase is not self._phase:
            with out_of_memory_is_infeasible(self._what):
                self._begin(self._warm, phase)
        try:
            return self._epoch(epoch)
        except OutOfMemory:
            # Only the first epoch can be begun again, and it meets every shape of its phase.
            if epoch or not self._make_room():
                raise
        self._start(*self._inputs)
        return self._epoch(epoch)

    def _epoch(self, epoch: int) -> dict[str, float]:
        gradients, update = cast(Gradients, self._gradients), cast(Update, self._update)
        batches = self._training.training_batches(
            self._batch_size, self._assignment.seed, epoch, threads=devices.threads()
        )
        steps_per_epoch = self._training.steps(self._batch_size)
        first_rate = self._learning_rate(epoch, 0, steps_per_epoch)
        update.optimizer.learning_rate.assign(first_rate)
        gradients.reset()
        steps = 0
        with self._watch("train"), out_of_memory_is_infeasible(self._what), closing(batches):
            for inputs, asked in batches:
                if steps and schedules.varies_within_epoch(self._phase.schedule):
                    update.optimizer.learning_rate.assign(self._learning_rate(epoch, steps, steps_per_epoch))
                # A graph's first run prepares it: seconds for a large network, which are no training time.
                with self._watch("trace" if gradients.is_new else "train"):
                    update(gradients(inputs, asked))
                steps += 1
                # Often at first, where divergence shows, then now and then.
                if steps & (steps - 1) == 0 or steps % CHECK_EVERY == 0:
                    self._check_loss(epoch, steps)
            self._check_loss(epoch, steps)
            loss, score = gradients.means(steps)
        self._losses.append(loss)
        return {"loss": loss, targets.find(self._assignment.target).score: score, "learning_rate": first_rate}

    def validate(self, epoch: int = 0) -> np.ndarray:
        """See learner.Learner. Raises Infeasible where a number is not finite."""
        if self._warm is None or self._gradients is None:
            raise RuntimeError("validate() before start(): this learner has no validation images")
        return self._finite(self._warm.prediction(self._cut), self._validation.checked_batches(VALIDATION_BATCH, epoch))

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """See learner.Learner. Raises Infeasible where a number is not finite."""
        if self._warm is None:
            raise RuntimeError("predict() before start() or load(): this learner has no model")
        return self._finite(self._warm.prediction(0), ([batch] for batch in batches))

    def save(self, folder: Path) -> None:
        """Write every variable as it is now, whole or not at all: 0.1 s, where a whole Keras model takes seconds."""
        if self._warm is None:
            raise RuntimeError("save() before start(): this learner has no model")
        variables = enumerate(self._kept(self._warm))
        arrays.write(folder / CHECKPOINT, {str(number): variable.numpy() for number, variable in variables})

    def save_state(self, path: Path) -> None:
        """See learner.Learner."""
        if self._warm is None or self._update is None:
            raise RuntimeError("save_state() before start(): this learner does not train")
        training_state.write(path, self._warm.network.model.variables, self._update.optimizer, self._optimizer_kind())

    def save_backbone(self, path: Path) -> None:
        """See learner.Learner. What `weights` of another spec then names."""
        layers = self._warm.network.pretrained if self._warm else ()
        if not layers:
            raise Fatal("there is no pre-trained backbone to keep: start from ImageNet's weights or a file's")
        backbones.save(layers, path)

    def load(self, folder: Path, spec: TrainingSpec, train: Images) -> None:
        """Become the model that a trial of this spec saved. Raises ValueError (one line) for a damaged file."""
        configure_tensorflow()
        self._warm = self._gradients = self._update = None  # what is loaded is not trained on
        path = folder / CHECKPOINT
        saved = arrays.read(path, "Keras model")
        self._warm = warm = with_room(lambda: self._begun(spec, train), self._make_room)
        variables = self._kept(warm)
        shapes = {str(number): tuple(variable.shape) for number, variable in enumerate(variables)}
        if {number: array.shape for number, array in saved.items()} != shapes:
            raise ValueError(f"{path} holds another model than {spec.config} describes; train it again")
        for number, variable in enumerate(variables):
            variable.value.assign(saved[str(number)])

    def _begun(self, spec: TrainingSpec, train: Images) -> WarmNetwork:
        """The spec's network before it has learned anything."""
        with out_of_memory_is_infeasible(f"{spec.model} at {spec.view.image_size} px", self.remedy):
            warm = WORKBENCH.take(spec, channel_statistics(train))
            warm.start(spec.seed, dropout_rate(spec.config), 0)
        return warm

    def export(self, folder: Path) -> ModelFacts:
        """Write model.keras, which keras.models.load_model reads without this application, in place of what was saved.

        The facts' parameters are all weights, batch normalization's moving statistics included.
        """
        if self._warm is None:
            raise RuntimeError("export() before start() or load(): this learner has no model")
        model = self._warm.network.model
        partial = folder / f".{os.getpid()}.{FILE_NAME}"  # Keras insists on the ending
        try:
            model.save(partial)
            os.replace(partial, folder / FILE_NAME)
        finally:
            partial.unlink(missing_ok=True)
        (folder / CHECKPOINT).unlink(missing_ok=True)
        return ModelFacts(parameters=int(model.count_params()), size_bytes=(folder / FILE_NAME).stat().st_size)

    def _kept(self, warm: WarmNetwork) -> list[Any]:
        """The variables that `save` writes and `load` reads, in order."""
        return list(warm.network.model.variables)

    def _finite(self, prediction: Prediction, batches: Iterable[Any]) -> np.ndarray:
        result = prediction(batches, self._drop_others, self.remedy)
        if not np.isfinite(result).all():
            # The last step of an epoch can spoil the weights after the last loss was still finite.
            raise Infeasible("the predictions are not finite: training diverged, try a smaller learning_rate")
        return result

    def _learning_rate(self, epoch: int, step: int, steps_per_epoch: int) -> float:
        phase = self._phase
        progress = schedules.Progress(
            epoch=epoch - phase.begins,
            max_epochs=phase.epochs,
            step=step,
            steps_per_epoch=steps_per_epoch,
            train_losses=self._losses,
        )
        return schedules.learning_rate(phase.schedule, phase.settings.learning_rate, progress)

    def _check_loss(self, epoch: int, steps: int) -> None:
        if self._gradients is not None and not self._gradients.loss_is_finite():
            raise Infeasible(
                f"the loss is not finite by step {steps} of epoch {epoch + 1}: try a smaller learning_rate"
            )


def channel_statistics(images: Images) -> dict[str, Any]:
    """What a network may scale its images by."""
    return {"channel_mean": images.store.channel_mean, "channel_std": images.store.channel_std}
