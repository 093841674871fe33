"""State of a training after an epoch, from which another one continues (deep-learning report, ResNet)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainables import npz
from trainables.learner import Fatal
from trainables.training.optimizers import Optimizer


def write(path: Path, variables: Sequence[Any], optimizer: Optimizer, kind: str) -> None:
    """Write every variable of a network and its optimizer, whole or not at all.

    Args:
        path: Target file.
        variables: Of the network.
        optimizer: The optimizer.
        kind: Kind of the optimizer and its layers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = npz.numbered(variables, "model_") | npz.numbered(optimizer.state, "optimizer_")
    npz.write(path, {**kept, "optimizer": np.array(kind)})


def restore_network(path: Path, variables: Sequence[Any]) -> None:
    """Set the network's variables to the saved ones.

    Args:
        path: The file.
        variables: Of the network.

    Raises:
        Fatal: The file is damaged or of another network.
    """
    try:
        kept = npz.read(path, "state of a training")
    except ValueError as error:
        raise Fatal(str(error)) from None
    if not npz.assign(kept, variables, "model_"):
        raise Fatal(f"{path} was kept of another network than this configuration builds: leave its structure as it was")


def restore_optimizer(path: Path, optimizer: Optimizer, kind: str) -> bool:
    """Set the optimizer's steps and moments, if it has the same kind and layers.

    Args:
        path: The file.
        optimizer: The optimizer.
        kind: Its kind and layers.

    Returns:
        Whether they were set; another optimizer starts fresh.
    """
    kept = npz.read(path, "state of a training")
    return str(kept["optimizer"]) == kind and npz.assign(kept, optimizer.state, "optimizer_")
