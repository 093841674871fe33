"""Batches of images as a model eats them: cropped or augmented, shuffled or in order, never waiting without need."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import DataError, Split
from datasets.parallel import ordered, usable_cores
from datasets.store import ImageStore
from datasets.view import View

PREFETCHED_BATCHES = 2  # one that the model takes next, one in the making


class Images:
    """One split of a store as one view sees it. Picklable: it holds the store's path, never pixels."""

    def __init__(self, store: ImageStore, split: Split, view: View, opened_by: str = "") -> None:
        """
        opened_by: why the test split is opened; required for it, so that it is never opened by accident. The caller
            enters the reason in the study's ledger.
        Raises DataError: the test split without a reason, a split without images, an image size below 1.
        """
        if split == "test" and not opened_by.strip():
            raise DataError("opened_by is empty, but the test split opens only with a reason; pass opened_by=REASON")
        if view.image_size < 1:
            raise DataError(f"image_size is {view.image_size}, but must be at least 1; set it with --image-size N")
        self.store = store
        self.split: Split = split
        self.view = view
        self.opened_by = opened_by
        self.indices = store.indices(split)  # positions in the store, int64 [N]
        if len(self.indices) == 0:
            raise DataError(f"the {split} split of {store.path} holds no image; prepare the data set again")
        self.labels: NDArray[np.int64] = store.labels[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def num_classes(self) -> int:
        return len(self.store.classes)

    @property
    def augmented(self) -> bool:
        """Whether training batches differ from epoch to epoch in more than their order."""
        return self.view.augmentation == "live"

    def batches(self, batch_size: int) -> Iterator[NDArray[np.uint8]]:
        """Every image once, in order, centre-cropped: uint8 [B, S, S, 3]; the last batch holds what is left."""
        _check_positive("batch_size", batch_size)
        for start in range(0, len(self), batch_size):
            yield np.stack([self._cropped(index) for index in self.indices[start : start + batch_size].tolist()])

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int = 0
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Images [B, S, S, 3] and labels [B] in an order, and in variants, that (seed, epoch) determine.

        Every batch has `batch_size` images: what is left over is dropped, since a second shape would trace a second
        graph (another left-over in every epoch). With fewer images than that there is one batch of all.
        threads: how many augment (0: one for each core this process may use); the pixels do not depend on it.
        Dropping or closing the iterator ends its threads.
        """
        _check_positive("batch_size", batch_size)
        batch_size = min(batch_size, len(self))
        order = np.random.default_rng((seed, epoch)).permutation(len(self))
        order = order[: len(self) // batch_size * batch_size]
        positions = self.indices[order].tolist()
        labels = self.labels[order]
        with closing(self._prepared(positions, batch_size, seed, epoch, threads)) as images:
            for start in range(0, len(positions), batch_size):
                batch = np.empty((batch_size, self.view.image_size, self.view.image_size, 3), np.uint8)
                for position in range(batch_size):
                    batch[position] = next(images)
                yield batch, labels[start : start + batch_size]

    def _prepared(
        self, positions: list[int], batch_size: int, seed: int, epoch: int, threads: int
    ) -> Generator[NDArray[np.uint8]]:
        if not self.augmented:
            yield from map(self._cropped, positions)  # a copy of 150 KB: handing it to a thread would cost more
            return
        from datasets.augmentation import Augmenter

        augmenter = Augmenter(self.view.recipe, self.view.image_size)

        def augment(index: int) -> NDArray[np.uint8]:
            return augmenter(self.store.image(index), seed=seed, epoch=epoch, index=index)

        yield from ordered(augment, positions, threads=threads or usable_cores(), ahead=PREFETCHED_BATCHES * batch_size)

    def _cropped(self, index: int) -> NDArray[np.uint8]:
        return centre_crop(self.store.image(index), self.view.image_size)


def centre_crop(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle [side, side, 3] of an image [H, W, 3], never resized; zeros around it where the image is smaller.

    Where the margin is odd, the smaller half lies above and to the left.
    """
    height, width = image.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    middle = image[top : top + side, left : left + side]
    if middle.shape[0] == side and middle.shape[1] == side:
        return middle
    padded = np.zeros((side, side, 3), np.uint8)
    above, before = (side - middle.shape[0]) // 2, (side - middle.shape[1]) // 2
    padded[above : above + middle.shape[0], before : before + middle.shape[1]] = middle
    return padded


def _check_positive(name: str, value: int) -> None:
    if value < 1:
        raise DataError(f"{name} is {value}, but must be at least 1")
