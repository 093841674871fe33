"""The phases of a trial: where a configuration asks for it, the head learns alone first.

A fresh head's large gradients would spoil what a backbone has learned (deep-learning report, network surgery: the
head is warmed up for 25 epochs, then VGG16 learns from layer 15 on).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainables.models.parts.built_network import Network, frozen_blocks
from trainables.training import optimizers
from trainables.training.schedule import check as check_schedule

# Of the optimizer that follows; the warm-up's has Keras's defaults.
_OF_THE_MAIN_PHASE = ("momentum", "nesterov", "weight_decay")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Some epochs of a trial, in which the same layers learn by the same optimizer."""

    begins: int  # the trial's epoch, from 0
    epochs: int
    cut: int  # blocks that stay as they are
    schedule: str  # counts this phase's epochs alone
    settings: optimizers.OptimizerConfig


def phases(config: Mapping[str, Any], network: Network, max_epochs: int) -> tuple[Phase, ...]:
    """Return one or two phases of a training.

    Args:
        config: warmup_epochs (default 0: one phase), in which every block is frozen and the learning rate is constant;
            warmup_optimizer and warmup_learning_rate (default: those of the main phase). For the rest see
            built_network.frozen_blocks, optimizers.settings and schedule.
        network: The network.
        max_epochs: Epochs of both phases.

    Raises:
        ValueError: A value is out of range, or nothing can be frozen.
    """
    schedule = check_schedule(str(config.get("schedule", "constant")))
    warmup = int(config.get("warmup_epochs", 0))
    if not 0 <= warmup < max_epochs:
        raise ValueError(f"warmup_epochs is {warmup}, but must be from 0 to {max_epochs - 1}, below all of the epochs")
    main = Phase(
        begins=warmup,
        epochs=max_epochs - warmup,
        cut=frozen_blocks(network, config),
        schedule=schedule,
        settings=optimizers.settings(config),
    )
    if not warmup:
        return (main,)
    if not network.blocks:
        raise ValueError(f"warmup_epochs is {warmup}, but this network has no blocks that can be frozen meanwhile")
    head_alone = {name: value for name, value in config.items() if name not in _OF_THE_MAIN_PHASE}
    for name in ("optimizer", "learning_rate"):
        if f"warmup_{name}" in config:
            head_alone[name] = config[f"warmup_{name}"]
    first = Phase(
        begins=0, epochs=warmup, cut=len(network.blocks), schedule="constant", settings=optimizers.settings(head_alone)
    )
    return (first, main)


def phase_of(planned: tuple[Phase, ...], epoch: int) -> Phase:
    """Return the phase of an epoch; the last phase has no end.

    Args:
        planned: The phases.
        epoch: From 0.
    """
    return next(phase for phase in reversed(planned) if phase.begins <= epoch)
