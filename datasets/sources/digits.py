"""The 1,797 handwritten digits that scikit-learn brings along: real images without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.dataset import DataError, Progress, Shares, SourceImage
from datasets.readers.array_image import array_images
from errors import arg

BRIGHTEST = 16  # ink in each field of 4 x 4 pixels of the scan, 0 to 16
SHARES = Shares(train=60, val=20, test=20)


@dataclass(frozen=True, kw_only=True)
class Digits:
    """The test set of the UCI digits (Alpaydin and Kaynak, 1998): 8 x 8 grey pixels, about 180 images a class."""

    name: str = "digits"
    title: str = "scikit-learn's handwritten digits"
    classes: tuple[str, ...] = tuple("0123456789")
    counts: Shares = SHARES
    max_side: int = 8

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: Must be None: the digits come with scikit-learn.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: An origin is given.
        """
        del data_dir, progress
        if origin is not None:
            raise DataError(f"{self.title} come with scikit-learn, but {arg.data} is {origin!r}; leave it out")
        from sklearn.datasets import load_digits

        found = load_digits()
        pixels = np.rint(found.images * (255 / BRIGHTEST)).astype(np.uint8)
        yield array_images(pixels, found.target, digits=4)
