"""Importances find the axis that decides, and say where they cannot."""

from __future__ import annotations

import pytest

from tests.fixtures.report import study
from tuning.listeners.param_importances import importances


@pytest.mark.slow  # importing what Optuna compares with takes seconds
def test_the_axis_that_decides_is_the_most_important() -> None:
    found = importances(study(trials=1000, epochs=4), "fine_tuned")
    assert next(iter(found.shares)) == "learning_rate"
    assert found.shares["learning_rate"] > 0.5
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.trials == 1000  # stopped ones among them
    assert "momentum" in found.shares  # under its condition
    assert "backbone" not in found.shares  # it did not vary


def test_too_few_trials_are_said_to_be_too_few() -> None:
    found = importances(study(trials=9), "fine_tuned")
    assert not found.shares
    assert found.reason == "too few trials: 9 have a value, 10 are needed"
    lost = importances(study(from_scratch={"infeasible_above": 0.0}), "from_scratch")
    assert lost.reason == "too few trials: 0 have a value, 10 are needed"
