from __future__ import annotations

import numpy as np

from trainables.ensemble_average import Averages


def test_the_mean_of_probabilities_and_not_of_votes() -> None:
    averages = Averages({"all": ("a", "b", "c"), "two": ("a", "b"), "none": ("x",)})
    for trial, first in (("a", 0.4), ("b", 0.45), ("c", 0.95)):
        averages.add(trial, np.array([[first, 1 - first]], np.float32))
    found = averages.of_all()
    assert set(found) == {"all", "two"}
    members, probabilities = found["all"]
    assert members == ["a", "b", "c"]
    np.testing.assert_allclose(probabilities, [[0.6, 0.4]], rtol=1e-6)  # though two of three say the second
    np.testing.assert_allclose(found["two"][1], [[0.425, 0.575]], rtol=1e-6)
    assert probabilities.dtype == np.float32
