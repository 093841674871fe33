"""The thresholds of the audit's checks: below or above which a check speaks, each with its reason."""

from __future__ import annotations

# edge_of_range: shares of a range
EDGE_LEAST_TRIALS = 5  # that have the axis: fewer say nothing of a range
EDGE_FEWEST_BEST = 3  # the best tenth is looked at, within these: the best one alone lies there by chance
EDGE_MOST_BEST = 10
EDGE_BEST = 0.1  # the best value lies in this outer part
EDGE_NEAR = 0.25  # and the next best in this
EDGE_SHARE = 0.75  # of the best lie there
EDGE_CHANCE = 0.05  # an axis of no effect has as many there no more often: of 3 values, 4 of 4

# infeasible_trials
LOST_SHARE = 0.2  # of all ended trials: fewer are the price of a wide space
LOST_ORDER = 0.9  # of pairs (lost, usable) that an axis must order alike to tell the lost ones apart

# search_still_improving, still_improving
GAIN = 0.01  # what counts as better: 1 %, as in "converged"
LATE_SHARE = 0.2  # of a search: its last fifth
LATE_LEAST_TRIALS = 10  # with a value, so that the last fifth has two

# rungs_disagree
RUNG_LEAST_TRIALS = 5  # finished ones: of fewer the order is chance
RUNG_CORRELATION = 0.3  # Spearman's, below which a rung's ranking says little of the last one

# still_improving, overfitting
LEAST_EPOCHS = 4  # of fewer a quarter is less than one
LEAST_EPOCHS_AFTER = 2  # after the lowest validation loss: one alone may be chance
LOSS_RISE = 0.1  # of validation loss above its lowest, while training loss still falls

# within_noise
MOST_SEEDS = 30  # to propose: what more of them tell costs more than the difference is worth
POWER = 2.8  # 1.96 + 0.84: standard errors apart that a difference is found in 80 % of studies

# within_noise, not_reproduced, below_validation
STANDARD_ERRORS = 3.0  # of the images, that a difference must exceed
LEAST_DROP = 0.02  # a smaller one is what choosing by validation costs
