"""Images small enough to learn in a blink, with the interface of datasets.pipeline.batches.SplitBatches."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from datasets.input_config import InputConfig
from trainables.trial_spec import TrainingSpec


class Store:
    """Just what a learner reads of a store."""

    channel_mean = (120.0, 110.0, 100.0)
    channel_std = (60.0, 61.0, 62.0)
    title = "small images"

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint


class SmallImages:
    """Noise with one bright quarter for each of up to four classes: easy, but not by one pixel."""

    def __init__(
        self, count: int = 40, side: int = 16, classes: int = 3, seed: int = 0, split: str = "train", views: int = 1
    ) -> None:
        random = np.random.default_rng(seed)
        self.store = Store(f"{count}/{side}/{classes}/{seed}")
        self.split = split
        self.view = InputConfig(image_size=side, augmentation="none" if views == 1 else "views", views=views)
        self.num_classes = classes
        self.labels = np.arange(count, dtype=np.int64) % classes
        self.targets: np.ndarray = self.labels
        self._images = random.integers(0, 160, (count, side, side, 3), dtype=np.uint8)
        half = side // 2
        for image, label in zip(self._images, self.labels, strict=True):
            top, left = divmod(int(label), 2)
            image[top * half : (top + 1) * half, left * half : (left + 1) * half] += 60

    def __len__(self) -> int:
        return len(self.labels)

    def batch_indices(self, batch_size: int, seed: int, epoch: int) -> np.ndarray:
        batch_size = min(batch_size, len(self))
        order = np.random.default_rng((seed, epoch)).permutation(len(self))
        return order[: len(self) // batch_size * batch_size].reshape(-1, batch_size)

    def variant_indices(self, seed: int, epoch: int) -> np.ndarray:
        return np.full(len(self), (seed + epoch) % self.view.views)

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int = 0
    ) -> Generator[tuple[np.ndarray, np.ndarray]]:
        view = self.variant_indices(seed, epoch)
        for chosen in self.batch_indices(batch_size, seed, epoch):
            # A "view" is the image, a little brighter each time.
            yield self._images[chosen] + view[chosen, None, None, None].astype(np.uint8), self.targets[chosen]

    def view_batches(self, batch_size: int, threads: int = 0) -> Iterator[np.ndarray]:
        views = np.concatenate([self._images + np.uint8(view) for view in range(self.view.views)])
        for start in range(0, len(views), batch_size):
            yield views[start : start + batch_size]

    def batches(self, batch_size: int, positions: np.ndarray | None = None) -> Iterator[np.ndarray]:
        images = self._images if positions is None else self._images[positions]
        for start in range(0, len(images), batch_size):
            yield images[start : start + batch_size]

    def validation_subset(self, epoch: int) -> np.ndarray:
        return np.arange(len(self))

    def steps(self, batch_size: int) -> int:
        return max(1, len(self) // min(batch_size, len(self)))


class BoxedImages(SmallImages):
    """The same noise with one bright rectangle, and the box around it."""

    def __init__(self, count: int = 40, side: int = 16, seed: int = 0, split: str = "train") -> None:
        super().__init__(count, side, 1, seed, split)
        random = np.random.default_rng((seed, side))
        self._images = random.integers(0, 120, (count, side, side, 3), dtype=np.uint8)
        corners = np.sort(random.integers(0, side + 1, (count, 2, 2)), axis=1)  # [N, (least, most), (x, y)]
        corners[:, 1] = np.minimum(corners[:, 1] + 3, side)
        corners[:, 0] = np.minimum(corners[:, 0], side - 3)
        for image, ((left, top), (right, bottom)) in zip(self._images, corners.tolist(), strict=True):
            image[top:bottom, left:right] += 130
        self.targets = (corners.reshape(count, 4) / side).astype(np.float32)


def assign(
    model: str, config: dict[str, Any], *, seed: int = 1, side: int = 16, classes: int = 3, **fields: Any
) -> TrainingSpec:
    """An assignment with everything that a test does not care about filled in."""
    view = InputConfig(image_size=side)
    return TrainingSpec(
        model=model, config=config, seed=seed, max_epochs=5, num_classes=classes, **{"view": view, **fields}
    )
