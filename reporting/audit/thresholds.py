"""The thresholds of the audit's checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Below or above which a check speaks, each with its reason."""

    # edge_of_range: shares of a range
    edge_least_trials: int = 5  # that have the axis: fewer say nothing of a range
    edge_fewest_best: int = 3  # the best tenth is looked at, within these: the best one alone lies there by chance
    edge_most_best: int = 10
    edge_best: float = 0.1  # the best value lies in this outer part
    edge_near: float = 0.25  # and the next best in this
    edge_share: float = 0.75  # of the best lie there
    edge_chance: float = 0.05  # an axis of no effect has as many there no more often: of 3 values, 4 of 4

    # infeasible_trials
    lost_share: float = 0.2  # of all ended trials: fewer are the price of a wide space
    lost_order: float = 0.9  # of pairs (lost, usable) that an axis must order alike to tell the lost ones apart

    # search_still_improving, still_improving
    gain: float = 0.01  # what counts as better: 1 %, as in "converged"
    late_share: float = 0.2  # of a search: its last fifth
    late_least_trials: int = 10  # with a value, so that the last fifth has two

    # rungs_disagree
    rung_least_trials: int = 5  # finished ones: of fewer the order is chance
    rung_correlation: float = 0.3  # Spearman's, below which a rung's ranking says little of the last one

    # still_improving, overfitting
    least_epochs: int = 4  # of fewer a quarter is less than one
    least_epochs_after: int = 2  # after the lowest validation loss: one alone may be chance
    loss_rise: float = 0.1  # of validation loss above its lowest, while training loss still falls

    # within_noise
    most_seeds: int = 30  # to propose: what more of them tell costs more than the difference is worth
    power: float = 2.8  # 1.96 + 0.84: standard errors apart that a difference is found in 80 % of studies

    # within_noise, not_reproduced, below_validation
    standard_errors: float = 3.0  # of the images, that a difference must exceed
    least_drop: float = 0.02  # a smaller one is what choosing by validation costs


THRESHOLDS = Thresholds()
