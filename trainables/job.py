"""What a worker is told to do. Light, so that whoever decides about trials needs no Ray."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from datasets.dataset import Target


def state_name(epoch: int) -> str:
    """Of the file that says where training stood after that epoch (from 1)."""
    return f"epoch-{epoch:04d}.npz"


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """What a trial left, to be measured on the test split."""

    trial: str
    folder: str  # absolute
    config: dict[str, Any]
    fold: tuple[int, int] | None = None  # see Job.fold


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker is told: plain values only, so that Ray can carry and compare them."""

    trial: str  # "from_scratch-0003"
    arm: str
    role: str  # "search", "confirm", "test", or "pretrain": what the arm's backbone learns first, on other images
    task: str
    store: str  # absolute path of the image store
    learner: str  # module of trainables/ with create()
    model: str
    config: dict[str, Any]
    seed: int
    max_epochs: int
    view: dict[str, Any]
    objective: str  # a validation metric
    direction: str  # "max" or "min"
    precision: str
    weights: str | None
    threads: int
    gpus: float  # the trial's share of one GPU; 0 on CPUs
    memory_bytes: int  # the trial's share of the machine's
    features: str  # folder where frozen prefixes' output is kept
    features_bytes: int  # at most so much of it
    freeze_points: tuple[dict[str, Any], ...]  # what trials of this arm may ask to freeze
    arm_epochs: int  # of all trials of the arm together, as planned
    fold: tuple[int, int] | None = None  # number and how many, see datasets.folds.Fold; None is the store's own split
    checkpoint: str | None = None  # folder for the best epoch's model; None keeps none
    save_above: float | None = None  # the arm's best so far: without confirmation, nothing below is ever needed
    goes_on_from: str | None = None  # what another training left, see Assignment
    states: str | None = None  # folder for where training stands after epochs; None keeps none
    keep_every: int = 1  # epochs between two that are kept; the last one always is
    saved: tuple[SavedModel, ...] = ()  # role "test": every model to be measured
    ensembles: dict[str, tuple[str, ...]] = field(default_factory=dict)  # role "test": trials to average, by row name
    target: Target = "class"
    backbone: str | None = None  # role "pretrain": the file for the best epoch's backbone
