"""Cats, dogs and pandas, 1,000 photographs each, as they lie on Kaggle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.dataset import Counts, DataError, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.sources.labelled_photographs import labelled_photographs
from errors import arg

PAGE = "kaggle.com/datasets/ashishsaxena2209/animal-image-datasetdog-cat-and-panda"  # asks for an account
# animals/cats/cats_00001.jpg, animals/panda/panda_00001.jpg; some copies have the folders in the singular.
FILE = re.compile(r"(?:^|/)(?P<label>cat|dog|panda)s?/(?P<file>[^/]+\.jpe?g)$", re.IGNORECASE)
REMEDY = f"name the zip archive from {PAGE}, or the folder with cats, dogs and panda, with {arg.data}"
COUNTS = Counts(train=650, val=100, test=250)


@dataclass(frozen=True, kw_only=True)
class Animals:
    """Three classes of 1,000 photographs.

    counts: images per class in each split; on a smaller copy all classes shrink in proportion, with a notice. The
        deep-learning report trains on 75 % and takes the other 25 % for validation and for the test; here 10 of the 75
        are for validation.
    """

    name: str = "animals"
    title: str = "Animals"
    classes: tuple[str, ...] = ("cat", "dog", "panda")
    counts: Counts = COUNTS
    max_side: int = 256

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: Kaggle's zip archive, its http(s) address, or a folder above the classes' folders; required, since
                Kaggle asks for an account.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        if origin is None:
            raise DataError(f"{self.title} cannot be downloaded without an account; {REMEDY}")
        source = fetched(origin, "", data_dir, progress)
        yield labelled_photographs(source, self.classes, [FILE], f"in a folder of that name; {REMEDY}")
