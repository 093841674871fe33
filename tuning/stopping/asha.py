"""Asynchronous successive halving that only stops, by Ray (Li et al., 2020)."""

from __future__ import annotations

from ray.tune.schedulers import ASHAScheduler

from search_spaces.objective import Objective


def create(objective: Objective, max_epochs: int, grace_epochs: int, reduction_factor: int) -> ASHAScheduler:
    """Create an arm's own ASHA.

    Args:
        objective: decides which trials are better.
        max_epochs: of a trial that is not stopped.
        grace_epochs: before these are over, no trial is stopped.
        reduction_factor: one in so many trials goes on.
    """
    return ASHAScheduler(
        time_attr="epoch",
        metric="objective",
        mode=objective.direction,
        max_t=max_epochs,
        grace_period=grace_epochs,
        reduction_factor=reduction_factor,
    )
