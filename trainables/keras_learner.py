"""Every network learns here: one Keras model, its optimizer and its schedule, an epoch at a time."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from search_spaces.wording import unknown
from trainables import devices, optimizers, schedules
from trainables import models as model_families
from trainables.compiled import Prediction, TrainingStep, configure_tensorflow, out_of_memory_is_infeasible
from trainables.learner import Assignment, Fatal, Infeasible, ModelFacts

if TYPE_CHECKING:
    from datasets.pipeline import Images

FILE_NAME = "model.keras"
DEFAULT_BATCH_SIZE = 32  # document 4
# Steps between looks at the running loss: a look waits for the GPU. A diverged trial wastes at most so many steps.
CHECK_EVERY = 32


def create(gpu_fraction: float = 0.0) -> KerasLearner:
    """A learner that has not started. With a share of a GPU (above 0), its memory is limited to that share."""
    if gpu_fraction:
        devices.limit_gpu(gpu_fraction)
    return KerasLearner()


class KerasLearner:
    """Trains what `trainables/models/<assignment.model>.py` builds.

    config, beside the model's own keys: optimizer, learning_rate, momentum, nesterov, weight_decay (see
    optimizers.build), schedule (see schedules; default "constant"), batch_size (default 32).
    """

    def __init__(self) -> None:
        self._model: keras.Model | None = None
        self._prediction: Prediction | None = None
        self._training: TrainingStep | None = None
        self._folder: Path | None = None  # where the current model was last saved to or loaded from

    def start(self, assignment: Assignment, train: Images) -> None:
        """Build the model in the state that configuration and seed determine, whatever this process did before.

        Raises Infeasible for a configuration that cannot be built or does not fit, Fatal where no trial can work.
        """
        self._release()
        configure_tensorflow()
        self._assignment = assignment
        self._train = train
        self._config = assignment.config
        self._schedule = str(self._config.get("schedule", "constant"))
        self._losses: list[float] = []
        size = assignment.view.image_size
        batch_size = int(self._config.get("batch_size", DEFAULT_BATCH_SIZE))
        if batch_size < 1:
            raise Infeasible(f"batch_size is {batch_size}, but must be at least 1")
        self._batch_size = min(batch_size, len(train))  # as the pipeline does
        self._what = f"{assignment.model} with batch_size {self._batch_size} at {size} px"
        family = model_family(assignment.model)  # imported before the seed is set: an import might draw from it
        try:
            schedules.check(self._schedule)
            keras.config.set_dtype_policy(assignment.precision)
            keras.utils.set_random_seed(assignment.seed)
            with out_of_memory_is_infeasible(self._what):
                self._model = family.build(
                    self._config,
                    (size, size, 3),
                    assignment.num_classes,
                    channel_mean=train.store.channel_mean,
                    channel_std=train.store.channel_std,
                    weights=assignment.weights,
                )
                self._optimizer = optimizers.build(self._config)
                self._training = TrainingStep(self._model, self._optimizer, self._batch_size)
        except ValueError as error:
            raise Infeasible(" ".join(str(error).split())[:300]) from None

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the training images. Returns loss and accuracy as seen while training, and learning_rate.

        loss: cross-entropy in nats, without penalties. learning_rate: at the epoch's first step.
        Raises Infeasible as soon as the loss is seen not to be finite, or where memory runs out.
        """
        if self._training is None:
            raise RuntimeError("epoch() before start(): this learner has nothing to train")
        self._folder = None  # what was saved is no longer this model
        steps_per_epoch = max(1, len(self._train) // self._batch_size)
        first_rate = self._learning_rate(epoch, 0, steps_per_epoch)
        self._optimizer.learning_rate.assign(first_rate)
        self._training.reset()
        steps = 0
        batches: Any = self._train.training_batches(
            self._batch_size, self._assignment.seed, epoch, threads=devices.threads()
        )
        with out_of_memory_is_infeasible(self._what), closing(batches):
            for images, labels in batches:
                if steps and schedules.varies_within_epoch(self._schedule):
                    self._optimizer.learning_rate.assign(self._learning_rate(epoch, steps, steps_per_epoch))
                self._training(images, labels)
                steps += 1
                # Often at first, where divergence shows, then now and then.
                if steps & (steps - 1) == 0 or steps % CHECK_EVERY == 0:
                    self._check_loss(epoch, steps)
            self._check_loss(epoch, steps)
            loss, accuracy = self._training.means(steps)
        self._losses.append(loss)
        return {"loss": loss, "accuracy": accuracy, "learning_rate": first_rate}

    def predict(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Class probabilities [N, C] float32 for batches uint8 [B, S, S, 3]. Raises Infeasible where not finite."""
        model = self._current_model()
        if self._prediction is None:
            self._prediction = Prediction(model)
        with out_of_memory_is_infeasible("prediction"):
            parts = [self._prediction(batch) for batch in batches]
        result = np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)
        if not np.isfinite(result).all():
            # The last step of an epoch can spoil the weights after the last loss was still finite.
            raise Infeasible("the predictions are not finite: training diverged, try a smaller learning_rate")
        return result

    def save(self, folder: Path) -> None:
        """Write model.keras, whole or not at all; keras.models.load_model reads it without this application's code."""
        partial = folder / f".{os.getpid()}.{FILE_NAME}"  # Keras insists on the ending
        try:
            self._current_model().save(partial)
            os.replace(partial, folder / FILE_NAME)
        finally:
            partial.unlink(missing_ok=True)
        self._folder = folder

    def load(self, folder: Path) -> None:
        """Become the saved model, ready to predict. Raises ValueError (one line) for a missing or damaged file."""
        self._release()
        configure_tensorflow()
        self._model = _read(folder)
        self._folder = folder

    def facts(self, folder: Path) -> ModelFacts:
        """Parameters are all weights, batch normalization's moving statistics included."""
        path = folder / FILE_NAME
        model = self._model if self._model is not None and self._folder == folder else _read(folder)
        return ModelFacts(parameters=int(model.count_params()), size_bytes=path.stat().st_size)

    def _learning_rate(self, epoch: int, step: int, steps_per_epoch: int) -> float:
        progress = schedules.Progress(
            epoch=epoch,
            max_epochs=self._assignment.max_epochs,
            step=step,
            steps_per_epoch=steps_per_epoch,
            train_losses=self._losses,
        )
        return schedules.learning_rate(self._schedule, float(self._config["learning_rate"]), progress)

    def _check_loss(self, epoch: int, steps: int) -> None:
        if self._training is not None and not self._training.loss_is_finite():
            raise Infeasible(
                f"the loss is not finite by step {steps} of epoch {epoch + 1}: try a smaller learning_rate"
            )

    def _current_model(self) -> keras.Model:
        if self._model is None:
            raise RuntimeError("this learner has no model: start() or load() comes first")
        return self._model

    def _release(self) -> None:
        """Let go of the last trial's model, so that a worker's memory does not grow with every trial."""
        self.__dict__.clear()
        self.__init__()  # type: ignore[misc]
        keras.backend.clear_session()
        gc.collect()  # models, layers and graphs point at each other in circles


def model_family(name: str) -> Any:
    """The module of trainables/models with that name and a `build`. Raises Fatal (one line, nearest match)."""
    known = sorted(module.name for module in pkgutil.iter_modules(model_families.__path__))
    if name in known:
        module = importlib.import_module(f"{model_families.__name__}.{name}")
        if hasattr(module, "build"):
            return module
    raise Fatal(unknown("model", name, known))


def _read(folder: Path) -> keras.Model:
    path = folder / FILE_NAME
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises ValueError, OSError, KeyError, BadZipFile or TypeError for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"{path} is no saved Keras model ({reason}); train it again") from None
