"""The deep-learning report's networks on CIFAR-10: what it varied by hand, mostly how the learning rate falls."""

from __future__ import annotations

from search_spaces import optimization, preact_resnet
from search_spaces.parameters import Config, fixed
from search_spaces.space import Space

MINIVGG, GOOGLE = "deep-learning report, 2020-11-12-MiniVGGNet", "deep-learning report, 2020-12-06-minigooglenet"
# Variants a, b and c: the decay of Keras's SGD, a quarter every 5 epochs, none.
_VARIANTS: tuple[Config, ...] = tuple(
    {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True, "schedule": schedule}
    for schedule in ("inverse_time_decay", "step_decay_0.25", "constant")
)


def minivggnet(*, batch_norm: bool = True, published: tuple[Config, ...] = _VARIANTS) -> Space:
    """Return the space of MiniVGGNet.

    Args:
        batch_norm: Whether the network has batch normalization.
        published: Published settings; by default the report's variants a, b, c.
    """
    return Space(
        parameters=(
            *fixed(optimizer="sgd", batch_size=64, batch_norm=batch_norm),
            optimization.learning_rate(1e-3, 1e-1, f"{MINIVGG}: 0.01; a power of ten to either side"),
            optimization.momentum(f"{MINIVGG}: 0.9"),
            optimization.nesterov(f"{MINIVGG}: with Nesterov's acceleration; without is ours to ask"),
            optimization.schedule(
                *("inverse_time_decay", "step_decay_0.25", "step_decay_0.5", "constant"),
                source=f"{MINIVGG}: variants a (decay 0.01 / 40), b (a quarter, or half, every 5 epochs) and c",
            ),
        ),
        published=published,
    )


MINIVGGNET = minivggnet()
PLAIN_MINIVGGNET = minivggnet(batch_norm=False, published=_VARIANTS[:1])  # variant a alone: it names no other without
ENSEMBLE_MEMBER = minivggnet(published=_VARIANTS[:1])

MINIGOOGLENET = Space(
    parameters=(
        *fixed(optimizer="sgd", momentum=0.9, batch_size=64),
        optimization.learning_rate(1e-3, 1e-1, f"{GOOGLE}: 0.005 and 0.01 in three experiments"),
        optimization.schedule(
            "polynomial_decay_2", "polynomial_decay_1", source=f"{GOOGLE}: decay of degree 2, then linear, to epoch 70"
        ),
    ),
    published=(
        {"learning_rate": 5e-3, "schedule": "polynomial_decay_2"},
        {"learning_rate": 1e-2, "schedule": "polynomial_decay_2"},
        {"learning_rate": 1e-2, "schedule": "polynomial_decay_1"},
    ),
)
EXPERIMENTS = tuple(map(MINIGOOGLENET.as_single, MINIGOOGLENET.published))


# Version 3 was stopped by hand and lowered to a tenth after epoch 70, as its log has it (75, its text), and 90.
RESNET = preact_resnet.space(
    "piecewise_constant", "piecewise_linear", stages="9-9-9", filters="64-64-128-256", stem="cifar", batch_size=128
)
VERSIONS = tuple(map(RESNET.as_single, RESNET.published))
