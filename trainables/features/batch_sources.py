"""Batches for the learning part of a network: images, or features of a frozen prefix."""

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
        """Yield inputs and targets in the order and variants that (seed, epoch) determine.

        Args:
            batch_size: Images a batch.
            seed: The trial's seed.
            epoch: From 0.
            threads: Threads that augment.
        """
        with closing(self.images.training_batches(batch_size, seed, epoch, threads)) as batches:
            for images, targets in batches:
                yield [images], targets

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        """Yield the validation images of an epoch, without augmentation.

        Args:
            batch_size: Images a batch.
            epoch: From 0.
        """
        for images in self.images.batches(batch_size, self.images.validation_subset(epoch)):
            yield [images]


@dataclass(frozen=True)
class FeatureFeed:
    """Source of features (or images augmented beforehand) for every view of every image, mapped from disk."""

    images: SplitBatches
    arrays: Sequence[np.ndarray]  # [views * N, ...] each, view by view, in the order of the split

    def training_batches(self, batch_size: int, seed: int, epoch: int, threads: int) -> Batches:
        """Yield inputs and targets in the order and variants that (seed, epoch) determine.

        Args:
            batch_size: Images a batch.
            seed: The trial's seed.
            epoch: From 0.
            threads: Threads that augment.
        """
        rows = np.arange(len(self.images)) + self.images.variant_indices(seed, epoch) * len(self.images)
        for positions in self.images.batch_indices(batch_size, seed, epoch):
            yield [array[rows[positions]] for array in self.arrays], self.images.targets[positions]

    def checked_batches(self, batch_size: int, epoch: int) -> Iterator[Inputs]:
        """Yield the validation images of an epoch, without augmentation.

        Args:
            batch_size: Images a batch.
            epoch: From 0.
        """
        positions = self.images.validation_subset(epoch)
        for start in range(0, len(positions), batch_size):
            yield [array[positions[start : start + batch_size]] for array in self.arrays]


Feed = ImageFeed | FeatureFeed  # batches of one split for one cut
