"""MNIST (LeCun, Bottou, Bengio and Haffner, 1998), and what comes in files of the same names: Fashion-MNIST."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import DataError, HoldOutShares, Progress, SourceImage
from datasets.readers.array_image import array_images
from datasets.readers.idx_format import IdxError, parse
from datasets.readers.location import FETCH_AGAIN, fetched
from datasets.readers.zip_archive import Read, matching, members
from errors import arg

SIDE = 28
# MNIST's authors took their own copies down; this is the mirror that torchvision loads. MD5 as torchvision has them.
ADDRESS = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}
# Some copies write a dot: train-images.idx3-ubyte.
FILE = re.compile(r"(?:^|/)(?P<part>train|t10k)-(?P<what>images|labels)[-.]idx[13]-ubyte(?:\.gz)?$")
REMEDY = f"name a folder with the four files {', '.join(f'{name}.gz' for name in FILES)} of {ADDRESS} with {arg.data}"
CARVED = HoldOutShares(val=10)
Found = Mapping[tuple[str, str], tuple[str, Read]]  # path and content by part ("train") and kind ("labels")


@dataclass(frozen=True, kw_only=True)
class Mnist:
    """Ten classes, 28 x 28 grey pixels, white on black; 60,000 images for training and 10,000 for the test.

    counts: its authors made no validation split. With 10 % of training there are 54,000, 6,000 and 10,000 images.
    """

    name: str = "mnist"
    title: str = "MNIST"
    classes: tuple[str, ...] = tuple("0123456789")
    counts: HoldOutShares = CARVED
    max_side: int = SIDE

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: A folder with the four idx files, gzipped or not, a zip archive of it, or its http(s) address. None
                downloads the authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        if origin is None:
            from datasets.readers.download import download

            source = data_dir / "downloads" / self.name
            for name, md5 in FILES.items():
                download(f"{ADDRESS}{name}.gz", source / f"{name}.gz", md5=md5, progress=progress)
        else:
            source = fetched(origin, "", data_dir, progress)
            if source.is_file() and FILE.search(source.name):
                raise DataError(f"{source} is one of four files; {REMEDY}")
        found = _found(members(source))
        yield [*self._of_part(found, "train", source), *self._of_part(found, "t10k", source)]

    def _of_part(self, found: Found, part: str, source: Path) -> list[SourceImage]:
        pixels = self._array(found, (part, "images"), 3, source)
        if pixels.shape[1:] != (SIDE, SIDE):
            raise DataError(
                f"{found[part, 'images'][0]} in {source} holds images of {pixels.shape[2]} x {pixels.shape[1]} pixels, "
                f"but those of {self.title} are {SIDE} x {SIDE}; {REMEDY}"
            )
        labels = self._array(found, (part, "labels"), 1, source)
        place, classes = f"{found[part, 'labels'][0]} in {source}", len(self.classes)
        if len(labels) != len(pixels):
            raise DataError(f"{place} holds {len(labels):,} labels for {len(pixels):,} images; {REMEDY}")
        if len(labels) and labels.max() >= classes:
            held = f"holds the label {labels.max()}"
            raise DataError(f"{place} {held}, but {self.title} has {classes} classes, 0 to {classes - 1}; {REMEDY}")
        return array_images(pixels, labels, f"{part}/", split="train" if part == "train" else "test")

    def _array(self, found: Found, key: tuple[str, str], dimensions: int, source: Path) -> NDArray[np.uint8]:
        if key not in found:
            raise DataError(f"{source} has no {key[0]}-{key[1]}-idx{dimensions}-ubyte (or .gz); {REMEDY}")
        name, read = found[key]
        try:
            return parse(read(), dimensions)
        except IdxError as error:
            raise DataError(f"{name} in {source} is no idx file of {key[1]} ({error}); {FETCH_AGAIN}") from None
        except OSError as error:
            raise DataError(f"{name} in {source} cannot be read ({error.strerror or error}); {FETCH_AGAIN}") from None


def _found(files: Mapping[str, Read]) -> Found:
    """Sort the files; of a file and its gzipped copy, take the file."""
    found: dict[tuple[str, str], tuple[str, Read]] = {}
    for match, read in sorted(matching(files, FILE), key=lambda file: file[0].string):
        found.setdefault((match["part"], match["what"]), (match.string, read))
    return found
