"""Description of a data set: small and picklable, without arrays or open files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from errors import PodiumError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Target = Literal["class", "box"]  # what a model is to say of an image: what it shows, or where that lies
Box = tuple[float, float, float, float]  # x1, y1, x2, y2: left, top, right and bottom edge


class DataError(PodiumError):
    """The data are missing, wrong or too few: the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class SourceImage:
    """One image as its authors publish it, not yet decoded."""

    name: str  # unique, stable: "churros/1234.jpg"
    label: int  # index into Dataset.classes
    read: Callable[[], bytes]  # the encoded file; raises OSError where it cannot be read
    split: Split | None = None  # where the authors assigned one; else Dataset.counts decide
    group: str = ""  # images that show one thing, such as frames of one scene: never in two splits. "": on its own
    # Around what it shows, in pixels of the image as published, upright, from its upper left corner; the edges may lie
    # anywhere between pixels. Every image of a data set has one, or none has.
    box: Box | None = None


class Progress(Protocol):
    """Told how far long work has come. `total` is 0 where it is not known."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


def silent(what: str, done: int, total: int) -> None:
    """Show no progress.

    Args:
        what: Current step.
        done: Units done.
        total: Units in all.
    """


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Images per class in each split."""

    train: int
    val: int
    test: int

    @property
    def total(self) -> int:
        return self.train + self.val + self.test


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Parts of a data set's images in each split, of every class alike: for classes of unequal size."""

    train: int = 70
    val: int = 15
    test: int = 15

    @property
    def total(self) -> int:
        return self.train + self.val + self.test


@dataclass(frozen=True, kw_only=True)
class HoldOutShares:
    """Per cent of each class's training images that stand in for a split that the authors did not make."""

    val: int = 15
    test: int = 15


class Dataset(Protocol):
    """A frozen dataclass in a module of its own; food101.Food101 is the model to follow.

    Every field of the dataclass but its title (and what else datasets.store.image_store leaves out) is part of the
    store's file
    name: what changes a field changes the store.
    """

    @property
    def name(self) -> str:
        """Names the store in the data folder."""

    @property
    def title(self) -> str:
        """Name for people."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the labels."""

    @property
    def counts(self) -> Counts | Shares | HoldOutShares | None:
        """Images per class in each split, or their shares; or what the authors' own split is completed by.

        None is the authors' split, completed as `HoldOutShares()` says.
        """

    @property
    def max_side(self) -> int:
        """Images are stored no larger than this (pixels, longer side)."""

    def images(
        self, origin: str | None, data_dir: Path, progress: Progress
    ) -> AbstractContextManager[Sequence[SourceImage]]:
        """Yield every image, in an order that does not depend on the file system.

        Images can be read until the context is left: an archive is unpacked into a temporary folder.

        Args:
            origin: Archive, folder or URL that the user named, or None for the authors' address.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: The archive is missing, truncated or wrong, a class is missing, or there is no network.
        """
