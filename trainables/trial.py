"""The Ray Tune trainable: a thin shell that drives a learner, one epoch a step.

Thin because of what Ray does: `reset_config` only stores (an error there ends a trial without a retry), everything
is built in `step`, and what a configuration cannot do comes back as a result that says done, because an exception
would kill the warm worker with the trial.
"""

from __future__ import annotations

import importlib
import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from ray import _raylet, tune

from atomic_file import atomic_path
from datasets.folds import Fold
from datasets.pipeline import Images
from datasets.store import ImageStore
from datasets.view import View
from trainables import devices, targets
from trainables.averages import Averages
from trainables.crops import ten_crop_metrics
from trainables.job import Job, SavedModel, state_name
from trainables.learner import Assignment, Fatal, Infeasible, Learner
from trainables.stopwatch import Stopwatch

LATENCY_RUNS = 20  # single images timed for a winner's latency; the median is reported
PREDICT_BATCH = 32


class Trial(tune.Trainable):
    """One trial. A step is one epoch, or the whole measurement on the test split for the role "test"."""

    served = 0  # trials that this process has begun

    def setup(self, config: dict[str, Any]) -> None:
        self._store_job(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._store_job(new_config)
        return True

    def __repr__(self) -> str:
        # Ray asks once, when the worker is made, and shows it in the dashboard for ever: so it names the worker,
        # not its first trial. The running trial stands in the process title.
        return f"{self._job.task} worker {os.getpid()}"

    def _store_job(self, config: dict[str, Any]) -> None:
        job = dict(config["job"])  # as dataclasses.asdict has it
        self._job = Job(**{**job, "saved": tuple(SavedModel(**saved) for saved in job["saved"])})
        self._target = targets.find(self._job.target)
        self._watch = Stopwatch()
        self._learner: Learner | None = None
        self._val: Images | None = None
        self._epoch = 0
        self._best: float | None = None
        self._best_epoch: int | None = None

    def step(self) -> dict[str, Any]:
        job = self._job
        title = f"podium {job.task}/{job.trial}" + (" (test)" if job.role == "test" else "")
        with _process_title(title):
            try:
                return self._measure_on_test() if job.role == "test" else self._train_one_epoch()
            except Infeasible as error:
                return {"done": True, "status": "infeasible", "reason": error.template, "epoch": self._epoch}
            except Fatal as error:
                return {"done": True, "status": "fatal", "reason": error.template, "epoch": self._epoch}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Ray asks for one before it lets a worker serve another trial; models are kept by the trial itself."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load: see save_checkpoint."""

    def _train_one_epoch(self) -> dict[str, Any]:
        job, watch = self._job, self._watch
        started: dict[str, Any] = {}
        if self._learner is None:
            self._leave_if_grown()
            with watch("import"):
                learner, assignment, store, view = self._prepare()
            train = Images(store, "train", view, target=job.target)
            self._val = Images(store, "val", view, target=job.target)
            self._trained = (assignment, train)
            started = {"prepared": learner.start(assignment, train, self._val)}
            self._learner = learner
        learner, val = self._learner, cast(Images, self._val)
        epoch = self._epoch
        trained = learner.epoch(epoch)
        self._epoch += 1
        with watch("validate"):
            validated = self._target.evaluate(learner.validate(epoch), val.targets[val.checked(epoch)])
        metrics = {
            **{name if name == "learning_rate" else f"train_{name}": value for name, value in trained.items()},
            **{f"val_{name}": value for name, value in validated.items()},
        }
        if job.objective not in metrics:
            raise Fatal(f"this arm reports {', '.join(sorted(metrics))}", argument="metric", value=job.objective)
        if not np.isfinite(metrics["val_loss"]):
            raise Infeasible(f"validation loss is {metrics['val_loss']} after epoch {self._epoch}")
        if self._is_better(metrics[job.objective]):
            self._best, self._best_epoch = metrics[job.objective], self._epoch
            if job.checkpoint is not None and self._is_needed(metrics[job.objective]):
                with watch("save"):
                    Path(job.checkpoint).mkdir(parents=True, exist_ok=True)
                    learner.save(Path(job.checkpoint))
        finished = self._epoch >= job.max_epochs
        if job.states is not None and (finished or self._epoch % job.keep_every == 0):
            with watch("save"):
                learner.save_state(Path(job.states) / state_name(self._epoch))
        if finished and job.backbone is not None:
            learner.load(Path(str(job.checkpoint)), *self._trained)  # the best epoch's
            learner.save_backbone(Path(job.backbone))
            shutil.rmtree(str(job.checkpoint))
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
        """A worker that holds more than its share, in spite of the workbench's own bound, makes room for a new one.

        It ends here, before the trial's first result, and the driver asks for the trial again. Long-lived TensorFlow
        processes grow (keras issue 17458), and a machine out of memory kills at random.
        """
        if Trial.served and devices.resident_bytes() > self._job.memory_bytes:
            os._exit(0)
        Trial.served += 1

    def _prepare(self) -> tuple[Learner, Assignment, ImageStore, View]:
        """Device limits first: TensorFlow reads them once, when it is first used."""
        job = self._job
        devices.limit_cpu(job.threads)
        learner: Learner = importlib.import_module(f"trainables.{job.learner}").create(job.gpus, self._watch)
        store = _opened(job, job.fold)
        view = View(**job.view)
        assignment = Assignment(
            model=job.model,
            config=job.config,
            seed=job.seed,
            max_epochs=job.max_epochs,
            num_classes=len(store.classes),
            view=view,
            target=job.target,
            precision=job.precision,
            weights=Path(job.weights) if job.weights else None,
            memory_bytes=job.memory_bytes,
            goes_on_from=Path(job.goes_on_from) if job.goes_on_from else None,
            features=Path(job.features),
            features_bytes=job.features_bytes,
            freeze_points=tuple(job.freeze_points),
            arm_epochs=job.arm_epochs,
        )
        return learner, assignment, store, view

    def _measure_on_test(self) -> dict[str, Any]:
        """The confirmed models meet the test split; the driver entered the opening in the ledger before this runs."""
        job = self._job
        learner, assignment, store, view = self._prepare()
        test = Images(store, "test", view, opened_by=f"confirmed models of {job.arm}", target=job.target)
        averaged = Averages(job.ensembles)
        measured = []
        for saved in job.saved:
            folder = Path(saved.folder)
            train = Images(_opened(job, saved.fold), "train", view, target=job.target)
            learner.load(folder, replace(assignment, config=saved.config), train)
            latency_ms = _latency_ms(learner, test)
            predictions = learner.predict(test.batches(PREDICT_BATCH))
            averaged.add(saved.trial, predictions)
            on_train = self._target.evaluate(learner.predict(train.batches(PREDICT_BATCH)), train.targets)
            on_test = self._target.evaluate(predictions, test.targets) | ten_crop_metrics(learner.predict, test)
            _write_predictions(folder / "test_predictions.npz", self._target.stored(predictions, test), test)
            facts = learner.export(folder)
            measured.append(
                {
                    "trial": saved.trial,
                    "metrics": {
                        **{f"test_{name}": value for name, value in on_test.items()},
                        **{f"final_train_{name}": value for name, value in on_train.items()},
                    },
                    "facts": {
                        "parameters": facts.parameters,
                        "size_bytes": facts.size_bytes,
                        "note": facts.note,
                        "latency_ms": latency_ms,
                        "threads": job.threads,
                        "gpus": job.gpus,
                    },
                }
            )
        ensembles = []
        for name, (members, predictions) in averaged.of_all().items():
            folder = Path(job.saved[0].folder).with_name(name)
            folder.mkdir(exist_ok=True)
            _write_predictions(folder / "test_predictions.npz", self._target.stored(predictions, test), test)
            on_test = self._target.evaluate(predictions, test.targets)
            metrics = {f"test_{metric}": value for metric, value in on_test.items()}
            ensembles.append({"name": name, "members": members, "metrics": metrics})
        return {"done": True, "status": "completed", "measured": measured, "ensembles": ensembles, "epoch": 0}

    def _is_better(self, value: float) -> bool:
        return self._beats(value, self._best)

    def _is_needed(self, value: float) -> bool:
        """A confirmed model always is; a search trial's only where it is the best of its arm so far."""
        return self._job.role != "search" or self._beats(value, self._job.save_above)

    def _beats(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        return value > than if self._job.direction == "max" else value < than


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


def _opened(job: Job, fold: tuple[int, int] | None) -> ImageStore:
    return ImageStore.open(Path(job.store), None if fold is None else Fold(number=fold[0], of=fold[1]))


def _write_predictions(path: Path, arrays: dict[str, np.ndarray], images: Images) -> None:
    names = np.array([images.store.names[index] for index in images.indices])
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, names=names, **arrays)  # type: ignore[arg-type]


def _latency_ms(learner: Learner, images: Images) -> float:
    """Median milliseconds to answer for one image, on this worker's share of the machine."""
    image = next(iter(images.batches(1)))
    for _ in range(3):  # the first call traces
        learner.predict([image])
    times = []
    for _ in range(LATENCY_RUNS):
        start = time.perf_counter()
        learner.predict([image])
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1000, 3)
