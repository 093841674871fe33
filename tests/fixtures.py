"""Small data sets, laid out exactly as the real ones, for the tests of any room."""

from __future__ import annotations

import io
import json
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from datasets.dataset import Counts, DataError, Dataset, HoldOutShares, Progress, Shares, SourceImage, silent

FOOD_CLASSES = ("churros", "dumplings", "bibimbap")
COUNTS = Counts(train=7, val=2, test=1)


def pixels(number: int, height: int = 40, width: int = 48) -> NDArray[np.uint8]:
    """A smooth picture [height, width, 3] of its own colour, so that JPEG keeps it nearly as it is."""
    rows, columns = np.mgrid[0:height, 0:width]
    base = np.random.default_rng(number).integers(30, 200, 3)
    channels = [(base[channel] + rows // 2 + columns // (channel + 2)) % 256 for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def encoded(image: NDArray[np.uint8], kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def food101_files(classes: Sequence[str], per_class: int) -> dict[str, bytes]:
    """Every file of a Food-101 of that size by its name in the archive: images and the authors' lists."""
    ids = {name: [f"{name}/{1000 + 37 * number}" for number in range(per_class)] for name in classes}
    files = {
        f"food-101/images/{one}.jpg": encoded(pixels(place * 1000 + number, 40 + number % 5, 48 + place))
        for place, name in enumerate(classes)
        for number, one in enumerate(ids[name])
    }
    cut = per_class * 3 // 4  # the authors' 750 / 250
    lists = {"train": {name: ids[name][:cut] for name in classes}, "test": {name: ids[name][cut:] for name in classes}}
    for split, members in lists.items():
        files[f"food-101/meta/{split}.json"] = json.dumps(members).encode()
        files[f"food-101/meta/{split}.txt"] = "\n".join(one for name in classes for one in members[name]).encode()
    files["food-101/meta/classes.txt"] = "\n".join(classes).encode()
    files["food-101/meta/labels.txt"] = "\n".join(name.replace("_", " ").capitalize() for name in classes).encode()
    files["food-101/README.txt"] = b"The Food-101 Data Set"
    files["food-101/license_agreement.txt"] = b"Scientific Fair Use"
    return files


def food101_archive(tmp_path: Path, classes: Sequence[str] = FOOD_CLASSES, per_class: int = 12) -> Path:
    """A food-101.tar.gz laid out as its authors' is, with `per_class` JPEG images in each class."""
    return tarred(tmp_path / "food-101.tar.gz", food101_files(classes, per_class))


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A data set of small PNG images, some of which may be broken."""

    name: str = "pictures"
    title: str = "Pictures"
    classes: tuple[str, ...] = ("first", "second")
    counts: Counts | Shares | HoldOutShares | None = COUNTS
    max_side: int = 64
    per_class: int = 10
    broken: tuple[str, ...] = ()  # truncated after their header
    unreadable: tuple[str, ...] = ()
    seconds_each: float = 0.0  # to read one image
    diary: str = ""  # a file that gets a line each time the images are asked for

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        if self.diary:
            with open(self.diary, "a") as file:
                file.write("asked\n")
        found = [
            SourceImage(name=name, label=label, read=partial(self._read, name, 100 * label + number))
            for label, of_class in enumerate(self.classes)
            for number in range(self.per_class)
            for name in [f"{of_class}/{number:03d}.png"]
        ]
        yield list(reversed(found))  # an order as no one expects it

    def _read(self, name: str, number: int) -> bytes:
        time.sleep(self.seconds_each)
        if name in self.unreadable:
            raise OSError("Input/output error")
        content = encoded(pixels(number, 20 + number % 7, 24 + number % 3), "PNG")
        return content[: len(content) // 2] if name in self.broken else content


def listed(dataset: Dataset, origin: Path, data_dir: Path) -> list[tuple[str, int, str | None, bytes]]:
    """Name, label, split and content of every image that a data set finds there, by name."""
    with dataset.images(str(origin), data_dir, silent) as images:
        return sorted((image.name, image.label, image.split, image.read()) for image in images)


def refusal(dataset: Dataset, origin: Path | None, data_dir: Path) -> str:
    """The one line that a data set says of such an origin. What it unpacked is gone afterwards."""
    with (
        pytest.raises(DataError) as caught,
        dataset.images(None if origin is None else str(origin), data_dir, silent),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert [path for path in (data_dir / "scratch").glob("*") if path.is_dir()] == []
    return str(caught.value)


def tarred(path: Path, files: Mapping[str, bytes]) -> Path:
    """A .tar.gz of those files, with a member for each folder, as tar writes it."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for folder in dict.fromkeys(name.rpartition("/")[0] for name in files if "/" in name):
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            tar.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    """A zip archive of those files."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def laid_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Those files under that folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
