"""Workloads for every system: the same configurations, data, epochs, seeds and initial weights.

Nothing of the application and no framework is imported here, so that a peer pays for its own imports only.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

CLASSES = 10
SLOTS = 2  # cores, and so trials side by side where a system runs several
VALIDATION_BATCH = 32  # as in this project, for everyone
FRACTIONS = (0.6, 0.7, 0.8, 0.9, 1.0)
MOMENTUM = 0.9  # of SGD, everywhere

# Layers of keras.applications' models with include_top=False, weights=None, on keras 3.15.1.
LAYERS = {"NASNetMobile": 769, "EfficientNetB0": 237, "EfficientNetLite0": 151}


def frozen_layers(backbone: str, fraction: float) -> int:
    """Return how many first layers of the backbone a peer freezes; this project may move the cut.

    Args:
        backbone: Name of the backbone.
        fraction: Share of its layers, 0 to 1.
    """
    return int(LAYERS[backbone] * fraction)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One trial. What a workload does not have is None."""

    index: int
    seed: int  # its own for each trial, so that no system can profit from trials that repeat each other
    optimizer: str
    learning_rate: float
    dropout: float
    frozen_fraction: float | None = None
    conv_blocks: int | None = None
    filter_width: float | None = None

    def values(self) -> dict[str, Any]:
        """Without what this workload does not have."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One kind of study. Counts of images are those of all classes together."""

    name: str
    title: str
    quick: bool = False
    model: Literal["fine_tuned", "residual"]
    backbone: str | None = None
    image_size: int
    train: int
    val: int
    batch_size: int
    epochs: int
    augmentation: Literal["none", "live"] = "none"
    rounds: int = 3
    peer_trials: int  # in each round
    podium_trials: int
    peer_check: int | None = None  # once, after the rounds: what the cost of a trial is measured by
    podium_checks: tuple[int, ...] = ()  # once each; for a peer these are carried forward from its cost of a trial

    @property
    def key(self) -> str:
        """Names it on a command line and in a file."""
        return f"{self.name}-quick" if self.quick else self.name

    def configurations(self, count: int) -> list[Configuration]:
        """Return the first `count` configurations of an endless list; a longer list begins with every shorter one."""
        values = itertools.islice(_LISTS[self.name](), count)
        return [Configuration(index=index, seed=index, **each) for index, each in enumerate(values)]


def _balanced(random_: random.Random, values: list[Any]) -> Iterator[Any]:
    """All of them in one order, then in another, for ever: each stretch of the list costs about the same."""
    while True:
        block = values[:]
        random_.shuffle(block)
        yield from block


def _log_uniform(random_: random.Random, low: float, high: float) -> float:
    return float(f"{low * (high / low) ** random_.random():.3g}")


def _frozen_prefixes() -> Iterator[dict[str, Any]]:
    # Of the first 200 such seeds, one whose trials 1 to 4 and 5 to 12 both freeze 80 % on average, half of them with
    # each optimizer: the cost of a trial is taken from the difference of 4 and 12 trials.
    random_ = random.Random("W1/78")
    for frozen_fraction, optimizer in _pairs(random_):
        rate = _log_uniform(random_, 1e-5, 1e-3)
        yield {"optimizer": optimizer, "learning_rate": rate, "dropout": 0.2, "frozen_fraction": frozen_fraction}


def _pairs(random_: random.Random) -> Iterator[tuple[float, str]]:
    """Every fraction with one optimizer, then every fraction with the other: ten trials hold each pair once."""
    optimizers = ("adam", "sgd")
    fractions = _balanced(random_, list(FRACTIONS))
    while True:
        first = {next(fractions): optimizers[place % 2] for place in range(len(FRACTIONS))}
        yield from first.items()
        for _ in FRACTIONS:
            fraction = next(fractions)
            yield fraction, optimizers[1 - optimizers.index(first[fraction])]


def _from_scratch() -> Iterator[dict[str, Any]]:
    random_ = random.Random("W2")
    names = ("conv_blocks", "filter_width", "optimizer", "dropout")
    for structure in _balanced(random_, list(itertools.product((2, 3), (0.5, 1.0), ("adam", "sgd"), (0.0, 0.2)))):
        rate = _log_uniform(random_, 1e-4, 1e-2)
        yield {**dict(zip(names, structure, strict=True)), "learning_rate": rate}


def _one_structure() -> Iterator[dict[str, Any]]:
    random_ = random.Random("W3")
    while True:
        rate = _log_uniform(random_, 1e-5, 1e-3)
        yield {"optimizer": "adam", "learning_rate": rate, "dropout": 0.2, "frozen_fraction": 0.0}


_LISTS = {"W1": _frozen_prefixes, "W2": _from_scratch, "W3": _one_structure}

WORKLOADS = (
    Workload(
        name="W1",
        title="NASNetMobile, 60 to 100 % of it frozen, 96 px, no augmentation",
        model="fine_tuned",
        backbone="NASNetMobile",
        image_size=96,
        train=240,
        val=60,
        batch_size=16,
        epochs=2,
        peer_trials=4,
        podium_trials=12,
        peer_check=12,
        podium_checks=(48, 96),
    ),
    Workload(
        name="W2",
        title="residual networks from scratch, eight structures, 32 px, no augmentation",
        model="residual",
        image_size=32,
        train=400,
        val=100,
        batch_size=32,
        epochs=3,
        peer_trials=24,
        podium_trials=24,
    ),
    Workload(
        name="W3",
        title="the worst case for this project: EfficientNetB0, nothing frozen, live augmentation, 96 px",
        model="fine_tuned",
        backbone="EfficientNetB0",
        image_size=96,
        train=240,
        val=60,
        batch_size=16,
        epochs=2,
        augmentation="live",
        peer_trials=4,
        podium_trials=4,
    ),
)


def _quickened(workload: Workload) -> Workload:
    """Every path of the full size in a minute or two a system: to see that it runs, not to compare."""
    quick = replace(workload, quick=True, image_size=32, train=40, val=20, batch_size=8, rounds=1)
    quick = replace(quick, peer_trials=2, podium_trials=3 if workload.peer_check else 2)
    if workload.peer_check:
        quick = replace(quick, peer_check=3, podium_checks=(4,))
    return replace(quick, backbone="EfficientNetLite0") if workload.backbone == "NASNetMobile" else quick


def find(key: str) -> Workload:
    """Return the workload of that key.

    Raises:
        ValueError: There is none; the message names the known ones.
    """
    known = {workload.key: workload for workload in (*WORKLOADS, *map(_quickened, WORKLOADS))}
    if key not in known:
        raise ValueError(f"unknown workload {key!r}; there are {', '.join(known)}")
    return known[key]
