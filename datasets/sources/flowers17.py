"""Flowers 17 (Nilsback and Zisserman, 2006): 80 photographs of each of 17 flowers common in Britain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from datasets.dataset import Counts, DataError, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.readers.tar_archive import unpacked
from datasets.readers.zip_archive import members
from errors import arg

ADDRESS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz"  # 58 MB
MD5 = "b59a65d8d1a99cd66944d474e1289eab"  # of that archive, as others that load it have it; its authors name none
PER_CLASS = 80  # jpg/image_0001.jpg to image_0080.jpg are daffodils, and so on
FLAT = re.compile(r"image_(?P<number>\d{4})\.jpg")
# In the order of the files, as the authors' page shows them.
# fmt: off
CLASSES = (
    "daffodil", "snowdrop", "lily valley", "bluebell", "crocus", "iris", "tigerlily", "tulip", "fritillary",
    "sunflower", "daisy", "colts foot", "dandelion", "cowslip", "buttercup", "windflower", "pansy",
)
# fmt: on
COUNTS = Counts(train=51, val=9, test=20)
REMEDY = f"name the archive from {ADDRESS}, its folder, or a folder with a sub-folder for each flower, with {arg.data}"


@dataclass(frozen=True, kw_only=True)
class Flowers17:
    """17 flowers, in the order of the authors' files.

    counts: images per class in each split; on a smaller copy all classes shrink in proportion, with a notice. The
        deep-learning report trains on 1,020 images and takes the other 340 for validation and for the test; here 153 of
        the 1,020 are for validation, so that what is chosen is not tested on what it was chosen by.
    max_side: 4 : 3 photographs then have 288 pixels on their shorter side; the deep-learning report looks at 64 and
    224.
    """

    name: str = "flowers17"
    title: str = "Flowers 17"
    classes: tuple[str, ...] = CLASSES
    counts: Counts = COUNTS
    max_side: int = 384

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: 17flowers.tgz, its http(s) address, its folder or the one above it, or a folder with one sub-folder
                for each flower ("LilyValley" equals "lily_valley"). None downloads the authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        source = fetched(origin, ADDRESS, data_dir, progress, MD5)
        with unpacked(source, data_dir / "scratch" / self.name, _wanted, progress) as folder:
            yield self._in_folder(folder, source)

    def _in_folder(self, folder: Path, source: Path) -> list[SourceImage]:
        label_of = {_letters(name): label for label, name in enumerate(self.classes)}
        images: list[SourceImage] = []
        for path, read in members(folder).items():
            parts = PurePosixPath(path).parts
            label = label_of.get(_letters(parts[-2])) if len(parts) > 1 else None
            if label is None and (match := FLAT.fullmatch(parts[-1])):
                label = (int(match["number"]) - 1) // PER_CLASS
            elif not parts[-1].lower().endswith((".jpg", ".jpeg", ".png")):
                label = None
            if label is not None and 0 <= label < len(self.classes):
                images.append(SourceImage(name=f"{self.classes[label]}/{parts[-1]}", label=label, read=read))
        present = {image.label for image in images}
        for label, name in enumerate(self.classes):
            if label not in present:
                first = label * PER_CLASS + 1
                raise DataError(
                    f"{source} has no image of {name!r}, neither image_{first:04d}.jpg to "
                    f"image_{first + PER_CLASS - 1:04d}.jpg nor a folder of that name; {REMEDY}"
                )
        return images


def _wanted(member: str) -> str | None:
    name = PurePosixPath(member).name
    return name if FLAT.fullmatch(name) else None


def _letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())
