"""Space of logistic regression on features of a frozen backbone (deep-learning report)."""

from __future__ import annotations

from search_spaces import backbones
from search_spaces.parameters import FloatParameter
from search_spaces.space import Space


def of_backbone(backbone: str, grid: tuple[float, ...], source: str) -> Space:
    """Return the space of the arm that learns from this backbone's features.

    Args:
        backbone: Name of the backbone.
        grid: Values of C, the inverse strength of the L2 penalty, that the report tried; all are published settings.
        source: Section of the report.
    """
    return Space(
        parameters=(
            backbones.choice(backbone, source=source),
            backbones.named("pooling", "flatten", backbones.POOLINGS, source=f"{source}: every value of the maps"),
            FloatParameter(
                name="C", low=grid[0], high=grid[-1], log=True, source=f"{source}: a grid of powers of ten, 3 folds"
            ),
        ),
        published=tuple({"backbone": backbone, "C": inverse_penalty} for inverse_penalty in grid),
    )
