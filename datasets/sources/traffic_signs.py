"""The German Traffic Sign Recognition Benchmark (Stallkamp et al., 2012) from its official archives."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.dataset import DataError, Progress, SourceImage
from datasets.readers.location import fetched
from datasets.readers.zip_archive import Read, matching, members
from datasets.sources.read_class_names import read_class_names
from datasets.sources.traffic_sign_arrays import images as arrays_of
from errors import arg

ADDRESS = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
# 39,209 training images in tracks of 30 frames, 12,630 test images, and the test images' labels. MD5 as torchvision has
# them; it names none for the training images.
ARCHIVES: Mapping[str, str | None] = {
    "GTSRB_Final_Training_Images.zip": None,
    "GTSRB_Final_Test_Images.zip": "c7e4e6327067d32654124b0fe9e82185",
    "GTSRB_Final_Test_GT.zip": "fe31e9c9270bbcd7b84b7f21a9d9d9e5",
}
TRAINING = re.compile(r"(?:^|/)Final_Training/Images/(?P<label>\d{5})/(?P<track>\d{5})_(?P<frame>\d{5})\.ppm$")
TEST = re.compile(r"(?:^|/)Final_Test/Images/(?P<number>\d{5})\.ppm$")
TEST_LABELS = re.compile(r"(?:^|/)GT-final_test\.csv$")
REMEDY = f"name a folder with {', '.join(ARCHIVES)} from {ADDRESS}, or with what they unpack to, with {arg.data}"
CLASSES = read_class_names("traffic_signs")


@dataclass(frozen=True, kw_only=True)
class TrafficSigns:
    """43 signs as cameras in cars saw them, 15 to 250 pixels; the authors' own split into training and test.

    A track is one sign driven past, 30 frames of it: a group, so that a validation split carved from training holds
    other signs than training does.
    max_side: the traffic-signs report uses 32 pixels.
    """

    name: str = "traffic_signs"
    title: str = "GTSRB traffic signs"
    classes: tuple[str, ...] = CLASSES
    counts: None = None
    max_side: int = 64
    allow_pickle: bool = False  # whether the user trusts a pickle to run its code

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: A folder with the three archives or their content, a zip archive of that, or its http(s) address; or
                the balanced arrays of the traffic-signs report (datasets.sources.traffic_sign_arrays). None downloads
                the authors' archive.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, wrong or damaged; see datasets.dataset.Dataset.
        """
        if origin is None:
            for name, md5 in ARCHIVES.items():
                source = fetched(None, f"{ADDRESS}{name}", data_dir, progress, md5).parent
            files = {path: read for name in ARCHIVES for path, read in members(source / name).items()}
        else:
            source = fetched(origin, ADDRESS, data_dir, progress)
            if source.suffix in (".npz", ".pickle", ".pkl"):
                yield arrays_of(source, len(self.classes), self.allow_pickle)
                return
            files = members(source)
        images = [*_training(files), *_test(files, source)]
        for split in ("train", "test"):
            if not any(image.split == split for image in images):
                raise DataError(f"{source} has no {split} image of GTSRB; {REMEDY}")
        yield images


def _training(files: Mapping[str, Read]) -> Iterator[SourceImage]:
    for match, read in matching(files, TRAINING):
        track = f"{match['label']}/{match['track']}"
        name = f"train/{track}_{match['frame']}.ppm"
        yield SourceImage(name=name, label=int(match["label"]), read=read, split="train", group=track)


def _test(files: Mapping[str, Read], source: Path) -> Iterator[SourceImage]:
    images = {match["number"]: read for match, read in matching(files, TEST)}
    labels = matching(files, TEST_LABELS)
    if images and not labels:
        raise DataError(f"{source} has test images, but not their labels, GT-final_test.csv; {REMEDY}")
    if not labels:
        return
    try:
        rows = list(csv.DictReader(io.StringIO(labels[0][1]().decode()), delimiter=";"))
        known = {row["Filename"].removesuffix(".ppm"): int(row["ClassId"]) for row in rows}
    except (OSError, KeyError, ValueError, TypeError, AttributeError, csv.Error):
        raise DataError(
            f"GT-final_test.csv in {source} must have the columns Filename and ClassId, parted by semicolons; {REMEDY}"
        ) from None
    for number, read in images.items():
        if number not in known:
            raise DataError(f"GT-final_test.csv in {source} says nothing of {number}.ppm; {REMEDY}")
        yield SourceImage(name=f"test/{number}.ppm", label=known[number], read=read, split="test")
