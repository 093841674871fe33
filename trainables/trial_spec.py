"""The specification of one trial, as a worker receives it.

It imports neither Ray nor NumPy: whoever decides about trials needs neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets.dataset import Target
from datasets.input_config import InputConfig
from search_spaces.objective import Objective


def state_name(epoch: int) -> str:
    """Return the name of the file with the training's state after that epoch (from 1)."""
    return f"epoch-{epoch:04d}.npz"


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Everything that determines the numbers of one training. All paths are absolute."""

    model: str  # recorded name of a family of trainables/models, or the learner's own kind of model
    config: dict[str, Any]
    seed: int
    max_epochs: int
    num_classes: int
    view: InputConfig
    target: Target = "class"  # what is to be predicted of an image, see trainables/targets.py
    precision: str = "float32"  # or "mixed_bfloat16"
    weights: Path | None = None  # a file that replaces the backbone's own ImageNet weights
    memory_bytes: int = 4_000_000_000  # this worker's share of the machine's
    goes_on_from: Path | None = None  # what `save_state` wrote, or a model.keras; None begins anew
    features: Path | None = None  # folder where frozen prefixes' output is kept; None keeps none
    features_bytes: int = 0  # limit of that folder
    # What trials of this arm may ask to freeze ({"frozen_fraction": 0.6}, ...), and the planned epochs of all of them:
    # the prefixes of all are computed in one pass, where that pays.
    freeze_points: tuple[dict[str, Any], ...] = ()
    arm_epochs: int = 1


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A trial's kept model that is to be measured on the test split."""

    trial: str
    folder: Path  # absolute
    config: dict[str, Any]
    fold: tuple[int, int] | None = None  # see TrialSpec.fold


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """A training and what surrounds it. Ray carries it to a worker as it is. All paths are absolute."""

    trial: str  # "from_scratch-0003"
    arm: str
    role: str  # "search", "confirm", "test", or "pretrain": what the arm's backbone learns first, on other images
    task: str
    store: Path  # the image store
    learner: str  # recorded name, see trainables/learners/registry.py
    training: TrainingSpec  # with role "test", of all that is measured; each saved model has its own config
    objective: Objective
    threads: int
    gpus: float  # the trial's share of one GPU; 0 on CPUs
    # Number and how many, see datasets.store.folds.Fold; None is the store's own split.
    fold: tuple[int, int] | None = None
    checkpoint: Path | None = None  # folder for the best epoch's model; None keeps none
    save_above: float | None = None  # the arm's best so far: without confirmation, nothing below is ever needed
    states: Path | None = None  # folder for the training's state after epochs; None keeps none
    keep_every: int = 1  # epochs between two kept states; the last epoch's is always kept
    saved: tuple[SavedModel, ...] = ()  # role "test": every model to be measured
    ensembles: dict[str, tuple[str, ...]] = field(default_factory=dict)  # role "test": trials to average, by row name
    backbone: Path | None = None  # role "pretrain": the file for the best epoch's backbone
