"""The Ray Tune trainable: a thin shell that drives a learner, one epoch a step.

Thin because of what Ray does: `reset_config` only stores (an error there ends a trial without a retry), everything
is built in `step`, and what a configuration cannot do comes back as a result that says done, because an exception
would kill the warm worker with the trial.
"""

from __future__ import annotations

import os
import shutil
import statistics
import timeit
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from ray import _raylet, tune
from ray.experimental import internal_kv

from atomic_file import atomic_path
from datasets.dataset import Split
from datasets.pipeline.batches import SplitBatches
from datasets.store.folds import Fold
from datasets.store.image_store import ImageStore
from trainables import devices, targets
from trainables.ensemble_average import Averages
from trainables.learner import Fatal, HasBackbone, Infeasible, Learner, Resumable
from trainables.learners.registry import find_learner
from trainables.phase_timer import PhaseTimer
from trainables.ten_crop import ten_crop_metrics
from trainables.trial_spec import TrialSpec, state_name

PREDICTIONS_FILE = "test_predictions.npz"  # read by tuning/records/test_predictions.py, which names it too
LATENCY_RUNS = 20  # single images timed for a winner's latency; the median is reported
PREDICT_BATCH = 32


class TrialTrainable(tune.Trainable):
    """One trial. A step is one epoch, or the whole measurement on the test split for the role "test"."""

    served = 0  # trials that this process has begun

    def setup(self, config: dict[str, Any]) -> None:
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config)
        return True

    def __repr__(self) -> str:
        # Ray asks once, when the worker is made, and shows it in the dashboard for ever: so it names the worker,
        # not its first trial. The running trial stands in the process title.
        return f"{self._spec.task} worker {os.getpid()}"

    def _begin(self, config: dict[str, Any]) -> None:
        self._spec: TrialSpec = config["spec"]
        self._target = targets.find(self._spec.training.target)
        self._watch = PhaseTimer(self._tell_phase)
        self._learner: Learner | None = None  # from its first epoch on
        self._epoch = 0
        self._best: float | None = None
        self._best_epoch: int | None = None

    def _tell_phase(self, phase: str) -> None:
        """Let the driver know what happens before the first epoch ends, which may take minutes."""
        if self._epoch == 0:
            with suppress(Exception):  # no part of the study depends on it
                internal_kv._internal_kv_put(phase_key(self._spec.trial), phase.encode(), overwrite=True)

    def step(self) -> dict[str, Any]:
        spec = self._spec
        title = f"podium {spec.task}/{spec.trial}" + (" (test)" if spec.role == "test" else "")
        with _process_title(title):
            try:
                return self._measure_on_test() if spec.role == "test" else self._train_one_epoch()
            except Infeasible as error:
                return {"done": True, "status": "infeasible", "reason": error.template, "epoch": self._epoch}
            except Fatal as error:
                return {"done": True, "status": "fatal", "reason": error.template, "epoch": self._epoch}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Ray asks for one before it lets a worker serve another trial; models are kept by the trial itself."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Do nothing; see save_checkpoint."""

    def _train_one_epoch(self) -> dict[str, Any]:
        spec, watch = self._spec, self._watch
        started: dict[str, Any] = {}
        if self._learner is None:
            self._leave_if_grown()
            with watch("import"):
                learner, store = self._prepare()
            self._train, self._val = self._images(store, "train"), self._images(store, "val")
            started = {"prepared": learner.start(spec.training, self._train, self._val)}
            self._learner = learner
        learner, epoch, val = self._learner, self._epoch, self._val
        trained = learner.epoch(epoch)
        self._epoch += 1
        with watch("validate"):
            validated = self._target.evaluate(learner.validate(epoch), val.targets[val.validation_subset(epoch)])
        metrics = {
            **{name if name == "learning_rate" else f"train_{name}": value for name, value in trained.items()},
            **{f"val_{name}": value for name, value in validated.items()},
        }
        objective = spec.objective
        if objective.metric not in metrics:
            raise Fatal(f"this arm reports {', '.join(sorted(metrics))}", argument="metric", value=objective.metric)
        if not np.isfinite(metrics["val_loss"]):
            raise Infeasible(f"validation loss is {metrics['val_loss']} after epoch {self._epoch}")
        value = metrics[objective.metric]
        if objective.is_better(value, self._best):
            self._best, self._best_epoch = value, self._epoch
            # A confirmed model is always needed; a search trial's only where it is the best of its arm so far.
            needed = spec.role != "search" or objective.is_better(value, spec.save_above)
            if spec.checkpoint is not None and needed:
                with watch("save"):
                    spec.checkpoint.mkdir(parents=True, exist_ok=True)
                    learner.save(spec.checkpoint)
        finished = self._epoch >= spec.training.max_epochs
        if spec.states is not None and (finished or self._epoch % spec.keep_every == 0):
            with watch("save"):
                cast(Resumable, learner).save_state(spec.states / state_name(self._epoch))
        if finished and spec.backbone is not None and spec.checkpoint is not None:
            learner.load(spec.checkpoint, spec.training, self._train)  # the best epoch's
            cast(HasBackbone, learner).save_backbone(spec.backbone)
            shutil.rmtree(spec.checkpoint)
        return {
            "epoch": self._epoch,
            "metrics": metrics,
            "objective": self._best,
            "best_epoch": self._best_epoch,
            "seconds": watch.take(),
            "done": finished,
            **started,
            **({"status": "completed"} if finished else {}),
        }

    def _leave_if_grown(self) -> None:
        """End a worker that holds more memory than its share, in spite of the model cache's own bound.

        It ends before the trial's first result, and the driver asks for the trial again. Long-lived TensorFlow
        processes grow (keras issue 17458), and a machine out of memory kills at random.
        """
        if TrialTrainable.served and devices.resident_bytes() > self._spec.training.memory_bytes:
            os._exit(0)
        TrialTrainable.served += 1

    def _prepare(self) -> tuple[Learner, ImageStore]:
        """Limit the devices, then create the learner: TensorFlow reads the limits once, when it is first used."""
        devices.limit_cpu(self._spec.threads)
        learner = find_learner(self._spec.learner).create(self._spec.gpus, self._watch)
        return learner, self._store(self._spec.fold)

    def _store(self, fold: tuple[int, int] | None) -> ImageStore:
        return ImageStore.open(self._spec.store, None if fold is None else Fold(number=fold[0], of=fold[1]))

    def _images(self, store: ImageStore, split: Split, opened_by: str = "") -> SplitBatches:
        training = self._spec.training
        return SplitBatches(store, split, training.view, opened_by=opened_by, target=training.target)

    def _measure_on_test(self) -> dict[str, Any]:
        """Measure the confirmed models on the test split; the driver recorded the opening before."""
        spec = self._spec
        learner, store = self._prepare()
        test = self._images(store, "test", opened_by=f"confirmed models of {spec.arm}")
        averaged = Averages(spec.ensembles)
        measured = []
        for saved in spec.saved:
            folder = saved.folder
            train = self._images(self._store(saved.fold), "train")
            learner.load(folder, replace(spec.training, config=saved.config), train)
            latency_ms = _latency_ms(learner, test)
            predictions = learner.predict(test.batches(PREDICT_BATCH))
            averaged.add(saved.trial, predictions)
            on_train = self._target.evaluate(learner.predict(train.batches(PREDICT_BATCH)), train.targets)
            on_test = self._target.evaluate(predictions, test.targets) | ten_crop_metrics(learner.predict, test)
            _write_predictions(folder / PREDICTIONS_FILE, self._target.stored(predictions, test), test)
            metrics = {f"test_{name}": value for name, value in on_test.items()}
            metrics |= {f"final_train_{name}": value for name, value in on_train.items()}
            facts = asdict(learner.export(folder))
            facts |= {"latency_ms": latency_ms, "threads": spec.threads, "gpus": spec.gpus}
            measured.append({"trial": saved.trial, "metrics": metrics, "facts": facts})
        ensembles = []
        for name, (members, predictions) in averaged.of_all().items():
            folder = spec.saved[0].folder.with_name(name)
            folder.mkdir(exist_ok=True)
            _write_predictions(folder / PREDICTIONS_FILE, self._target.stored(predictions, test), test)
            on_test = self._target.evaluate(predictions, test.targets)
            metrics = {f"test_{metric}": value for metric, value in on_test.items()}
            ensembles.append({"name": name, "members": members, "metrics": metrics})
        return {"done": True, "status": "completed", "measured": measured, "ensembles": ensembles, "epoch": 0}


def phase_key(trial: str) -> bytes:
    """Return the key in Ray's control store under which a trial tells its phase."""
    return f"podium/phase/{trial}".encode()


@contextmanager
def _process_title(title: str) -> Iterator[None]:
    """`ps`, `nvidia-smi` and the dashboard's worker list show the running trial while it runs.

    By Ray's own function: the package setproctitle finds nothing to write to once Ray has renamed the process.
    """
    before = _raylet.getproctitle()  # type: ignore[attr-defined]
    _raylet.setproctitle(title)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        _raylet.setproctitle(before)  # type: ignore[attr-defined]


def _write_predictions(path: Path, arrays: dict[str, np.ndarray], images: SplitBatches) -> None:
    names = np.array([images.store.names[index] for index in images.indices])
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, names=names, **arrays)  # type: ignore[arg-type]


def _latency_ms(learner: Learner, images: SplitBatches) -> float:
    """Median milliseconds to answer for one image, on this worker's share of the machine."""
    image = next(iter(images.batches(1)))
    for _ in range(3):  # the first call traces
        learner.predict([image])
    times = timeit.repeat(lambda: learner.predict([image]), number=1, repeat=LATENCY_RUNS)
    return round(statistics.median(times) * 1000, 3)
