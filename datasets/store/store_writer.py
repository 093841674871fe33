"""Builds an image store: sizes from a pass over the headers, then every image decoded once, then renamed into place."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from atomic_file import atomic_path
from datasets.dataset import SPLITS, Box, DataError, Dataset, Progress, SourceImage, Split
from datasets.images.bounding_boxes import BoxError, check_all_or_none, relative
from datasets.images.decode import DecodeError, Size, decode, deep_maximum, stored_size, white_level_of
from datasets.images.histogram import channel_histogram, mean_and_deviation
from datasets.images.thread_map import ordered
from datasets.readers.location import describe_origin
from datasets.store.comparison import ImageComparison
from datasets.store.near_duplicates import difference_hash, thumbnail
from datasets.store.notices import alike_notice, broken_notice, two_classes_notice, white_notice
from datasets.store.splits import MINIMUM_PER_CLASS, assign_splits
from errors import arg
from machine import usable_cores

VERSION = 2  # of the store; raise it whenever the same images would be stored differently
BROKEN_LIMIT = 0.05  # of a class: the published numbers rest on whole classes
NAMED = 20  # broken images, where there are too many
SLACK_BYTES = 16 * 2**20  # what a store needs beside its pixels: names, headers, the file system's own rounding


@dataclass(frozen=True)
class _Planned:
    """An image that will be stored: its place is known, its pixels not yet."""

    source: SourceImage
    split: Split
    size: Size
    offset: int  # in bytes from the start of the pixels
    box: Box | None  # in shares of the image's sides


@dataclass(frozen=True)
class _Decoded:
    digest: bytes  # of its pixels
    histogram: NDArray[np.int64]
    look: tuple[np.uint64, NDArray[np.uint8]]  # difference hash and thumbnail, see datasets.store.near_duplicates


def build(dataset: Dataset, path: Path, origin: str | None, progress: Progress) -> None:
    """Write the data set's store, whole or not at all; the caller holds its lock.

    Args:
        dataset: The data set.
        path: Target file.
        origin: Archive, folder or URL; None for the authors' address.
        progress: Reports progress.

    Raises:
        DataError: See datasets.store.image_store.prepare.
    """
    described = describe_origin(origin)
    _remove_what_was_killed(path.parent)
    # One name, so that a killed build's file is overwritten, not added to.
    unfinished = path.with_suffix(".unfinished")
    try:
        with _opened(dataset, origin, path.parent, progress) as images:
            writer = StoreWriter(dataset, images, described, progress)
            _check_space(path.parent, writer.planned)
            with atomic_path(path, partial=unfinished) as partial:
                writer.write(partial)
        stored = len(writer.stored)
        progress(f"stored {stored} images of {dataset.name}", stored, stored)
    except OSError as error:
        raise DataError(
            f"the image store {path} could not be written ({error.strerror or error}); free some space or choose "
            f"another folder with {arg.data_dir}"
        ) from None


def _remove_what_was_killed(folder: Path) -> None:
    """Files of builds that cannot end: of images that have changed meanwhile, nobody would build that store again."""
    from filelock import FileLock, Timeout

    for left in folder.glob("[!.]*.unfinished"):
        with suppress(Timeout, OSError), FileLock(left.with_suffix(".lock"), timeout=0):  # held by who builds it
            left.unlink(missing_ok=True)


@contextmanager
def _opened(dataset: Dataset, origin: str | None, folder: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
    """Its images. What the system refuses on the way to them is not said of the store."""
    with ExitStack() as stack:
        try:
            images = stack.enter_context(dataset.images(origin, folder, progress))
        except OSError as error:
            place = error.filename or origin or dataset.title
            raise DataError(
                f"{place} cannot be read ({error.strerror or error}); check what {arg.data} names"
            ) from None
        yield images


def _check_space(folder: Path, planned: Sequence[_Planned]) -> None:
    needed = sum(image.size.bytes for image in planned) + SLACK_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"the data folder {folder} has {free / 1e9:.1f} GB free, but the image store needs {needed / 1e9:.1f} GB; "
            f"free some space or choose another folder with {arg.data_dir}"
        )


class StoreWriter:
    """Writer of a store: images are measured, then decoded in threads and appended in order.

    Pixels are written without HDF5, whose writes would block every thread: 5 of 45 seconds for 6 GB.
    """

    def __init__(self, dataset: Dataset, images: Sequence[SourceImage], origin: str, progress: Progress) -> None:
        """Give every image a split, and every readable one its place.

        Args:
            dataset: The data set.
            images: Its images, readable as long as the writer is used.
            origin: Description of their origin, as the store records it.
            progress: Called for every image that is measured, decoded or compared.

        Raises:
            DataError: The images cannot be split, or too many are broken.
        """
        self.stored: list[_Planned] = []
        self.planned: list[_Planned] = []
        self._dataset, self._origin, self._progress = dataset, origin, progress
        self._used, self._notices = assign_splits(dataset, images)
        self._broken: dict[str, str] = {}  # why images are left out, by name
        self._measure()
        self._comparison = ImageComparison(len(self.planned))
        self._fingerprint = hashlib.sha256(json.dumps(dataset.classes).encode())
        self._histograms = np.zeros((len(SPLITS), 3, 256), np.int64)
        self._writing = threading.Lock()

    def _measure(self) -> None:
        def measured(pair: tuple[SourceImage, Split]) -> tuple[Size, Box | None, float | None] | str:
            source, split = pair
            try:
                encoded = source.read()
                box = None if source.box is None else relative(source.box, stored_size(encoded, sys.maxsize))
                maximum = deep_maximum(encoded) if split == "train" else None
                return stored_size(encoded, self._dataset.max_side), box, maximum
            except (DecodeError, BoxError, OSError) as error:
                return str(error)

        check_all_or_none(self._dataset.title, [source for source, _ in self._used])
        offset = 0
        maxima: list[float] = []  # of training images with more than 8 bits a channel
        threads = usable_cores()
        every = ordered(measured, self._used, threads=threads, ahead=4 * threads)
        for done, ((source, split), found) in enumerate(zip(self._used, every, strict=True), start=1):
            if isinstance(found, str):
                self._broken[source.name] = found
            else:
                size, box, maximum = found
                if maximum is not None:
                    maxima.append(maximum)
                self.planned.append(_Planned(source, split, size, offset, box))
                offset += size.bytes
            self._progress(f"measuring {self._dataset.name}", done, len(self._used))
        self.white_level = white_level_of(max(maxima)) if maxima else None
        self._notices = (*self._notices, *white_notice(self.white_level, len(maxima)))
        self._check_broken()

    def _check_broken(self) -> None:
        expected = Counter(source.label for source, _ in self._used)
        broken = [source for source, _ in self._used if source.name in self._broken]
        for label, count in sorted(Counter(source.label for source in broken).items()):
            needed = min(MINIMUM_PER_CLASS, expected[label])
            if count > max(1, BROKEN_LIMIT * expected[label]):
                rule = f"at most {BROKEN_LIMIT:.0%} may be"
            elif expected[label] - count < needed:
                rule = f"at least {needed} must be whole"
            else:
                continue
            names = sorted(source.name for source in broken if source.label == label)
            shown = ", ".join(f"{name} ({self._broken[name]})" for name in names[:NAMED])
            more = f" and {count - NAMED} more" if count > NAMED else ""
            raise DataError(
                f"{count} of {expected[label]} images of the class {self._dataset.classes[label]!r} are broken, but "
                f"{rule}; replace them, or fetch the data again: {shown}{more}"
            )

    def write(self, path: Path) -> None:
        """Write the whole file.

        Raises:
            DataError: Too many images are broken.
            OSError: The file cannot be written.
        """
        import h5py

        threads = usable_cores()
        with h5py.File(path, "w", libver="latest") as file, open(path, "r+b") as raw:
            start = _reserve_pixels(file, sum(image.size.bytes for image in self.planned))
            decode_one = functools.partial(self._decode_one, raw, start)
            decoded = ordered(decode_one, self.planned, threads=threads, ahead=2 * threads)
            for done, (image, found) in enumerate(zip(self.planned, decoded, strict=True), start=1):
                if isinstance(found, str):
                    self._broken[image.source.name] = found
                else:
                    self._append(image, found)
                self._progress(f"decoding {self._dataset.name}", done, len(self.planned))
            self._check_broken()
            _write_columns(file, self.stored, self._histograms)
            file.attrs["facts"] = json.dumps(self._facts())

    def _decode_one(self, raw: IO[bytes], start: int, image: _Planned) -> _Decoded | str:
        """Decode an image and write its pixels, in one of several threads; return its data or why it is broken."""
        try:
            pixels = decode(image.source.read(), self._dataset.max_side, white_level=self.white_level)
        except (DecodeError, OSError) as error:
            return str(error)
        if pixels.shape != (image.size.height, image.size.width, 3):
            return f"it was {image.size}, now it is {pixels.shape}: it changed"
        with self._writing:
            raw.seek(start + image.offset)
            raw.write(pixels.data)
        small = thumbnail(pixels)
        digest = hashlib.sha256(pixels.data).digest()
        return _Decoded(digest, channel_histogram(pixels), (difference_hash(small), small))

    def _append(self, image: _Planned, decoded: _Decoded) -> None:
        facts = [image.source.name, image.source.label, image.split, image.size.height, image.size.width]
        facts += image.box or ()
        self._fingerprint.update(json.dumps(facts).encode() + decoded.digest)
        self._histograms[SPLITS.index(image.split)] += decoded.histogram
        self._comparison.append(image.source, image.split, image.size, decoded.digest, decoded.look)
        self.stored.append(image)

    def _facts(self) -> dict[str, Any]:
        """Return the attributes of the whole store, after the last image."""
        same, all_compared = self._comparison.across_splits(self._progress)
        two_classes = self._comparison.in_two_classes()
        mean, deviation = mean_and_deviation(self._histograms[SPLITS.index("train")])
        return {
            "version": VERSION,
            "name": self._dataset.name,
            "title": self._dataset.title,
            "classes": self._dataset.classes,
            "description": repr(self._dataset),
            "origin": self._origin,
            "fingerprint": self._fingerprint.hexdigest(),
            "notices": [
                *self._notices,
                *broken_notice(self._broken),
                *alike_notice(same, all_compared),
                *two_classes_notice(two_classes),
            ],
            "broken": self._broken,
            "near_duplicates": same,
            "equal_in_two_classes": two_classes,
            "channel_mean": mean,
            "channel_std": deviation,
            "white_level": self.white_level,
        }


def _reserve_pixels(file: Any, total: int) -> int:
    """Create the flat data set of all pixels; return its offset in the file in bytes."""
    import h5py

    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_layout(h5py.h5d.CONTIGUOUS)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple((total,))
    return int(h5py.h5d.create(file.id, b"pixels", h5py.h5t.STD_U8LE, space, settings).get_offset())


def _write_columns(file: Any, stored: Sequence[_Planned], histograms: NDArray[np.int64]) -> None:
    file["offset"] = np.array([image.offset for image in stored], np.int64)
    file["height"] = np.array([image.size.height for image in stored], np.int32)
    file["width"] = np.array([image.size.width for image in stored], np.int32)
    file["label"] = np.array([image.source.label for image in stored], np.int64)
    file["split"] = np.array([SPLITS.index(image.split) for image in stored], np.uint8)
    numbers: dict[str, int] = {}
    group = [numbers.setdefault(name, len(numbers)) if (name := image.source.group) else -1 for image in stored]
    file["group"] = np.array(group, np.int64)
    file["name"] = np.array([image.source.name.encode() for image in stored], np.bytes_)
    boxes = [image.box for image in stored if image.box is not None]
    if boxes:
        file["box"] = np.array(boxes, np.float32)
    file["histograms"] = histograms
