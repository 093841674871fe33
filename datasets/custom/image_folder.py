"""A user's own images in folders: a sub-folder for each class, or folders train, val and test of such."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from datasets.custom.layout import RULE, SPLIT_WORDS, FoundImage, FoundImages, check_encoding, unify_names
from datasets.dataset import DataError, Split
from datasets.images.formats import is_image, is_left_by_system, passed_over_notice
from errors import arg, pluralize


@dataclass(frozen=True, kw_only=True)
class _Entries:
    """Content of one folder in the order of the names, without hidden files."""

    images: dict[str, tuple[int, int]] = field(default_factory=dict)  # see FoundImage.version
    folders: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # files that are no images


@dataclass(frozen=True)
class _PassedOver:
    """Files seen on the way through the folders and not taken, by name from the root, and doubtful readings."""

    root: Path
    files: list[str] = field(default_factory=list)  # in the folders of classes, no images
    images: list[str] = field(default_factory=list)  # outside of the folders of classes
    readings: list[str] = field(default_factory=list)  # lines on folders that could mean something else

    def add_files(self, folder: Path, names: Sequence[str]) -> None:
        self.files.extend(_below(self.root, folder, names))

    def add_images(self, folder: Path, names: Sequence[str]) -> None:
        self.images.extend(_below(self.root, folder, names))

    def notices(self) -> tuple[str, ...]:
        lines = list(self.readings)
        lines += passed_over_notice(self.files)
        if self.images:
            lies = "image lies" if len(self.images) == 1 else "images lie"
            shown = ", ".join([*self.images[:3], *(["..."] if len(self.images) > 3 else [])])
            lines.append(
                f"{len(self.images)} {lies} beside the folders of the classes and "
                f"{'is' if len(self.images) == 1 else 'are'} passed over: {shown}; move them into a class"
            )
        return tuple(lines)


def in_folder(root: Path, group_by: str) -> FoundImages:
    """Return every image in a folder, in the order of the names.

    Args:
        root: The folder.
        group_by: "prefix", "folder" or "".

    Raises:
        DataError: The layout is wrong, or `group_by` names a column.
    """
    if group_by not in ("", "prefix", "folder"):
        raise DataError(
            "for a folder must be prefix or folder; columns are a table's", argument="group_by", value=group_by
        )
    passed = _PassedOver(root)
    folders = _folders(root, passed)
    by_split = {name: SPLIT_WORDS[name.lower()] for name in folders if name.lower() in SPLIT_WORDS}
    if len(by_split) != len(folders) or "train" not in by_split.values():
        if group_by != "folder":  # by which a class may have sub-folders, whatever it is called
            _check_not_half_split(root, folders, list(by_split))
        other = next((name for name in folders if name not in by_split), None)
        if other is not None:
            passed.readings.extend(f"the folder {name!r} is taken as a class, as {other} is" for name in by_split)
        found = [image for name in folders for image in _of_class(root / name, name, name, None, group_by, passed)]
    else:
        found = _in_splits(root, by_split, group_by, passed)
    return FoundImages(unify_names(found), passed.notices())


def _in_splits(root: Path, by_split: dict[str, Split], group_by: str, passed: _PassedOver) -> list[FoundImage]:
    found: list[FoundImage] = []
    for split in dict.fromkeys(by_split.values()):
        same = [name for name in by_split if by_split[name] == split]
        if len(same) > 1:
            all_of = "both" if len(same) == 2 else "all"
            passed.readings.append(f"the folders {' and '.join(same)} are {all_of} taken for the {split} split")
    for name, split in by_split.items():
        entries = _entries(root / name)
        if split != "train" and entries.images and not entries.folders:  # as competitions publish their test images
            passed.readings.append(
                f"{root / name} holds {pluralize(len(entries.images), 'image', 'images')}, but no folder of a class: "
                "what has no class measures nothing and is left out; a trained model says what it shows (`predict`)"
            )
            continue
        for label in _folders(root / name, passed):
            found += _of_class(root / name / label, f"{name}/{label}", label, split, group_by, passed)
    if {one.split for one in found} == {"train"}:  # nothing is said of a split when all is for training
        found = [replace(one, split=None) for one in found]
    return found


def _check_not_half_split(root: Path, folders: Sequence[str], splits: Sequence[str]) -> None:
    """Refuse folders named as splits that lie beside others, or without train, and hold sub-folders as classes do."""
    nested = [name for name in splits if not (entries := _entries(root / name)).images and entries.folders]
    if not nested:
        return
    other = next((name for name in folders if name not in splits), None)
    wrong = "no folder train" if other is None else f"{other!r} beside them, which is no split"
    remedy = "name that of the training images so" if other is None else f"move {other!r} into train, or elsewhere"
    raise DataError(
        f"{root} holds {' and '.join(nested)} with sub-folders, as splits have them, but {wrong}: either every folder "
        f"is a class, or they are train, val and test; {remedy}"
    )


def _of_class(
    folder: Path, prefix: str, label: str, split: Split | None, group_by: str, passed: _PassedOver
) -> list[FoundImage]:
    def images(place: Path, entries: _Entries, group: str) -> list[FoundImage]:
        passed.add_files(place, entries.others)
        below = "/".join([prefix, *place.relative_to(folder).parts])
        return [
            FoundImage(f"{below}/{file}", label, place / file, version, split, group or _prefix(file, group_by))
            for file, version in entries.images.items()
        ]

    entries = _entries(folder)
    found = images(folder, entries, "")
    for name in entries.folders:
        if group_by != "folder":
            _check_holds_no_image(folder / name, label, group_by)
            continue
        inner = _entries(folder / name)
        found += images(folder / name, inner, name)
        for further in inner.folders:
            _check_holds_no_image(folder / name / further, label, group_by)
    if not found:
        what = f"only folders, such as {entries.folders[0]}" if entries.folders else "no image"
        seen = f" ({passed_over_notice(entries.others)[0]})" if entries.others else ""
        raise DataError(f"the class {label!r} at {folder} holds {what}{seen}; add images or remove it")
    return found


def _check_holds_no_image(folder: Path, label: str, group_by: str) -> None:
    """Images at a depth that is not understood are refused, never passed over."""
    waiting, seen = [folder], set[str]()
    while waiting:
        folder = waiting.pop()
        place = os.path.realpath(folder)
        if place in seen:  # two folders with links to each other would be gone through for ever
            continue
        seen.add(place)
        entries = _entries(folder)
        if entries.images:
            depth, remedy = "directly in its folder", f", or keep such folders together with {arg.group_by} folder"
            if group_by == "folder":
                depth, remedy = "in its folder or in one below it", ""
            raise DataError(
                f"{folder} holds images too far below the class {label!r}: a class's images must lie {depth}; move "
                f"them up, or name the folder of the classes with {arg.data}{remedy}"
            )
        waiting += [folder / name for name in reversed(entries.folders)]


def _folders(folder: Path, passed: _PassedOver) -> list[str]:
    entries = _entries(folder)
    if not entries.folders:
        images = pluralize(len(entries.images), "image", "images")
        what = f"{images}, but no sub-folder" if entries.images else "neither images nor sub-folders"
        raise DataError(f"{folder} holds {what}; {RULE}")
    passed.add_images(folder, list(entries.images))
    return entries.folders


def _entries(folder: Path) -> _Entries:
    found = _Entries()
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if is_left_by_system(entry.name):
                    continue
                if entry.is_symlink() and _is_circle(Path(entry.path)):
                    raise DataError(f"{entry.path} is a link that leads back to where it lies; remove it")
                if entry.is_dir():
                    found.folders.append(entry.name)
                elif entry.is_file() and is_image(entry.path):
                    facts = entry.stat()
                    found.images[entry.name] = (facts.st_size, facts.st_mtime_ns)
                else:  # also a link that leads nowhere, whatever its name says
                    found.others.append(entry.name)
                    continue
                check_encoding(entry.path)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read ({error.strerror}); {RULE}") from None
    return found


def _is_circle(link: Path) -> bool:
    try:
        target = link.resolve(strict=True)
    except OSError as error:
        return error.errno == errno.ELOOP  # to itself; else it leads nowhere, or to where nobody may look
    except RuntimeError:  # to itself, before Python 3.13
        return True
    return link.parent.resolve().is_relative_to(target)


def _prefix(file: str, group_by: str) -> str:
    """scene12 of scene12_0003.jpg."""
    return re.split(r"[_-](?=[^_-]*$)", Path(file).stem)[0] if group_by == "prefix" else ""


def _below(root: Path, folder: Path, names: Sequence[str]) -> list[str]:
    return [(folder / name).relative_to(root).as_posix() for name in names]
