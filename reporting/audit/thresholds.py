"""The thresholds of the audit's checks, each with its reason."""

from __future__ import annotations

# edge_of_range: shares of a range
EDGE_LEAST_TRIALS = 5  # trials that have the axis; fewer are too few to judge a range
# The check looks at the best tenth of the trials, within these bounds: the best one alone is at an end by chance.
EDGE_FEWEST_BEST = 3
EDGE_MOST_BEST = 10
EDGE_BEST = 0.1  # outer part of the range that has the best value
EDGE_NEAR = 0.25  # outer part of the range that has the next best values
EDGE_SHARE = 0.75  # share of the best values that must be in that part
EDGE_CHANCE = 0.05  # highest probability that an axis without effect has as many there: of 3 values, 4 of 4

# infeasible_trials
LOST_SHARE = 0.2  # share of all ended trials; a smaller one is normal in a wide space
LOST_ORDER = 0.9  # share of the pairs (lost, usable) that an axis must order alike to separate the lost trials

# search_still_improving, still_improving
GAIN = 0.01  # least relative improvement: 1 %, as in learning_curves.CONVERGED
LATE_SHARE = 0.2  # share of a search's trials that count as late: the last fifth
LATE_LEAST_TRIALS = 10  # trials with a value, so that the last fifth has two

# rungs_disagree
RUNG_LEAST_TRIALS = 5  # finished trials; the order of fewer is chance
RUNG_CORRELATION = 0.3  # Spearman's coefficient; below it a rung hardly predicts the final ranking

# still_improving, overfitting
LEAST_EPOCHS = 4  # a quarter of fewer epochs is less than one
LEAST_EPOCHS_AFTER = 2  # epochs after the lowest validation loss; one alone may be chance
LOSS_RISE = 0.1  # relative rise of validation loss above its lowest, while training loss still falls

# within_noise
MOST_SEEDS = 30  # most seeds that a finding proposes; more cost more than the difference is worth
POWER = 2.8  # 1.96 + 0.84 standard errors: 80 % of studies find a difference of that size

# within_noise, not_reproduced, below_validation
STANDARD_ERRORS = 3.0  # standard errors over the images that a difference must exceed
LEAST_DROP = 0.02  # a smaller drop is normal where validation chooses
