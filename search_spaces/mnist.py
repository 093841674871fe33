"""LeNet as the deep-learning report trained it, and around it: the same ranges for every set of digits."""

from __future__ import annotations

from search_spaces import optimization
from search_spaces.parameters import CategoricalParameter
from search_spaces.space import Space

STUDY = "deep-learning report, 2020-11-11-LeNet-implementation"

LENET = Space(
    parameters=(
        # The report's plain SGD takes 9,380 steps at 0.01; a thousand images are 200 steps, which need Adam's pace.
        optimization.learning_rate(1e-3, 1e-1, f"{STUDY}: 0.01; a power of ten to either side"),
        optimization.optimizer("sgd", "adam", source=f"{STUDY}: SGD; Adam is ours to ask"),
        optimization.momentum(f"{STUDY}: none; up to 0.95 is ours to ask", low=0.0),
        optimization.schedule("constant", "cosine", source=f"{STUDY}: constant; Loshchilov and Hutter, 2017: cosine"),
        CategoricalParameter(
            name="batch_size", values=(128, 32), allowed=(8, 16, 64, 256), source=f"{STUDY}: 128; 32 is usual"
        ),
    ),
    published=(
        {"learning_rate": 0.01, "optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "batch_size": 128},
    ),
)
