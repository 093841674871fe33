"""The position of a training, which schedules depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of a training just before an optimizer's step."""

    epoch: int  # from 0
    max_epochs: int
    step: int  # within the epoch, from 0
    steps_per_epoch: int
    train_losses: Sequence[float] = ()  # of the epochs finished, in order

    @property
    def fraction(self) -> float:
        """Share of the planned epochs that is over; 1 beyond them, where decaying schedules stay at their end."""
        return min(self.epoch / self.max_epochs, 1.0)
