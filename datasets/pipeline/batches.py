"""Batches of images as a model eats them: cropped or augmented, shuffled or in order, never waiting without need."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import DataError, Split, Target
from datasets.images.resize import resize_to_square, ten_crops
from datasets.images.thread_map import ordered
from datasets.input_config import CROPS, InputConfig, keeps_boxes
from datasets.store.image_store import ImageStore
from errors import arg
from machine import usable_cores

PREFETCHED_BATCHES = 2  # one that the model takes next, one in the making
VIEWS_SEED = 0  # fixed views belong to the data, not to a trial: every trial of every seed shares them
CHECKS_SEED = 0  # so do the validation images that an epoch is measured on


class SplitBatches:
    """One split of a store as one view sees it. Picklable: it holds the store's path, never pixels."""

    def __init__(
        self, store: ImageStore, split: Split, view: InputConfig, opened_by: str = "", target: Target = "class"
    ) -> None:
        """Check the input configuration and select the split.

        Args:
            store: The images.
            split: "train", "val" or "test".
            view: Size, fit and augmentation.
            opened_by: Reason for opening the test split, which the caller records; required for it.
            target: Content of `targets`.

        Raises:
            DataError: The test split has no reason, a split no images, an image size is below 1, or boxes are asked for
                where the store has none or the view would move them.
        """
        if split == "test" and not opened_by.strip():
            raise DataError("opened_by is empty, but the test split opens only with a reason; pass opened_by=REASON")
        if view.image_size < 1:
            raise DataError(f"image_size is {view.image_size}, but must be at least 1; set it with {arg.image_size}")
        self.store = store
        self.split: Split = split
        # Only training images come in variants, whatever an arm's view says of them.
        self.view = view if split == "train" else replace(view, augmentation="none", views=1)
        self.opened_by = opened_by
        self.indices = store.indices(split)  # positions in the store, int64 [N]
        if len(self.indices) == 0:
            raise DataError(f"the {split} split of {store.path} holds no image; prepare the data set again")
        self.labels: NDArray[np.int64] = store.labels[self.indices]
        # What a model is to say of each image: its label int64 [N], or its box float32 [N, 4], see ImageStore.boxes.
        self.targets: NDArray[Any] = self.labels if target == "class" else _boxes(store, view)[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def num_classes(self) -> int:
        return len(self.store.classes)

    def batches(self, batch_size: int, positions: NDArray[np.int64] | None = None) -> Iterator[NDArray[np.uint8]]:
        """Yield images without augmentation; the last batch may be smaller.

        Args:
            batch_size: Images a batch.
            positions: Positions within the split, int64 [N]; None means all in order.

        Returns:
            uint8 [B, S, S, 3].
        """
        yield from _stacked(self._fitted, self.indices if positions is None else self.indices[positions], batch_size)

    def crop_batches(self, batch_size: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the ten crops of every image in order, without augmentation; the last batch may be smaller.

        A prediction is then the mean of ten probabilities (Krizhevsky et al., 2012, section 4.1).

        Args:
            batch_size: Images a batch, of ten crops each.

        Returns:
            uint8 [B, 10, S, S, 3]; see datasets.images.resize.ten_crops.

        Raises:
            DataError: The input configuration has no crops.
        """
        if self.view.crops != CROPS:
            raise DataError(f"crops is {self.view.crops}, but ten crops are of a view with crops={CROPS}; set it")
        side, fit = self.view.image_size, self.view.fit
        yield from _stacked(lambda index: ten_crops(self.store.image(index), side, fit), self.indices, batch_size)

    def validation_subset(self, epoch: int) -> NDArray[np.int64]:
        """Return positions of the images that validate an epoch (from 0); see InputConfig.check_images.

        Returns:
            int64 [N].
        """
        count = self.view.check_images
        if count is None or count >= len(self):
            return np.arange(len(self))
        mixed = np.random.default_rng(CHECKS_SEED).permutation(len(self))  # in order, one look would see one class
        return mixed[np.arange(epoch * count, (epoch + 1) * count) % len(self)]

    def view_batches(self, batch_size: int, threads: int = 0) -> Iterator[NDArray[np.uint8]]:
        """Yield every image of the first view, then every image of the second, and so on.

        With the augmentation "views" these variants do not depend on a trial's seed; otherwise there is one view, the
        images as `batches` yields them.

        Args:
            batch_size: Images a batch.
            threads: Threads that augment; 0 means one for each core.

        Returns:
            uint8 [B, S, S, 3].
        """
        if self.view.augmentation != "views":
            yield from self.batches(batch_size)
            return
        work = [(view, index) for view in range(self.view.views) for index in self.indices.tolist()]
        with closing(self._augmented(work, seed=VIEWS_SEED, batch_size=batch_size, threads=threads)) as images:
            for start in range(0, len(work), batch_size):
                yield np.stack([next(images) for _ in work[start : start + batch_size]])

    def batch_indices(self, batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return positions within the split (0 to len - 1) in the order of (seed, epoch).

        Every batch has `batch_size` images: a remainder is dropped, since a second shape would trace a second graph
        (another remainder in every epoch). With fewer images than that there is one batch of all.

        Args:
            batch_size: Images a batch.
            seed: The trial's seed.
            epoch: From 0.

        Returns:
            int64 [steps, B].
        """
        _check_batch_size(batch_size)
        batch_size = min(batch_size, len(self))
        steps = self.steps(batch_size)
        if self.view.epoch_images is None:
            order = np.random.default_rng((seed, epoch)).permutation(len(self))
            return order[: steps * batch_size].reshape(steps, batch_size)
        start = epoch * steps * batch_size
        passes = range(start // len(self), (start + steps * batch_size - 1) // len(self) + 1)
        order = np.concatenate([np.random.default_rng((seed, number)).permutation(len(self)) for number in passes])
        start -= passes[0] * len(self)
        return order[start : start + steps * batch_size].reshape(steps, batch_size)

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return max(1, (self.view.epoch_images or len(self)) // min(batch_size, len(self)))

    def variant_indices(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return the view of each image in an epoch: all equally often over the epochs, in mixed order.

        Args:
            seed: The trial's seed.
            epoch: From 0.

        Returns:
            int64 [N].
        """
        first = np.random.default_rng((seed, len(self))).integers(self.view.views, size=len(self))
        return (first + epoch) % self.view.views

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int = 0
    ) -> Generator[tuple[NDArray[np.uint8], NDArray[Any]]]:
        """Yield images and targets in the order and variants that (seed, epoch) determine.

        Dropping or closing the iterator ends its threads.

        Args:
            batch_size: Images a batch.
            seed: The trial's seed.
            epoch: From 0.
            threads: Threads that augment, 0 for one a core; pixels do not depend on it.

        Returns:
            uint8 [B, S, S, 3] and targets [B, ...].
        """
        order = self.batch_indices(batch_size, seed, epoch)
        flat = order.reshape(-1)
        with closing(self._prepared(flat, order.shape[1], seed, epoch, threads)) as images:
            for positions in order:
                batch = np.empty((len(positions), self.view.image_size, self.view.image_size, 3), np.uint8)
                for number in range(len(positions)):
                    batch[number] = next(images)
                yield batch, self.targets[positions]

    def _prepared(
        self, positions: NDArray[np.int64], batch_size: int, seed: int, epoch: int, threads: int
    ) -> Generator[NDArray[np.uint8]]:
        indices = self.indices[positions].tolist()
        if self.view.augmentation == "none" and self.view.fit == "center_crop":
            yield from map(self._fitted, indices)  # a copy of 150 KB: handing it to a thread would cost more
        elif self.view.augmentation == "none":
            ahead = PREFETCHED_BATCHES * batch_size
            yield from ordered(self._fitted, indices, threads=threads or usable_cores(), ahead=ahead)
        elif self.view.augmentation == "views":
            work = list(zip(self.variant_indices(seed, epoch)[positions].tolist(), indices, strict=True))
            yield from self._augmented(work, seed=VIEWS_SEED, batch_size=batch_size, threads=threads)
        else:
            work = [(epoch, index) for index in indices]
            yield from self._augmented(work, seed=seed, batch_size=batch_size, threads=threads)

    def _augmented(
        self, work: list[tuple[int, int]], *, seed: int, batch_size: int, threads: int
    ) -> Generator[NDArray[np.uint8]]:
        """Yield a variant for each pair of variant number and image."""
        from datasets.pipeline.augmentation import Augmenter

        augmenter = Augmenter(self.view.recipe, self.view.image_size)

        def augment(item: tuple[int, int]) -> NDArray[np.uint8]:
            variant, index = item
            return augmenter(self.store.image(index), seed=seed, epoch=variant, index=index)

        yield from ordered(augment, work, threads=threads or usable_cores(), ahead=PREFETCHED_BATCHES * batch_size)

    def _fitted(self, index: int) -> NDArray[np.uint8]:
        return resize_to_square(self.store.image(index), self.view.image_size, self.view.fit)


def _boxes(store: ImageStore, view: InputConfig) -> NDArray[np.float32]:
    if store.boxes is None:
        raise DataError(f"{store.title} has no boxes, only classes; ask a task with the target class of it")
    if not keeps_boxes(view):
        raise DataError(
            f"a view with fit {view.fit!r}, augmentation {view.augmentation!r} and crops {view.crops} would move what "
            "boxes surround; use fit 'stretch', augmentation 'none' and crops 1"
        )
    return store.boxes


def _stacked(
    make: Callable[[int], NDArray[np.uint8]], indices: NDArray[np.int64], batch_size: int
) -> Iterator[NDArray[np.uint8]]:
    _check_batch_size(batch_size)
    for start in range(0, len(indices), batch_size):
        yield np.stack([make(index) for index in indices[start : start + batch_size].tolist()])


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise DataError(f"batch_size is {batch_size}, but must be at least 1")
