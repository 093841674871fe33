"""Shares of the machine: slots, processors and GPUs of a trial."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from errors import arg
from machine import usable_cores, usable_memory
from trainables.devices import total_memory
from trainables.learner import Fatal
from tuning.plan.settings import StudySettings, UsageError

# A worker's memory: TensorFlow alone is 0.6 GB, a mid-sized network with its gradients and buffers about as much again.
WORKER_GIGABYTES = 2.0
TENSORFLOW_GIGABYTES = 0.6
# A slot on a GPU should hold a batch of 32 images at 256 px with gradients: NASNetMobile and the widest from-scratch
# network both stay below 8 GB.
SLOT_GPU_GIGABYTES = 8.0
LEAST_OF_A_GPU = 0.01


@dataclass(frozen=True, kw_only=True)
class Share:
    """Resources of a trial; equal for all trials of a study, because Ray reuses workers by their resources."""

    slots: int  # trials that run at once
    cpus: float  # of the machine's cores, per trial
    gpus: float  # of one GPU, per trial; 0 on processors alone

    @property
    def threads(self) -> int:
        """Threads a trial may keep busy."""
        return max(1, math.floor(self.cpus + 1e-9))


def worker_memory_bytes(slots: int) -> int:
    """Return the memory of one of so many workers; the system and the driver keep a fifth of the machine's."""
    return max(int(usable_memory() * 0.8 / slots), int(1.5 * WORKER_GIGABYTES * 1e9))


def check_gpus_per_trial(fraction: float) -> int:
    """Return how many trials fit on one GPU.

    Raises:
        UsageError: They would leave over 5 % of it idle, or the share is out of range.
    """
    if not LEAST_OF_A_GPU <= fraction <= 1:
        raise UsageError(
            f"{arg.gpus_per_trial} is {fraction:g}, but must be from {LEAST_OF_A_GPU:g} to 1: "
            "a trial trains on one GPU or on a part of it"
        )
    fit = math.floor(1 / fraction + 1e-9)
    if 1 - fit * fraction > 0.05:
        raise UsageError(
            f"{arg.gpus_per_trial} is {fraction:g}: {fit} such trials fit on a GPU and {1 - fit * fraction:.0%} of it "
            f"would stay idle; write {_nearest(fit)} ({fit} fit) or {_nearest(fit + 1)} ({fit + 1} fit)"
        )
    return fit


def _nearest(fit: int) -> str:
    """Return 1/fit as text, rounded down so that so many trials fit on a GPU."""
    return f"{math.floor(1000 / fit) / 1000:g}"


def gpus_per_trial(gpu_gigabytes: float | None) -> float:
    """Return the default share of a GPU: a half or quarter where memory allows, 1 where it is unknown."""
    if gpu_gigabytes is None:
        return 1.0
    return 1.0 / max(1, min(4, math.floor(gpu_gigabytes / SLOT_GPU_GIGABYTES)))


def machine_share(settings: StudySettings, node_cores: Sequence[float] = ()) -> Share:
    """Return the share of this machine, or of a cluster, for each trial.

    Args:
        settings: What the user asked for.
        node_cores: Cores of each machine of the cluster; none means this machine.
    """
    gpu_gigabytes = None
    if settings.gpus > 0 and settings.gpus_per_trial is None:
        with contextlib.suppress(Fatal):  # nvidia-smi is silent: a whole GPU a trial
            gpu_gigabytes = total_memory() * 2**20 / 1e9
    return plan_share(settings, node_cores or (usable_cores(),), usable_memory() / 1e9, gpu_gigabytes)


def plan_share(
    settings: StudySettings, node_cores: Sequence[float], memory_gigabytes: float, gpu_gigabytes: float | None = None
) -> Share:
    """Return the share of each trial.

    With GPUs, slots follow from --gpus and --gpus-per-trial. On processors they follow from --concurrent, whose default
    leaves two to four cores for a trial on large machines and one on small ones, bounded by memory.

    Args:
        settings: What the user asked for.
        node_cores: Cores of each machine.
        memory_gigabytes: Memory of one of them.
        gpu_gigabytes: Memory of a GPU; None where it is unknown.

    Raises:
        UsageError: The machine cannot hold what was asked for.
    """
    gpus, per_trial, concurrent = settings.gpus, settings.gpus_per_trial, settings.concurrent
    cores = int(sum(node_cores))
    if concurrent is not None and concurrent < 1:
        raise UsageError("must be at least 1", argument="concurrent", value=concurrent)
    if gpus < 0:
        raise UsageError("must not be negative", argument="gpus", value=gpus)
    if gpus == 0:
        if per_trial is not None:
            raise UsageError(
                f"{arg.gpus_per_trial} is {per_trial:g} without GPUs; add {arg.gpus}, such as {arg.gpus} 1"
            )
        most = max(cores, math.floor(memory_gigabytes / TENSORFLOW_GIGABYTES))
        if concurrent is not None and concurrent > most:
            raise UsageError(
                f"{memory_gigabytes:.0f} GB of memory hold {most} workers at most",
                argument="concurrent",
                value=concurrent,
                remedy=f"{cores} cores are best used by {cores} or fewer",
            )
        fit = max(1, math.floor(memory_gigabytes / WORKER_GIGABYTES))
        slots, fraction = min(cores, max(2, cores // 4), fit), 0.0
    else:
        fraction = gpus_per_trial(gpu_gigabytes) if per_trial is None else per_trial
        slots = gpus * check_gpus_per_trial(fraction)
        if concurrent is not None and concurrent > slots:
            raise UsageError(
                f"{slots} trials fit on {gpus} GPUs at {fraction:g} each", argument="concurrent", value=concurrent
            )
    slots = concurrent or slots
    # Ray keeps resources to four decimals; rounding up would make the last trial wait for ever.
    return Share(slots=slots, cpus=math.floor(_cores_of_a_slot(node_cores, slots) * 10_000) / 10_000, gpus=fraction)


def _cores_of_a_slot(node_cores: Sequence[float], slots: int) -> float:
    """Return the most cores that as many trials can have at once, none of which spans two machines."""
    possible = {cores / count for cores in node_cores for count in range(1, slots + 1)}
    return max(share for share in possible if sum(int(cores / share + 1e-9) for cores in node_cores) >= slots)
