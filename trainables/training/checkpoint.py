"""Where a training stood after an epoch: what another one goes on from (deep-learning report, ResNet and
DeeperGoogLeNet).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainables import npz
from trainables.learner import Fatal
from trainables.training.optimizers import Optimizer


def write(path: Path, variables: Sequence[Any], optimizer: Optimizer, kind: str) -> None:
    """Every variable of a network and of its optimizer, whole or not at all. kind: of the optimizer and its layers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = npz.numbered(variables, "model_") | npz.numbered(optimizer.state, "optimizer_")
    npz.write(path, {**kept, "optimizer": np.array(kind)})


def restore_network(path: Path, variables: Sequence[Any]) -> None:
    """Raises Fatal (one line) for a damaged file, or one of another network."""
    try:
        kept = npz.read(path, "state of a training")
    except ValueError as error:
        raise Fatal(str(error)) from None
    if not npz.assign(kept, variables, "model_"):
        raise Fatal(f"{path} was kept of another network than this configuration builds: leave its structure as it was")


def restore_optimizer(path: Path, optimizer: Optimizer, kind: str) -> bool:
    """Its steps and moments, where it is of the same kind and moves the same layers; another begins anew.

    Returns whether they were taken over.
    """
    kept = npz.read(path, "state of a training")
    return str(kept["optimizer"]) == kind and npz.assign(kept, optimizer.state, "optimizer_")
