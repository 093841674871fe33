"""Document 2's networks on CIFAR-10: what it varied by hand, mostly how the learning rate falls."""

from __future__ import annotations

from search_spaces import optimization, resnet
from search_spaces.axes import Config
from search_spaces.space import Space

MINIVGG, GOOGLE = "document 2, 2020-11-12-MiniVGGNet", "document 2, 2020-12-06-minigooglenet"
# Variants a, b and c: the decay of Keras's SGD, a quarter every 5 epochs, none.
_VARIANTS: tuple[Config, ...] = tuple(
    {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True, "schedule": schedule}
    for schedule in ("per_iteration", "step", "constant")
)


def minivggnet(*, batch_norm: bool = True, published: tuple[Config, ...] = _VARIANTS) -> Space:
    """The space of MiniVGGNet, with or without its batch normalization; by default the document's variants a, b, c."""
    return Space(
        axes=(
            optimization.learning_rate(1e-3, 1e-1, f"{MINIVGG}: 0.01; a power of ten to either side"),
            optimization.momentum(f"{MINIVGG}: 0.9"),
            optimization.nesterov(f"{MINIVGG}: with Nesterov's acceleration; without is ours to ask"),
            optimization.schedule(
                *("per_iteration", "step", "step_half", "constant"),
                source=f"{MINIVGG}: variants a (decay 0.01 / 40), b (a quarter, or half, every 5 epochs) and c",
            ),
        ),
        constants={"optimizer": "sgd", "batch_size": 64, "batch_norm": batch_norm},
        published=published,
    )


MINIVGGNET = minivggnet()
PLAIN_MINIVGGNET = minivggnet(batch_norm=False, published=_VARIANTS[:1])  # variant a alone: it names no other without
ENSEMBLE_MEMBER = minivggnet(published=_VARIANTS[:1])

MINIGOOGLENET = Space(
    axes=(
        optimization.learning_rate(1e-3, 1e-1, f"{GOOGLE}: 0.005 and 0.01 in three experiments"),
        optimization.schedule(
            "polynomial_2", "polynomial_1", source=f"{GOOGLE}: decay of degree 2, then linear, to epoch 70"
        ),
    ),
    constants={"optimizer": "sgd", "momentum": 0.9, "batch_size": 64},
    published=(
        {"learning_rate": 5e-3, "schedule": "polynomial_2"},
        {"learning_rate": 1e-2, "schedule": "polynomial_2"},
        {"learning_rate": 1e-2, "schedule": "polynomial_1"},
    ),
)
EXPERIMENTS = tuple(map(MINIGOOGLENET.only, MINIGOOGLENET.published))


# Version 3 was stopped by hand and lowered to a tenth after epoch 70, as its log has it (75, its text), and 90.
RESNET = resnet.space("tenths", "bent_linear", stages="9-9-9", filters="64-64-128-256", stem="cifar", batch_size=128)
VERSIONS = tuple(map(RESNET.only, RESNET.published))
