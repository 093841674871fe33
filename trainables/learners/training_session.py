"""One training of a Keras network: its phases, their optimizers and schedules, an epoch at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trainables import devices, targets
from trainables.features.batch_sources import FeatureFeed, Feed, ImageFeed
from trainables.features.frozen_features import feed
from trainables.learner import Fatal, Infeasible
from trainables.models.parts.built_network import dropout_rate
from trainables.phase_timer import PhaseTimer
from trainables.training import checkpoint, schedule
from trainables.training.class_weights import class_weights
from trainables.training.model_cache import MODEL_CACHE, CachedModel
from trainables.training.phases import Phase, phase_of, phases
from trainables.training.progress import Progress
from trainables.training.train_step import SMALLER, GradientStep, OptimizerStep, raise_oom_as_infeasible
from trainables.trial_spec import TrainingSpec

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

# Steps between looks at the running loss: a look waits for the GPU. A diverged trial wastes at most so many steps.
CHECK_EVERY = 32
VALIDATION_BATCH = 32


class Session(Protocol):
    """A started training, as a learner on a Keras network drives it."""

    @property
    def prepared(self) -> dict[str, Any]:
        """Return the facts about the preparation for the study's record."""

    def epoch(self, epoch: int) -> dict[str, float]:
        """Return predictions for the validation images of an epoch.

        Returns:
            float32 [N, outputs].
        """

    def validate(self, epoch: int) -> np.ndarray:
        """Return predictions for the validation images of an epoch.

        Returns:
            float32 [N, outputs].
        """


def predict_finite(warm: CachedModel, cut: int, batches: Iterable[Any], remedy: str) -> np.ndarray:
    """Predict from what crosses a cut, with room made once where memory is short.

    Args:
        warm: The network.
        cut: Blocks that the batches have passed already; 0 for images.
        batches: For each batch, the arrays that cross the cut.
        remedy: What to advise where memory is short.

    Returns:
        Class probabilities [N, C] or boxes [N, 4], float32.

    Raises:
        Infeasible: A number is not finite.
    """
    result = warm.prediction(cut)(batches, lambda: MODEL_CACHE.drop_others(keep=warm), remedy)
    if not np.isfinite(result).all():
        # The last step of an epoch can spoil the weights after the last loss was still finite.
        raise Infeasible("the predictions are not finite: training diverged, try a smaller learning_rate")
    return result


@dataclass(frozen=True, kw_only=True)
class ActivePhase:
    """The phase that trains now, with its graphs and the sources of its batches."""

    phase: Phase
    training: Feed
    validation: Feed
    cut: int  # where validation enters
    gradients: GradientStep
    update: OptimizerStep
    losses: list[float] = field(default_factory=list)  # of its epochs so far


class TrainingSession:
    """A training from its first epoch on: every variable is as configuration and seed determine."""

    def __init__(
        self,
        warm: CachedModel,
        spec: TrainingSpec,
        train: SplitBatches,
        val: SplitBatches,
        batch_size: int,
        watch: PhaseTimer,
    ) -> None:
        """Compute features and trace what no earlier trial has.

        Args:
            warm: The network of this spec; the session alone uses it.
            spec: What to train.
            train: The training images.
            val: The validation images.
            batch_size: Not above the number of training images.
            watch: Where the seconds are booked.

        Raises:
            ValueError: The configuration cannot be trained (one line or more).
            Fatal: What it goes on from does not fit.
        """
        self._warm, self._spec, self._watch, self._batch_size = warm, spec, watch, batch_size
        self._what = f"{spec.model} with batch_size {batch_size} at {spec.view.image_size} px"
        self._dropout = dropout_rate(spec.config)
        self._phases = phases(spec.config, warm.network, spec.max_epochs)
        outputs = int(warm.network.model.outputs[0].shape[-1])
        weights = class_weights(str(spec.config.get("class_weights", "none")), train.labels, outputs)
        origin = spec.goes_on_from
        with watch("reset"):
            earliest = 0 if origin else min(phase.cut for phase in self._phases)
            warm.reset(spec.seed, self._dropout, earliest, weights)
            if origin is not None:
                _take_over(warm, origin)
        self._feeds, features = self._feed_phases(train, val)
        self.active = self._begin(self._phases[0])
        if origin is not None and origin.suffix == ".npz":
            checkpoint.restore_optimizer(origin, self.active.update.optimizer, self._optimizer_kind())
        self.prepared: dict[str, Any] = {"features": features} if features else {}
        if np.ptp(weights):
            self.prepared["class_weights"] = [round(float(weight), 4) for weight in weights]
        if blocks := warm.network.blocks:
            cut = self._phases[-1].cut
            self.prepared["frozen_layers"] = blocks[cut - 1].layers if cut else 0
            self.prepared |= {"backbone_layers": warm.network.layers, "frozen_blocks": cut}

    def _feed_phases(
        self, train: SplitBatches, val: SplitBatches
    ) -> tuple[dict[int, tuple[Feed, Feed]], dict[str, Any]]:
        """Compute or map what goes into each phase, before anything learns.

        Returns:
            By cut, what feeds training and validation; what to record of the last phase.
        """
        fed: dict[int, tuple[Feed, Feed]] = {}
        fact: dict[str, Any] = {}
        spec = self._spec
        if spec.goes_on_from is not None:  # what is kept was computed with the backbone's own first weights
            spec = replace(spec, features=None)

        def trace_meanwhile() -> None:  # as if they were there
            self._trace(self._phases[0], from_images=False, validated_at=self._phases[0].cut)

        for phase in self._phases:
            with self._watch("features"):
                training, fact = feed(self._warm, phase.cut, spec, train, trace_meanwhile)
                # Validation reads whole images once an epoch: without a freeze point there is nothing to share.
                validation: Feed = ImageFeed(val)
                if phase.cut:
                    validation, _ = feed(self._warm, phase.cut, spec, val, trace_meanwhile)
            fed[phase.cut] = training, validation
        return fed, fact

    def _begin(self, phase: Phase) -> ActivePhase:
        """Trace what no earlier trial has, and have an optimizer that has made no step."""
        training, validation = self._feeds[phase.cut]
        cut = phase.cut if isinstance(validation, FeatureFeed) else 0
        gradients, update = self._trace(phase, from_images=isinstance(training, ImageFeed), validated_at=cut)
        with self._watch("reset"):
            update.optimizer.start(phase.settings)
        return ActivePhase(
            phase=phase, training=training, validation=validation, cut=cut, gradients=gradients, update=update
        )

    def _trace(self, phase: Phase, *, from_images: bool, validated_at: int) -> tuple[GradientStep, OptimizerStep]:
        warm = self._warm
        with self._watch("trace"):
            gradients = warm.gradients(phase.cut, self._batch_size, from_images=from_images, dropout=self._dropout > 0)
            update = warm.update(phase.cut, phase.settings.kind, gradients.variables)
            warm.prediction(validated_at)
        return gradients, update

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train on every training image once.

        Returns:
            loss and the target's score as seen while training (loss without penalties, such as cross-entropy in nats),
            and learning_rate, that of the epoch's first step.

        Raises:
            Infeasible: The loss is not finite, or memory runs out.
        """
        phase = phase_of(self._phases, epoch)
        if phase is not self.active.phase:
            with raise_oom_as_infeasible(self._what):
                self.active = self._begin(phase)
        gradients, update, training = self.active.gradients, self.active.update, self.active.training
        batches = training.training_batches(self._batch_size, self._spec.seed, epoch, threads=devices.threads())
        steps_per_epoch = training.images.steps(self._batch_size)
        first_rate = self._learning_rate(epoch, 0, steps_per_epoch)
        update.optimizer.learning_rate.assign(first_rate)
        gradients.reset()
        steps = 0
        with self._watch("train"), raise_oom_as_infeasible(self._what), closing(batches):
            for inputs, asked in batches:
                if steps and schedule.varies_within_epoch(phase.schedule):
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
        self.active.losses.append(loss)
        return {"loss": loss, targets.find(self._spec.target).score: score, "learning_rate": first_rate}

    def validate(self, epoch: int) -> np.ndarray:
        """Return predictions for the validation images of an epoch; raise Infeasible if one is not finite.

        Returns:
            float32 [N, outputs].
        """
        batches = self.active.validation.checked_batches(VALIDATION_BATCH, epoch)
        return predict_finite(self._warm, self.active.cut, batches, SMALLER)

    def save_state(self, path: Path) -> None:
        optimizer = self.active.update.optimizer
        checkpoint.write(path, self._warm.network.model.variables, optimizer, self._optimizer_kind())

    def _optimizer_kind(self) -> str:
        phase = self.active.phase
        return f"{phase.settings.kind} after {phase.cut} blocks"

    def _learning_rate(self, epoch: int, step: int, steps_per_epoch: int) -> float:
        phase = self.active.phase
        progress = Progress(
            epoch=epoch - phase.begins,
            max_epochs=phase.epochs,
            step=step,
            steps_per_epoch=steps_per_epoch,
            train_losses=self.active.losses,
        )
        return schedule.learning_rate(phase.schedule, phase.settings.learning_rate, progress)

    def _check_loss(self, epoch: int, steps: int) -> None:
        if not self.active.gradients.loss_is_finite():
            raise Infeasible(
                f"the loss is not finite by step {steps} of epoch {epoch + 1}: try a smaller learning_rate"
            )


def _take_over(warm: CachedModel, path: Path) -> None:
    """Have the weights that another training ended with. Raises Fatal (one line) where they do not fit."""
    if path.suffix == ".npz":
        checkpoint.restore_network(path, warm.network.model.variables)
        return
    try:
        warm.network.model.load_weights(path)
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise Fatal(f"{path} does not fit this configuration ({' '.join(str(error).split())[:160]})") from None
