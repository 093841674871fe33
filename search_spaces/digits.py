"""The deep-learning report's network with hand-written back-propagation, on handwritten digits."""

from __future__ import annotations

from search_spaces import optimization
from search_spaces.parameters import CategoricalParameter
from search_spaces.space import Space

STUDY = "deep-learning report, 2020-10-10-multiclassification"

NUMPY_NETWORK = Space(
    parameters=(
        CategoricalParameter(
            name="hidden_layers",
            values=("25-25", "25", "50-50", "100"),
            source=f"{STUDY}: two hidden layers of 25; half as many and twice as many units are ours to ask",
        ),
        optimization.learning_rate(1e-3, 1e-1, f"{STUDY}: AdaGrad from 0.01; a power of ten to either side"),
        CategoricalParameter(
            name="batch_size", values=(8, 32), allowed=(1, 2, 4, 16, 64, 128), source=f"{STUDY}: 8; 32 is usual"
        ),
    ),
    published=({"hidden_layers": "25-25", "learning_rate": 0.01, "batch_size": 8},),
)
