"""(b) Optuna around Keras: one process, both cores, the list enqueued.

python -m benchmarks.peers.optuna_keras WORKLOAD TRIALS MATERIAL OUT SCRATCH
"""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

import keras
import optuna

from benchmarks.peers import data as images
from benchmarks.peers.peer_config import Job
from benchmarks.peers.training import fit, use_threads
from benchmarks.workloads import SLOTS, Configuration


def main(job: Job) -> None:
    """Run the job."""
    use_threads(SLOTS)
    data = images.load(job.material, mapped=False)

    def objective(trial: optuna.Trial) -> float:
        started = time.time()
        config = suggest(trial, job.configurations)
        history = fit(job, config, data, SLOTS)
        val_accuracy = history.history["val_accuracy"]
        keras.backend.clear_session()  # or every model of the study stays in memory
        gc.collect()
        job.record(config.index, started, val_accuracy)
        return float(val_accuracy[-1])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for config in job.configurations:
        study.enqueue_trial({name: value for name, value in config.values().items() if name not in ("index", "seed")})
    study.optimize(objective, n_trials=job.trials)


def suggest(trial: optuna.Trial, configurations: list[Configuration]) -> Configuration:
    """Suggest the enqueued values axis by axis, as any Optuna program does.

    Args:
        trial: Optuna's trial.
        configurations: The list; the trial's number is the position.
    """
    listed = configurations[trial.number]
    values: dict[str, Any] = {"index": listed.index, "seed": listed.seed}
    for name in listed.values():
        if name == "learning_rate":
            values[name] = trial.suggest_float(name, 1e-6, 1e-1, log=True)
        elif name not in values:
            choices = {config.values()[name] for config in configurations}
            values[name] = trial.suggest_categorical(name, sorted(choices))
    config = Configuration(**values)
    assert config == listed, f"Optuna asks for {config}, but {listed} was enqueued"
    return config


if __name__ == "__main__":
    main(Job.of_arguments(sys.argv[1:]))
