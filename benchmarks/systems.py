"""The systems that are compared, and how each is started."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.peer_config import Job

PODIUM = "podium"


@dataclass(frozen=True)
class System:
    """A system under comparison and how it is started."""

    name: str
    label: str  # in tables
    module: str
    imports: str  # what its processes import; see __main__.py
    options: tuple[str, ...] = ()


_OURS = "keras, ray.tune, optuna, h5py, pandas, rich, sklearn.metrics, tensorboardX"
_RAY = ("benchmarks.peers.ray_tune", "keras, ray.tune")
SYSTEMS = {
    system.name: system
    for system in (
        System("kerastuner", "KerasTuner", "benchmarks.peers.kerastuner", "keras_tuner"),
        System("optuna", "Optuna and Keras, one process", "benchmarks.peers.optuna_keras", "keras, optuna"),
        System("ray", "Ray Tune, function", *_RAY),
        System("ray_reuse", "Ray Tune, class, actors reused", *_RAY, options=("--reuse",)),
        System(PODIUM, "**this project**", "benchmarks.podium_adapter", _OURS),
    )
}
PEERS = tuple(name for name in SYSTEMS if name != PODIUM)


def command(system: System, job: Job) -> list[str]:
    """Return the command of one run; this project gets its own copy of the image store.

    Args:
        system: The system.
        job: The run.
    """
    if system.name != PODIUM:
        return [sys.executable, "-m", system.module, *system.options, *job.arguments()]
    from benchmarks import podium_adapter

    data = job.scratch / "data"
    data.mkdir()
    for store in (job.material / "data").glob("*.h5"):
        os.link(store, data / store.name)
    return [sys.executable, *podium_adapter.command(job.workload, job.trials, job.weights, job.scratch)]


def environment(checkout: Path, scratch: Path) -> dict[str, str]:
    """Return the environment variables that every system gets beside the user's own.

    Args:
        checkout: Folder of this project.
        scratch: Folder of the run.
    """
    return {
        "PYTHONPATH": str(checkout),
        "KERAS_BACKEND": "tensorflow",
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "NO_ALBUMENTATIONS_UPDATE": "1",  # it asks the network for a newer version at import
        "XDG_CACHE_HOME": str(scratch / "cache"),  # no run finds what another one kept
    }
