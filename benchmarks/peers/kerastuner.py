"""(a) KerasTuner: one process, both cores, its own Oracle that hands out the list.

    python -m benchmarks.peers.kerastuner WORKLOAD TRIALS MATERIAL OUT SCRATCH

Two things are left out in its favour: the model that a Tuner with a hypermodel builds once to learn its search space,
and the checkpoint of every better epoch that its own run_trial writes.
"""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

import keras
import keras_tuner

from benchmarks.peers import data as images
from benchmarks.peers.peer_config import Job
from benchmarks.peers.training import fit, use_threads
from benchmarks.workloads import SLOTS, Configuration


class ListOracle(keras_tuner.Oracle):
    """Asks for the listed configurations in their order."""

    def __init__(self, configurations: list[Configuration]) -> None:
        super().__init__(
            objective=keras_tuner.Objective("val_accuracy", "max"),
            max_trials=len(configurations),
            max_consecutive_failed_trials=1,
        )
        self._configurations = configurations

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return {"status": "RUNNING", "values": self._configurations[int(trial_id)].values()}


class ListTuner(keras_tuner.Tuner):
    """Tuner that trains the listed configurations in order."""

    def __init__(self, job: Job, data: images.Data) -> None:
        super().__init__(ListOracle(job.configurations), directory=str(job.scratch), project_name="search")
        self._job, self._data = job, data

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.time()
        keras.backend.clear_session()  # as KerasTuner does before it builds
        gc.collect()
        config = Configuration(**trial.hyperparameters.values)
        history = fit(self._job, config, self._data, SLOTS)
        self._job.record(config.index, started, history.history["val_accuracy"])
        return history


def main(job: Job) -> None:
    """Run the job."""
    use_threads(SLOTS)
    tuner = ListTuner(job, images.load(job.material, mapped=False))
    tuner.search(verbose=0)
    tuner.oracle.get_best_trials(1)


if __name__ == "__main__":
    main(Job.of_arguments(sys.argv[1:]))
