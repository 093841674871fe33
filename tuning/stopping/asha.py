"""Asynchronous successive halving that only stops, by Ray (Li et al., 2020)."""

from __future__ import annotations

from ray.tune.schedulers import ASHAScheduler

from tuning.stopping import ArmBudget


def create(budget: ArmBudget) -> ASHAScheduler:
    """Create the arm's own ASHA."""
    return ASHAScheduler(
        time_attr="epoch",
        metric="objective",
        mode=budget.objective.direction,
        max_t=budget.max_epochs,
        grace_period=budget.grace_epochs,
        reduction_factor=budget.reduction_factor,
    )
