"""Tiny ImageNet (Stanford's course CS231n, 2015): 200 of ImageNet's classes at 64 x 64 pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.dataset import DataError, HoldOutShares, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.readers.zip_archive import Read, matching, members
from datasets.sources.read_class_names import read_class_names
from errors import arg

ADDRESS = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"  # 248 MB
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"  # as others that load it have it; its authors name none
TRAINING = re.compile(r"(?:^|/)train/(?P<wnid>n\d{8})/images/(?P<file>[^/]+\.JPEG)$")
VALIDATION = re.compile(r"(?:^|/)val/images/(?P<file>[^/]+\.JPEG)$")
ANNOTATIONS = re.compile(r"(?:^|/)val/val_annotations\.txt$")
CARVED = HoldOutShares(test=10)
REMEDY = f"name the archive from {ADDRESS} or its folder tiny-imagenet-200 with {arg.data}"
# Those of its wnids.txt, ascending, each with the first of the names that ImageNet's list of 1,000 classes gives it.
NAMES: Mapping[str, str] = dict(line.split(" ", 1) for line in read_class_names("tiny_imagenet"))
LABELS: Mapping[str, int] = {wnid: label for label, wnid in enumerate(NAMES)}


@dataclass(frozen=True, kw_only=True)
class TinyImageNet:
    """200 classes of 500 training and 50 validation images, by ascending WordNet number.

    The labels of its 10,000 test images were never published. As the deep-learning report does, the test split is
    taken from the training images instead, and the authors' validation images are for validation.

    counts: with 10 % of training there are 90,000, 10,000 and 10,000 images.
    """

    name: str = "tiny_imagenet"
    title: str = "Tiny ImageNet"
    classes: tuple[str, ...] = tuple(NAMES.values())
    counts: HoldOutShares = CARVED
    max_side: int = 64

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: tiny-imagenet-200.zip, its http(s) address, its folder or one above it. None downloads the authors'
                archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        source = fetched(origin, ADDRESS, data_dir, progress, MD5)
        files = members(source)
        yield [*self._training(files, source), *self._validation(files, source)]

    def _training(self, files: Mapping[str, Read], source: Path) -> list[SourceImage]:
        images: list[SourceImage] = []
        for match, read in matching(files, TRAINING):
            wnid, file = match["wnid"], match["file"]
            label = _label(wnid, file, source)
            images.append(SourceImage(name=f"train/{wnid}/{file}", label=label, read=read, split="train"))
        present = {image.label for image in images}
        for wnid, label in LABELS.items():
            if label not in present:
                where = f"train/{wnid}/images/*.JPEG"
                raise DataError(f"{source} has no training image of {NAMES[wnid]!r} ({where}); {REMEDY}")
        return images

    def _validation(self, files: Mapping[str, Read], source: Path) -> Iterator[SourceImage]:
        images = {match["file"]: read for match, read in matching(files, VALIDATION)}
        if not images:
            raise DataError(f"{source} has no validation image (val/images/*.JPEG); {REMEDY}")
        known = _annotations(files, source)
        for file, read in images.items():
            if file not in known:
                raise DataError(f"val_annotations.txt in {source} says nothing of {file}; {REMEDY}")
            yield SourceImage(name=f"val/{file}", label=_label(known[file], file, source), read=read, split="val")


def _label(wnid: str, file: str, source: Path) -> int:
    if wnid not in LABELS:
        raise DataError(f"{file} in {source} is of the class {wnid!r}, which Tiny ImageNet does not have; {REMEDY}")
    return LABELS[wnid]


def _annotations(files: Mapping[str, Read], source: Path) -> dict[str, str]:
    """Class by file. A row is val_0.JPEG, n03444034 and the four sides of a box, parted by tabs."""
    found = matching(files, ANNOTATIONS)
    if not found:
        raise DataError(f"{source} has validation images, but not their labels, val/val_annotations.txt; {REMEDY}")
    try:
        rows = [line.split("\t") for line in found[0][1]().decode().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        rows = [[]]
    if any(len(row) < 2 for row in rows):
        raise DataError(f"val_annotations.txt in {source} must have rows of file, class and box, by tabs; {REMEDY}")
    return {row[0]: row[1] for row in rows}
