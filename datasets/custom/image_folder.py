"""A user's own images in folders: a sub-folder for each class, or folders train, val and test of such."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datasets.custom.layout import RULE, SPLIT_FOLDERS, FoundImage, check_encoding
from datasets.dataset import DataError, Split
from errors import arg, pluralize

# What Pillow reads, as cameras and published data sets write it. Any other file in a folder is passed over.
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def in_folder(root: Path, group_by: str) -> list[FoundImage]:
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
    folders = _folders(root)
    by_split = {name: SPLIT_FOLDERS[name.lower()] for name in folders if name.lower() in SPLIT_FOLDERS}
    if len(by_split) != len(folders) or "train" not in by_split.values():
        if group_by != "folder":  # by which a class may have sub-folders, whatever it is called
            _check_not_half_split(root, folders, list(by_split))
        return [image for name in folders for image in _of_class(root / name, name, name, None, group_by)]
    found: list[FoundImage] = []
    for name, split in by_split.items():
        for label in _folders(root / name):
            found += _of_class(root / name / label, f"{name}/{label}", label, split, group_by)
    if set(by_split.values()) == {"train"}:  # nothing is said of a split when all is for training
        found = [replace(one, split=None) for one in found]
    return found


def _check_not_half_split(root: Path, folders: Sequence[str], splits: Sequence[str]) -> None:
    """Folders called as splits are, with sub-folders as classes are, beside what is no split or without train."""
    nested = [name for name in splits if not (found := _entries(root / name))[0] and found[1]]
    if not nested:
        return
    other = next((name for name in folders if name not in splits), None)
    wrong = "no folder train" if other is None else f"{other!r} beside them, which is no split"
    remedy = "name that of the training images so" if other is None else f"move {other!r} into train, or elsewhere"
    raise DataError(
        f"{root} holds {' and '.join(nested)} with sub-folders, as splits have them, but {wrong}: either every folder "
        f"is a class, or they are train, val and test; {remedy}"
    )


def _of_class(folder: Path, prefix: str, label: str, split: Split | None, group_by: str) -> list[FoundImage]:
    files, inner = _entries(folder)
    groups = {file: _prefix(file) if group_by == "prefix" else "" for file in files}
    found = [FoundImage(f"{prefix}/{file}", label, folder / file, files[file], split, groups[file]) for file in files]
    for name in inner:
        if group_by != "folder":
            _check_holds_no_image(folder / name, label, group_by)
            continue
        files, deeper = _entries(folder / name)
        found += [
            FoundImage(f"{prefix}/{name}/{file}", label, folder / name / file, files[file], split, name)
            for file in files
        ]
        for further in deeper:
            _check_holds_no_image(folder / name / further, label, group_by)
    if not found:
        what = f"only folders, such as {inner[0]}" if inner else "no image"
        raise DataError(f"the class {label!r} at {folder} holds {what} ({', '.join(ENDINGS)}); add images or remove it")
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
        files, inner = _entries(folder)
        if files:
            depth, remedy = "directly in its folder", f", or keep such folders together with {arg.group_by} folder"
            if group_by == "folder":
                depth, remedy = "in its folder or in one below it", ""
            raise DataError(
                f"{folder} holds images too far below the class {label!r}: a class's images must lie {depth}; move "
                f"them up, or name the folder of the classes with {arg.data}{remedy}"
            )
        waiting += [folder / name for name in reversed(inner)]


def _folders(folder: Path) -> list[str]:
    files, inner = _entries(folder)
    if not inner:
        images = pluralize(len(files), "image", "images")
        what = f"{images}, but no sub-folder" if files else "neither images nor sub-folders"
        raise DataError(f"{folder} holds {what}; {RULE}")
    return inner


def _entries(folder: Path) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Return images (see FoundImage.version) and folders in order of their names, without hidden and other files."""
    files: dict[str, tuple[int, int]] = {}
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.startswith((".", "__MACOSX")):
                    continue
                if entry.is_symlink() and _is_circle(Path(entry.path)):
                    raise DataError(f"{entry.path} is a link that leads back to where it lies; remove it")
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file() and entry.name.lower().endswith(ENDINGS):
                    facts = entry.stat()
                    files[entry.name] = (facts.st_size, facts.st_mtime_ns)
                else:
                    continue
                check_encoding(entry.path)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read ({error.strerror}); {RULE}") from None
    return files, folders


def _is_circle(link: Path) -> bool:
    try:
        target = link.resolve(strict=True)
    except OSError as error:
        return error.errno == errno.ELOOP  # to itself; else it leads nowhere, or to where nobody may look
    except RuntimeError:  # to itself, before Python 3.13
        return True
    return link.parent.resolve().is_relative_to(target)


def _prefix(file: str) -> str:
    """scene12 of scene12_0003.jpg."""
    stem = Path(file).stem
    return re.split(r"[_-](?=[^_-]*$)", stem)[0]
