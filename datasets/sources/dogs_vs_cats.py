"""Dogs vs. Cats (Asirra; Elson et al., 2007): 25,000 photographs, in both layouts in which they are public."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.dataset import Counts, DataError, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.readers.zip_archive import Read, members, without_copies
from errors import arg

# Microsoft's copy, 787 MB, 12,500 files a class. Some hold no image, such as Cat/666.jpg and Dog/11702.jpg.
ADDRESS = (
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip"
)
# The same pictures under the same numbers: PetImages/Cat/0.jpg is Kaggle's train/cat.0.jpg.
LAYOUTS = (
    re.compile(r"(?:^|/)PetImages/(?P<label>Cat|Dog)/(?P<number>\d+)\.jpg$"),
    re.compile(r"(?:^|/)(?P<label>Cat|Dog)/(?P<number>\d+)\.jpg$"),
    re.compile(r"(?:^|/)train/(?P<label>cat|dog)\.(?P<number>\d+)\.jpg$"),
    re.compile(r"^(?P<label>cat|dog)\.(?P<number>\d+)\.jpg$"),
)
REMEDY = f"name the archive from {ADDRESS}, Kaggle's train.zip, or the folder of either with {arg.data}"


@dataclass(frozen=True, kw_only=True)
class DogsVsCats:
    """Cats and dogs, in that order: a score above 0.5 says dog.

    counts: images per class in each split; on a smaller copy both shrink in proportion, with a notice.
    max_side: documents use 224 and 227 pixels.
    """

    name: str = "dogs_vs_cats"
    title: str = "Dogs vs. Cats"
    classes: tuple[str, ...] = ("cat", "dog")
    counts: Counts
    max_side: int = 256

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """See datasets.dataset.Dataset.

        origin: a zip archive or a http(s) address of it, or a folder above or with the images, in either layout.
        """
        source = fetched(origin, ADDRESS, data_dir, progress)
        found = self._found(members(source))
        missing = [name for name in self.classes if not any(label == name for (label, _), _ in found)]
        if missing:
            raise DataError(f"{source} has no image of a {missing[0]} in either layout; {REMEDY}")
        yield [
            SourceImage(name=f"{label}/{number}.jpg", label=self.classes.index(label), read=read)
            for (label, number), read in found
        ]

    def _found(self, files: Mapping[str, Read]) -> list[tuple[tuple[str, int], Read]]:
        """Class, number and content, all in the first layout that has any."""
        for layout in LAYOUTS:
            matches = [(layout.search(name), read) for name, read in files.items()]
            found = [((match["label"].lower(), int(match["number"])), read) for match, read in matches if match]
            if found:
                return without_copies(found)
        return []
