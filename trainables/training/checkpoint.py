"""Where a training stood after an epoch: what another one goes on from (document 2, ResNet and DeeperGoogLeNet)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainables import npz
from trainables.learner import Fatal
from trainables.training.optimizers import Optimizer

_KIND = "optimizer"


def write(path: Path, variables: Sequence[Any], optimizer: Optimizer, kind: str) -> None:
    """Every variable of a network and of its optimizer, whole or not at all. kind: of the optimizer and its layers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {f"model_{number}": variable.numpy() for number, variable in enumerate(variables)}
    kept |= {f"{_KIND}_{number}": variable.numpy() for number, variable in enumerate(optimizer.state)}
    npz.write(path, {**kept, _KIND: np.array(kind)})


def restore_network(path: Path, variables: Sequence[Any]) -> None:
    """Raises Fatal (one line) for a damaged file, or one of another network."""
    try:
        kept = npz.read(path, "state of a training")
    except ValueError as error:
        raise Fatal(str(error)) from None
    if _shapes(kept, "model_") != [tuple(variable.shape) for variable in variables]:
        raise Fatal(f"{path} was kept of another network than this configuration builds: leave its structure as it was")
    for number, variable in enumerate(variables):
        variable.value.assign(kept[f"model_{number}"])


def restore_optimizer(path: Path, optimizer: Optimizer, kind: str) -> bool:
    """Its steps and moments, where it is of the same kind and moves the same layers; another begins anew.

    Returns whether they were taken over.
    """
    kept = npz.read(path, "state of a training")
    if str(kept[_KIND]) != kind or _shapes(kept, f"{_KIND}_") != [tuple(state.shape) for state in optimizer.state]:
        return False
    for number, state in enumerate(optimizer.state):
        state.assign(kept[f"{_KIND}_{number}"])
    return True


def _shapes(kept: dict[str, np.ndarray], prefix: str) -> list[tuple[int, ...]]:
    count = sum(name.startswith(prefix) for name in kept)
    return [kept[f"{prefix}{number}"].shape for number in range(count)]
