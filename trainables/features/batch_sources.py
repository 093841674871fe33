"""What goes into the part of a network that learns: images, or what a frozen prefix has made of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datasets.pipeline.batches import SplitBatches

Inputs = list[np.ndarray]  # one array [B, ...] for each tensor that goes in
Batches = Generator[tuple[Inputs, np.ndarray], None, None]  # inputs and targets [B, ...]


@dataclass(frozen=True)
class ImageFeed:
    """The images themselves: the whole network runs, or its prefix with it."""

    images: SplitBatches

    def training_batches(self, batch_size: int, seed: int, epoch: int, threads: int) -> Batches:
        """Inputs and targets, in the order and the variants that (seed, epoch) determine."""
        with closing(self.images.training_batches(batch_size, seed, epoch, threads)) as batches:
            for images, targets in batches:
                yield [images], targets

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        """The images that are looked at after that epoch, not augmented."""
        for images in self.images.batches(batch_size, self.images.validation_subset(epoch)):
            yield [images]


@dataclass(frozen=True)
class FeatureFeed:
    """What crosses the cut (or images augmented beforehand) for every view of every image, mapped from disk."""

    images: SplitBatches
    arrays: Sequence[np.ndarray]  # [views * N, ...] each, view by view, in the order of the split

    def training_batches(self, batch_size: int, seed: int, epoch: int, threads: int) -> Batches:
        """See ImageFeed."""
        rows = np.arange(len(self.images)) + self.images.variant_indices(seed, epoch) * len(self.images)
        for positions in self.images.batch_indices(batch_size, seed, epoch):
            yield [array[rows[positions]] for array in self.arrays], self.images.targets[positions]

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        """See ImageFeed."""
        positions = self.images.validation_subset(epoch)
        for start in range(0, len(positions), batch_size):
            yield [array[positions[start : start + batch_size]] for array in self.arrays]


Feed = ImageFeed | FeatureFeed  # batches of one split for one cut
