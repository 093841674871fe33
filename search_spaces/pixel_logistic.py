"""The space of the baseline that any task can be asked for: logistic regression on pooled pixels."""

from __future__ import annotations

from search_spaces.parameters import CategoricalParameter, FloatParameter
from search_spaces.space import Space

SPACE = Space(
    parameters=(
        FloatParameter(
            name="C",
            low=1e-4,
            high=1e2,
            log=True,
            source="scikit-learn's LogisticRegressionCV covers 1e-4 to 1e4; above 1e2 it only overfits pixels",
        ),
        CategoricalParameter(
            name="pooled_side",
            values=(8, 16, 32),
            source="32 is the side of CIFAR's images, the smallest on which classes are told apart by eye",
        ),
    ),
    published=({"C": 0.01, "pooled_side": 16},),
)
