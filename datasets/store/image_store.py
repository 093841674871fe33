"""The image store: every image of a data set decoded once, in one HDF5 file that all processes map into memory.

Layout: `pixels`, one flat contiguous uint8 data set, so that its place in the file is known and every process shares
one copy in the page cache; beside it `offset`, `height`, `width`, `label`, `split`, `group` and `name`, one entry an
image in the order of the names; `box` [N, 4] where the images have boxes; `histograms` [3 splits, 3 channels, 256]; and
attributes. It is built in store_writer.py.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import SPLITS, DataError, Dataset, Progress, Split, silent
from datasets.readers.location import describe_origin, local
from datasets.store.folds import Fold, apply_fold
from datasets.store.notices import even_notice
from datasets.store.store_writer import VERSION, build
from errors import arg

# Fields of a data set that change no pixel of its store: what it is called, whether its origin may be a pickle, and
# what lies beside its images.
NOT_CONTENT = ("title", "allow_pickle", "notices")


def store_path(dataset: Dataset, data_dir: Path) -> Path:
    """Return the path of a data set's store: "food10-512px-3f9c0a1b22.h5" in the data folder.

    The last part is a digest of what changes the content: every field but those of NOT_CONTENT, and the layout's
    version.

    Args:
        dataset: The data set.
        data_dir: The data folder.
    """
    fields = dataclasses.asdict(dataset)  # type: ignore[call-overload]  # the protocol asks for a frozen dataclass
    content = {name: value for name, value in fields.items() if name not in NOT_CONTENT}
    content |= {"kind": type(dataset).__qualname__, "version": VERSION}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:10]
    return local(str(data_dir)) / f"{dataset.name}-{dataset.max_side}px-{digest}.h5"


def prepare(dataset: Dataset, data_dir: Path, origin: str | None = None, progress: Progress = silent) -> Path:
    """Return the path of the data set's store; build it if it is missing or `origin` is another one.

    One process builds; others that ask at the same time wait and use its work. A killed build leaves nothing that
    could be taken for a store.

    Args:
        dataset: The data set.
        data_dir: The data folder.
        origin: Archive, folder or URL of the images; None for the authors' address or whatever the store was built
            from.
        progress: Reports progress.

    Raises:
        DataError: Data are wrong or missing, too many images are broken, the disk is full, or the folder cannot be
            written.
    """
    from filelock import FileLock, Timeout

    path = store_path(dataset, data_dir)
    if getattr(dataset, "listing", ""):  # what lies there names the path: folders change by other files too
        origin = None
    if _is_current(path, origin):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(".lock"))  # flock: the kernel releases it when its process dies
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress(f"waiting for another process that prepares {dataset.name}", 0, 0)
            lock.acquire()
    except OSError as error:
        raise DataError(
            f"the data folder {path.parent} cannot be written ({error.strerror or error}); "
            f"choose another with {arg.data_dir}"
        ) from None
    try:
        if not _is_current(path, origin):
            build(dataset, path, origin, progress)
    finally:
        lock.release()
    return path


def _is_current(path: Path, origin: str | None) -> bool:
    if not path.exists():
        return False
    try:
        store = ImageStore.open(path)
    except DataError:
        return False  # damaged by a failing disk or cut off by a copy: build it again
    return origin is None or store.origin == describe_origin(origin)


class ImageStore:
    """A store opened for reading: facts in memory, pixels mapped from the file. Pickles as its path."""

    def __init__(self, path: Path, fold: Fold | None = None) -> None:
        """See `open`."""
        self.path = Path(path).absolute()  # absolute: Ray changes its workers' folder
        self.fold = fold
        try:
            self._read()
        except FileNotFoundError:
            raise DataError(f"there is no image store at {self.path}; build it with: datasets prepare TASK") from None
        except (OSError, KeyError, ValueError) as error:
            raise DataError(
                f"{self.path} is not a complete image store ({_first_line(error)}); "
                "delete it and run: datasets prepare TASK"
            ) from None

    @classmethod
    def open(cls, path: Path, fold: Fold | None = None) -> ImageStore:
        """Open the store at that path, in milliseconds: no pixel is read.

        Args:
            path: The HDF5 file.
            fold: Another division into training and validation; None keeps the store's own. Mean and deviation of the
                channels remain those of its own training split, so that one network serves every fold.

        Raises:
            DataError: The file is missing or damaged, or has too few images for so many folds.
        """
        return cls(path, fold)

    def _read(self) -> None:
        import h5py

        if not self.path.exists():
            raise FileNotFoundError(self.path)
        with h5py.File(self.path, "r", locking=False) as file:  # read-only folders have nowhere to lock
            facts = json.loads(file.attrs["facts"])
            if facts["version"] != VERSION:
                raise ValueError(f"its layout is version {facts['version']}, this program reads {VERSION}")
            self.offsets: NDArray[np.int64] = file["offset"][()]
            self.heights: NDArray[np.int32] = file["height"][()]
            self.widths: NDArray[np.int32] = file["width"][()]
            self.labels: NDArray[np.int64] = file["label"][()]
            self.splits: NDArray[np.uint8] = file["split"][()]  # positions in dataset.SPLITS
            self.groups: NDArray[np.int64] = file["group"][()]  # equal numbers stay together; -1 is on its own
            # x1, y1, x2, y2 [N, 4] in shares of the image's sides (0 to 1); None where the images have no boxes
            self.boxes: NDArray[np.float32] | None = file["box"][()] if "box" in file else None
            self.histograms: NDArray[np.int64] = file["histograms"][()]  # [split, channel, 256]
            self._encoded_names: NDArray[np.bytes_] = file["name"][()]
            self._pixels_at: int = file["pixels"].id.get_offset()
            self._pixels_bytes: int = file["pixels"].shape[0]
        if self.path.stat().st_size < self._pixels_at + self._pixels_bytes:
            raise ValueError("the file is shorter than its pixels")
        self.name: str = facts["name"]
        self.title: str = facts["title"]  # of the data set, as a person would call it
        self.classes: tuple[str, ...] = tuple(facts["classes"])  # in the order of the labels
        self.broken: dict[str, str] = facts["broken"]  # images that were left out, and why, by name
        # Names of images that look the same but lie in different splits.
        self.near_duplicates = tuple((one, other) for one, other in facts["near_duplicates"])
        self.equal_in_two_classes = tuple((one, other) for one, other in facts.get("equal_in_two_classes", ()))
        self.origin: str = facts["origin"]  # what location.describe_origin said of the images' origin
        # Mean and population standard deviation (0 to 255) of red, green and blue over the training split's pixels.
        self.channel_mean: tuple[float, ...] = tuple(facts["channel_mean"])
        self.channel_std: tuple[float, ...] = tuple(facts["channel_std"])
        # What a reader of any number from it must know.
        self.notices: tuple[str, ...] = (*facts["notices"], *even_notice(self.channel_std))
        # Value shown as white, where training images have more than 8 bits a channel; see datasets.images.decode.
        self.white_level: float | None = facts.get("white_level")
        self._fingerprint: str = facts["fingerprint"]
        if self.fold is not None:
            self.splits = apply_fold(self.fold, self.splits, self.labels, self.groups, self.classes)

    def __len__(self) -> int:
        return len(self.labels)

    def __reduce__(self) -> tuple[Callable[..., ImageStore], tuple[Path, Fold | None, str]]:
        return _reopen, (self.path, self.fold, self.fingerprint)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over every image's name, label, split, size and pixels: equal fingerprints are equal data."""
        if self.fold is None:
            return self._fingerprint
        # The division itself, not the fold's number: other groups of the same images are divided otherwise.
        return hashlib.sha256(self._fingerprint.encode() + self.splits.tobytes()).hexdigest()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all images, such as "churros/1234.jpg", ascending."""
        return tuple(name.decode() for name in self._encoded_names.tolist())

    def indices(self, split: Split) -> NDArray[np.int64]:
        """Return the positions of a split's images, ascending.

        Returns:
            int64 [N].

        Raises:
            DataError: There is no such split.
        """
        if split not in SPLITS:
            raise DataError(f"split is {split!r}, but must be one of {', '.join(SPLITS)}")
        return np.flatnonzero(self.splits == SPLITS.index(split)).astype(np.int64)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return one image as a read-only view of the file; nothing is copied.

        Returns:
            uint8 [H, W, 3], RGB.

        Raises:
            IndexError: The index is outside 0 to len - 1.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"index is {index}, but the store holds {len(self)} images; use 0 to {len(self) - 1}")
        start, height, width = int(self.offsets[index]), int(self.heights[index]), int(self.widths[index])
        return self._pixels[start : start + height * width * 3].reshape(height, width, 3)

    @cached_property
    def _pixels(self) -> NDArray[np.uint8]:
        mapped = np.memmap(self.path, dtype=np.uint8, mode="r", offset=self._pixels_at, shape=(self._pixels_bytes,))
        return mapped.view(np.ndarray)  # slicing np.memmap itself costs ten times as much


def _reopen(path: Path, fold: Fold | None, fingerprint: str) -> ImageStore:
    store = ImageStore.open(path, fold)
    if store.fingerprint != fingerprint:
        raise DataError(
            f"the image store {os.fspath(path)} was rebuilt from other images meanwhile; start the study again"
        )
    return store


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
