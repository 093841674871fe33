"""Images small enough to learn in a blink, with the interface of datasets.pipeline.Images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from datasets.view import View
from trainables.learner import Assignment


class Store:
    """Just the statistics a learner reads."""

    channel_mean = (120.0, 110.0, 100.0)
    channel_std = (60.0, 61.0, 62.0)


class SmallImages:
    """Noise with one bright quarter for each of up to four classes: easy, but not by one pixel."""

    def __init__(self, count: int = 40, side: int = 16, classes: int = 3, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.store = Store()
        self.num_classes = classes
        self.labels = np.arange(count, dtype=np.int64) % classes
        self._images = random.integers(0, 160, (count, side, side, 3), dtype=np.uint8)
        half = side // 2
        for image, label in zip(self._images, self.labels, strict=True):
            top, left = divmod(int(label), 2)
            image[top * half : (top + 1) * half, left * half : (left + 1) * half] += 60

    def __len__(self) -> int:
        return len(self.labels)

    def training_batches(
        self, batch_size: int, seed: int, epoch: int, threads: int = 0
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        batch_size = min(batch_size, len(self))
        order = np.random.default_rng((seed, epoch)).permutation(len(self))
        for start in range(0, len(self) - batch_size + 1, batch_size):
            chosen = order[start : start + batch_size]
            yield self._images[chosen], self.labels[chosen]

    def batches(self, batch_size: int) -> Iterator[np.ndarray]:
        for start in range(0, len(self), batch_size):
            yield self._images[start : start + batch_size]


def assign(model: str, config: dict[str, Any], *, seed: int = 1, side: int = 16, classes: int = 3) -> Assignment:
    """An assignment with everything that a test does not care about filled in."""
    return Assignment(
        model=model, config=config, seed=seed, max_epochs=5, num_classes=classes, view=View(image_size=side)
    )
