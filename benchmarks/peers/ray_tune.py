"""(c) Plain Ray Tune: two trials side by side, one core each, no early stopping.

python -m benchmarks.peers.ray_tune WORKLOAD TRIALS MATERIAL OUT SCRATCH            # a function, a process a trial
python -m benchmarks.peers.ray_tune --reuse WORKLOAD TRIALS MATERIAL OUT SCRATCH    # a class, processes reused
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from ray import tune

from benchmarks.peers.peer_config import Job
from benchmarks.workloads import SLOTS, Configuration

THREADS = 1  # a trial's share of two cores


def train(space: dict[str, Any], job: Job) -> None:
    """Train one configuration as a function trainable; TensorFlow is imported in the worker only.

    Args:
        space: Ray's configuration; "configuration" holds the values.
        job: The run.
    """
    started = time.time()
    import keras

    from benchmarks.peers import data as images
    from benchmarks.peers.training import fit, use_threads

    use_threads(THREADS)
    config = Configuration(**space["configuration"])
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: tune.report({"val_accuracy": float(logs["val_accuracy"])})
    )
    history = fit(job, config, images.load(job.material, mapped=True), THREADS, [report])
    job.record(config.index, started, history.history["val_accuracy"])


class Reused(tune.Trainable):
    """The class trainable: the process, its imports and its data stay; each trial builds its own model."""

    _model: Any

    def setup(self, space: dict[str, Any], job: Job) -> None:
        self._started = time.time()
        from benchmarks.peers import data as images
        from benchmarks.peers.training import use_threads

        use_threads(THREADS)
        self._job = job
        self._data = images.load(job.material, mapped=True)
        self._begin(space)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        import gc

        import keras

        self._started = time.time()
        self._model = self._train = self._val = None  # or two models are in memory at once
        keras.backend.clear_session()
        gc.collect()
        self._begin(new_config)
        return True

    def _begin(self, space: dict[str, Any]) -> None:
        from benchmarks.peers.data import training, validation
        from benchmarks.peers.models import compiled

        self._configuration = Configuration(**space["configuration"])
        self._model = compiled(self._job, self._configuration)
        self._train = training(self._job.workload, self._data, self._configuration.seed, THREADS)
        self._val = validation(self._data)
        self._val_accuracy: list[float] = []

    def step(self) -> dict[str, Any]:
        epoch = len(self._val_accuracy)
        history = self._model.fit(
            self._train, validation_data=self._val, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0
        )
        self._val_accuracy.append(float(history.history["val_accuracy"][-1]))
        done = epoch + 1 == self._job.workload.epochs
        if done:
            self._job.record(self._configuration.index, self._started, self._val_accuracy)
        return {"val_accuracy": self._val_accuracy[-1], "done": done}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Ray asks for one before it reuses a worker; nothing is kept."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing was kept."""


def main(job: Job, reuse: bool) -> None:
    """Run the job.

    Args:
        job: The run.
        reuse: Whether workers are reused (the class trainable).

    Raises:
        SystemExit: A trial failed.
    """
    import ray

    # No dashboard, in its favour: this project starts one, and it costs memory and a second or two.
    ray.init(address="local", num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    trainable: Any = Reused if reuse else train
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(trainable, job=job), {"cpu": THREADS}),
        param_space={"configuration": tune.grid_search([config.values() for config in job.configurations])},
        tune_config=tune.TuneConfig(metric="val_accuracy", mode="max", reuse_actors=reuse),
        run_config=tune.RunConfig(storage_path=str(job.scratch), name="search", verbose=0),
    )
    results = tuner.fit()
    errors = results.errors
    ray.shutdown()
    if errors:
        raise SystemExit(f"{len(errors)} trials failed: {errors[0]}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(Job.of_arguments([word for word in arguments if word != "--reuse"]), reuse="--reuse" in arguments)
