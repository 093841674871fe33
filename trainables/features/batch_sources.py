"""What goes into the part of a network that learns: images, or what a frozen prefix has made of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

Inputs = list[np.ndarray]  # one array [B, ...] for each tensor that goes in


class Feed(Protocol):
    """Batches of one split for one cut."""

    holds_features: bool  # of a frozen prefix (or images augmented beforehand): else the images themselves

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int
    ) -> Generator[tuple[Inputs, np.ndarray]]:
        """Inputs and targets [B, ...], in the order and the variants that (seed, epoch) determine."""

    def steps(self, batch_size: int) -> int:
        """Training batches of an epoch."""

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        """The images that are looked at after that epoch, not augmented."""


class ImageFeed:
    """The images themselves: the whole network runs, or its prefix with it."""

    holds_features = False

    def __init__(self, images: SplitBatches) -> None:
        self._images = images

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int
    ) -> Generator[tuple[Inputs, np.ndarray]]:
        with closing(self._images.training_batches(batch_size, seed, epoch, threads)) as batches:
            for images, targets in batches:
                yield [images], targets

    def steps(self, batch_size: int) -> int:
        return self._images.steps(batch_size)

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        for images in self._images.batches(batch_size, self._images.validation_subset(epoch)):
            yield [images]


class FeatureFeed:
    """What crosses the cut for every view of every image, mapped from disk."""

    holds_features = True

    def __init__(self, images: SplitBatches, arrays: Sequence[np.ndarray]) -> None:
        """arrays: [views * N, ...] each, view by view, in the order of the split."""
        self._images, self._arrays = images, arrays

    @property
    def arrays(self) -> Sequence[np.ndarray]:
        """All there is, see `__init__`."""
        return self._arrays

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int
    ) -> Generator[tuple[Inputs, np.ndarray]]:
        rows = np.arange(len(self._images)) + self._images.variant_indices(seed, epoch) * len(self._images)
        for positions in self._images.batch_indices(batch_size, seed, epoch):
            yield [array[rows[positions]] for array in self._arrays], self._images.targets[positions]

    def steps(self, batch_size: int) -> int:
        return self._images.steps(batch_size)

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        positions = self._images.validation_subset(epoch)
        for start in range(0, len(positions), batch_size):
            yield [array[positions[start : start + batch_size]] for array in self._arrays]
