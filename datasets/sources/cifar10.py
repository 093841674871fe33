"""CIFAR-10 (Krizhevsky, 2009) from its binary version, which nothing has to be run to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from datasets.dataset import DataError, HoldOutShares, Progress, SourceImage, Split
from datasets.readers.array_image import array_images
from datasets.readers.location import FETCH_AGAIN, fetched
from datasets.readers.tar_archive import unpacked
from errors import arg

ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"  # 162 MB
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as its author's page has it
FOLDER = "cifar-10-batches-bin"
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
NAMES = "batches.meta.txt"
REMEDY = f"name the archive from {ADDRESS} or its folder {FOLDER} with {arg.data}"
PICKLED = "batches.meta"  # of the version for Python
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE  # bytes: the label, then the planes red, green and blue, row by row
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CARVED = HoldOutShares(val=10)


@dataclass(frozen=True, kw_only=True)
class Cifar10:
    """Ten classes, 32 x 32 pixels; 50,000 images for training and 10,000 for the test.

    counts: its author made no validation split. With 10 % of training there are 45,000, 5,000 and 10,000 images, as
        He et al. (2016, section 4.2) have them.
    """

    name: str = "cifar10"
    title: str = "CIFAR-10"
    classes: tuple[str, ...] = CLASSES
    counts: HoldOutShares = CARVED
    max_side: int = SIDE

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: cifar-10-binary.tar.gz, its http(s) address, its folder or the one above it. None downloads the
                authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        source = fetched(origin, ADDRESS, data_dir, progress, MD5)
        with unpacked(source, data_dir / "scratch" / self.name, _wanted, progress) as folder:
            try:
                images = self._in_folder(folder / FOLDER if (folder / FOLDER).is_dir() else folder, source)
            except OSError as error:
                raise DataError(f"{error.filename} cannot be read ({error.strerror}); {REMEDY}") from None
            yield images

    def _in_folder(self, folder: Path, source: Path) -> list[SourceImage]:
        if (folder / PICKLED).exists() or (source / "cifar-10-batches-py").is_dir():
            raise DataError(f"{source} is the version for Python, pickles, which run whatever they hold; {REMEDY}")
        if (folder / NAMES).exists():  # the records say all but the classes' names, which are known
            names = tuple((folder / NAMES).read_text(errors="replace").split())
            if names != self.classes:
                shown = ", ".join(names)[:80]
                raise DataError(f"{NAMES} in {source} names the classes {shown}, not CIFAR-10's; {REMEDY}")
        return [image for batch in BATCHES for image in self._of_batch(folder / f"{batch}.bin", batch, source)]

    def _of_batch(self, path: Path, batch: str, source: Path) -> list[SourceImage]:
        if not path.exists():
            raise DataError(f"{source} has no {path.name}; {REMEDY}")
        content = np.fromfile(path, np.uint8)
        if not len(content) or len(content) % RECORD:
            raise DataError(
                f"{path.name} in {source} has {len(content):,} bytes, but must hold whole records of {RECORD:,} "
                f"(a label and {SIDE} x {SIDE} RGB pixels); {FETCH_AGAIN}"
            )
        records = content.reshape(-1, RECORD)
        labels = records[:, 0]
        if labels.max() >= len(self.classes):
            raise DataError(
                f"{path.name} in {source} holds the label {labels.max()}, but CIFAR-10's go from 0 to 9; {REMEDY}"
            )
        pixels = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        split: Split = "test" if batch == "test_batch" else "train"
        return array_images(pixels, labels, f"{batch}/", split=split)


def _wanted(member: str) -> str | None:
    """Return where a member goes; also of the Python version's list, by which that version is recognized."""
    name = PurePosixPath(member).name
    return name if name in (*(f"{batch}.bin" for batch in BATCHES), NAMES, PICKLED) else None
