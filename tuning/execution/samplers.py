"""Optuna's samplers with this project's settings."""

from __future__ import annotations

import math
import warnings

import optuna

from tuning.plan.settings import SearchName


def make_sampler(search: SearchName, seed: int, trials: int) -> optuna.samplers.BaseSampler:
    """Return the sampler of one arm.

    optuna: TPE (Bergstra et al., 2011) after a quarter of the trials drawn at random, at least 2. Multivariate with
    groups, so
        that axes under a condition are modelled apart. Running trials count as bad points (constant liar), which keeps
        workers from trying one point twice.
    random, grid: uniform draws; a grid's points are enqueued, so its sampler draws nothing.
    qmc: a scrambled Sobol sequence; axes under a condition are drawn at random beside it.

    Args:
        search: Name of the search.
        seed: Seed of all draws.
        trials: Number of trials of the arm.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if search == "optuna":
            startup = max(2, math.ceil(trials / 4))
            return optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=startup, multivariate=True, group=True, constant_liar=True
            )
        if search == "qmc":
            return optuna.samplers.QMCSampler(
                scramble=True, seed=seed, warn_independent_sampling=False, warn_asynchronous_seeding=False
            )
        return optuna.samplers.RandomSampler(seed=seed)
