"""A user's own images: a folder with a sub-folder for each class, or a table (CSV) of paths and labels."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from datasets.custom.image_csv import TABLE_ENDINGS, in_table
from datasets.custom.image_folder import in_folder
from datasets.custom.layout import RULE, FoundImage, check_encoding, composed
from datasets.dataset import DataError, Progress, Shares, SourceImage
from datasets.readers.location import is_address, local
from datasets.store.splits import assign_splits
from errors import arg

LONGEST_NAME = 60  # characters of it that names of files begin with, of at most 255


@dataclass(frozen=True, kw_only=True)
class OwnImages:
    """Whatever lies at `location`; made by `find`, which reads the classes from there.

    location: absolute path of a folder or a CSV file; "" before the user has named one.
    counts: None where the images come in splits of their own.
    group_by: "prefix" (of the file name, up to its last _ or -), "folder" (below the class's), a column of the table,
        or "".
    listing: digest of every file's name, label, split, group, size and time, so that no store outlives its images.
    notices: lines about what lies there and is not taken; they change no image, and so no store.
    """

    name: str = "images"
    title: str = "your own images"
    location: str = ""
    classes: tuple[str, ...] = ()
    counts: Shares | None = None
    group_by: str = ""
    listing: str = ""
    max_side: int = 512
    notices: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: Not used; the location is part of the data set.
            data_dir: Not used.
            progress: Reports progress.

        Raises:
            DataError: See `find`; or the images changed meanwhile.
        """
        del origin, data_dir  # the location is a part of what this data set is
        progress(f"looking through {self.location}", 0, 0)
        _, images, listing, _ = _listed(Path(self.location), self.group_by)
        if listing != self.listing:
            raise DataError(f"the images at {self.location} changed while they were read; start again")
        yield images


def find(location: str | None, group_by: str | None = None) -> OwnImages:
    """Find the user's own data set.

    Args:
        location: A folder with one sub-folder for each class, or with train/, val/ and test/ of such sub-folders; or a
            CSV table with the columns path (relative to the table) and label, perhaps split and others.
        group_by: "prefix", "folder", a column of the table, or None.

    Raises:
        DataError: Nothing is there, there are fewer than two classes, a class has no images, images are nested too
            deep, names differ in case only or are not UTF-8, links form a circle, a row has no label or file, a file
            occurs twice, or a class has too few images or groups to be split.
    """
    if not location:  # nor "", which would be the folder where the command runs
        raise DataError(f"no images are named: {RULE}")
    if is_address(location):
        raise DataError(f"must be on this machine; download it first: {RULE}", argument="data", value=location)
    path = local(location)
    check_encoding(str(path))
    classes, images, listing, notices = _listed(path, group_by or "")
    own = any(image.split is not None for image in images)
    dataset = OwnImages(
        name=f"images-{re.sub('[^a-z0-9]+', '-', path.stem.lower()).strip('-')[:LONGEST_NAME] or 'folder'}",
        title=path.name,
        location=str(path),
        classes=classes,
        counts=None if own else Shares(),
        group_by=group_by or "",
        listing=listing,
        notices=notices,
    )
    assign_splits(dataset, images)  # what cannot be split is said here, before anybody makes a plan of it
    return dataset


def _listed(path: Path, group_by: str) -> tuple[tuple[str, ...], list[SourceImage], str, tuple[str, ...]]:
    """Classes in the order of their labels, every image, a digest of all that was found, and notices."""
    if os.path.isdir(path):
        everything = in_folder(path, group_by)
    elif path.suffix.lower() in TABLE_ENDINGS and os.path.isfile(path):
        everything = in_table(path, group_by)
    else:
        raise DataError(f"{arg.data} is {path}, which {_what_is(path)}; {RULE}")
    found = everything.images
    classes = tuple(sorted({one.label for one in found}))
    if len(classes) < 2:
        only = f"has the one class {classes[0]!r}" if classes else "has no class"
        raise DataError(f"{path} {only}, but there must be at least two to tell apart; {RULE}")
    _check_case(path, classes, "classes")
    _check_every_split_knows_its_classes(path, found)
    _check_case(path, [one.name for one in found], "images")
    number = {name: label for label, name in enumerate(classes)}
    images = [
        SourceImage(name=one.name, label=number[one.label], read=one.file.read_bytes, split=one.split, group=one.group)
        for one in found
    ]
    digest = hashlib.sha256()
    for one in found:
        digest.update(repr((one.name, one.label, one.split, one.group, one.version)).encode())
    return classes, images, digest.hexdigest(), everything.notices


def _what_is(path: Path) -> str:
    """In place of a folder or a table."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "is a file of another kind"


def _check_every_split_knows_its_classes(root: Path, found: Sequence[FoundImage]) -> None:
    trained = {one.label for one in found if one.split in ("train", None)}
    for one in found:
        if one.label not in trained:
            raise DataError(
                f"the class {one.label!r} of {root} is in its {one.split} split, but has no image for training; add "
                f"some, or move them out of its {one.split} split, if their class is not known"
            )


def _check_case(path: Path, names: Sequence[str], what: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(composed(name).casefold(), name)
        if other != name:
            alike = composed(other) == composed(name)
            pair = f"{other!a} and {name!a}" if alike else f"{other} and {name}"
            raise DataError(
                f"two {what} in {path} have names that differ in {'their Unicode form' if alike else 'case'} only, "
                f"{pair}: they would be one on another machine; rename one"
            )
