"""The images of a store compared with each other: the same picture in two splits, or in two classes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import SPLITS, Progress, SourceImage, Split
from datasets.images.decode import Size
from datasets.store.near_duplicates import SIDE, SMALLEST, equal_pairs, find_across_splits

Names = list[tuple[str, str]]


class ImageComparison:
    """Collects what images look like, 1 KB an image, so that none is read again."""

    def __init__(self, most_images: int) -> None:
        self._hashes = np.empty(most_images, np.uint64)
        self._thumbnails = np.empty((most_images, SIDE * SIDE), np.uint8)
        self._images: list[tuple[SourceImage, Split]] = []
        self._contents: list[Hashable] = []  # size and digest of each image's pixels
        self._large: list[int] = []  # positions of images that hashes can tell apart

    def append(
        self, image: SourceImage, split: Split, size: Size, digest: bytes, look: tuple[np.uint64, NDArray[np.uint8]]
    ) -> None:
        """Add an image.

        Args:
            image: The image.
            split: Its split.
            size: Its stored size.
            digest: Digest of its pixels.
            look: Its difference hash and its thumbnail, see datasets.store.near_duplicates.
        """
        if min(size.height, size.width) >= SMALLEST:
            self._hashes[len(self._large)], self._thumbnails[len(self._large)] = look
            self._large.append(len(self._images))
        self._images.append((image, split))
        self._contents.append((size, digest))

    def across_splits(self, progress: Progress) -> tuple[Names, bool]:
        """Return names of images in two splits that look the same (small ones: are equal), and whether these are all.

        Args:
            progress: Reports progress.
        """
        count = len(self._large)
        splits = np.array([SPLITS.index(self._images[place][1]) for place in self._large], np.uint8)
        found = find_across_splits(self._hashes[:count], self._thumbnails[:count], splits, progress=progress)
        names = [self._names(self._large[one], self._large[other]) for one, other in found.pairs]
        small = sorted(set(range(len(self._images))).difference(self._large))
        return names + self._equal([split for _, split in self._images], small), found.all_compared

    def in_two_classes(self) -> Names:
        """Return names of equal images in two classes."""
        return self._equal([image.label for image, _ in self._images], range(len(self._images)))

    def _equal(self, kinds: Sequence[Hashable], places: Iterable[int]) -> Names:
        chosen = list(places)
        pairs = equal_pairs([self._contents[place] for place in chosen], [kinds[place] for place in chosen])
        return [self._names(chosen[one], chosen[other]) for one, other in pairs]

    def _names(self, one: int, other: int) -> tuple[str, str]:
        return self._images[one][0].name, self._images[other][0].name
