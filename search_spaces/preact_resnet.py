"""Space of the pre-activation ResNet (deep-learning report), shared by CIFAR-10 and Tiny ImageNet."""

from __future__ import annotations

from search_spaces import optimization
from search_spaces.parameters import CategoricalParameter, Value, fixed
from search_spaces.space import Space

STUDY = "deep-learning report, 2020-12-12-ResNet"


def space(*schedules: str, **constants: Value) -> Space:
    """Its space for one data set. schedules: of the study's versions 3 and 4, published with its first rate of 0.1.

    constants: stages, filters, stem and batch_size.
    """
    return Space(
        parameters=(
            *fixed(optimizer="sgd", momentum=0.9, **constants),
            optimization.learning_rate(1e-2, 3e-1, f"{STUDY}: 0.1 at first; higher ones often diverge"),
            optimization.schedule(*schedules, source=f"{STUDY}: versions 3 and 4"),
            CategoricalParameter(
                name="l2", values=(5e-4, 1e-4), source=f"{STUDY}: 0.0005 instead of 0.0001, to train longer"
            ),
        ),
        published=tuple({"learning_rate": 0.1, "schedule": schedule, "l2": 5e-4} for schedule in schedules),
    )
