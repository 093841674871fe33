"""Dogs vs. Cats (Asirra; Elson et al., 2007): 25,000 photographs, in both layouts in which they are public."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.dataset import Counts, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.sources.labelled_photographs import labelled_photographs
from errors import arg

# Microsoft's copy, 787 MB, 12,500 files a class. Some hold no image, such as Cat/666.jpg and Dog/11702.jpg.
ADDRESS = (
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip"
)
# The same pictures under the same numbers: PetImages/Cat/0.jpg is Kaggle's train/cat.0.jpg.
LAYOUTS = (
    re.compile(r"(?:^|/)PetImages/(?P<label>Cat|Dog)/0*(?P<file>\d+\.jpg)$"),
    re.compile(r"(?:^|/)(?P<label>Cat|Dog)/0*(?P<file>\d+\.jpg)$"),
    re.compile(r"(?:^|/)train/(?P<label>cat|dog)\.0*(?P<file>\d+\.jpg)$"),
    re.compile(r"^(?P<label>cat|dog)\.0*(?P<file>\d+\.jpg)$"),
)
REMEDY = f"name the archive from {ADDRESS}, Kaggle's train.zip, or the folder of either with {arg.data}"


@dataclass(frozen=True, kw_only=True)
class DogsVsCats:
    """Cats and dogs, in that order: a score above 0.5 says dog.

    counts: images per class in each split; on a smaller copy both shrink in proportion, with a notice.
    max_side: the reports use 224 (dogs-vs-cats) and 227 pixels (deep-learning).
    """

    name: str = "dogs_vs_cats"
    title: str = "Dogs vs. Cats"
    classes: tuple[str, ...] = ("cat", "dog")
    counts: Counts
    max_side: int = 256

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: A zip archive, its http(s) address, or a folder above or with the images, in either layout. None
                downloads the authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        source = fetched(origin, ADDRESS, data_dir, progress)
        yield labelled_photographs(source, self.classes, LAYOUTS, f"in either layout; {REMEDY}")
