"""A user's own images: a folder with a sub-folder for each class, or a table (CSV) of paths and labels."""

from __future__ import annotations

import csv
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from datasets.dataset import DataError, Progress, Shares, SourceImage, Split
from datasets.origin import is_address, local
from search_spaces.wording import unknown

# What Pillow reads, as cameras and published data sets write it. Any other file in a folder is passed over.
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
SPLIT_FOLDERS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
COLUMNS = {"path": ("path", "file", "filename", "image"), "label": ("label", "class"), "split": ("split",)}
LAYOUT = "a folder with a sub-folder for each class, or a CSV table with the columns path and label"
RULE = f"--data must be {LAYOUT} (`datasets` calls it --from)"


@dataclass(frozen=True, kw_only=True)
class OwnImages:
    """Whatever lies at `location`; made by `find`, which reads the classes from there.

    location: absolute path of a folder or a CSV file; "" before the user has named one.
    counts: None where the images come in splits of their own.
    group_by: "prefix" (of the file name, up to its last _ or -), "folder" (below the class's), a column of the table,
        or "".
    listing: digest of every file's name, label, split, group, size and time, so that no store outlives its images.
    """

    name: str = "images"
    title: str = "your own images"
    location: str = ""
    classes: tuple[str, ...] = ()
    counts: Shares | None = None
    group_by: str = ""
    listing: str = ""
    max_side: int = 512

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """See datasets.dataset.Dataset. Raises DataError: see `find`."""
        del origin, data_dir  # the location is a part of what this data set is
        progress(f"looking through {self.location}", 0, 0)
        _, images, listing = _listed(Path(self.location), self.group_by)
        if listing != self.listing:
            raise DataError(f"the images at {self.location} changed while they were read; start again")
        yield images


def find(location: str | None, group_by: str | None = None) -> OwnImages:
    """The data set at that place.

    location: a folder, in which each sub-folder is a class, or train/, val/ and test/ hold such sub-folders; or a CSV
        table with the columns path (from the table's folder) and label, perhaps split and others.
    Raises DataError (one line): nothing there, fewer than two classes, a class without images, images nested too deep,
    names that differ in case only or are not UTF-8, links in circles, rows without a label or a file, a file twice.
    """
    if location is None:
        raise DataError(f"images are yours to name: {RULE}")
    if is_address(location):
        raise DataError(f"--data is {location}, but must be on this machine; download it first: {RULE}")
    path = local(location)
    _check_encoding(str(path))
    classes, images, listing = _listed(path, group_by or "")
    own = any(image.split is not None for image in images)
    return OwnImages(
        name=f"images-{re.sub('[^a-z0-9]+', '-', path.stem.lower()).strip('-') or 'folder'}",
        title=path.name,
        location=str(path),
        classes=classes,
        counts=None if own else Shares(),
        group_by=group_by or "",
        listing=listing,
    )


def _listed(path: Path, group_by: str) -> tuple[tuple[str, ...], list[SourceImage], str]:
    """Classes in the order of their labels, every image, and a digest of all that was found."""
    if os.path.isdir(path):
        found = _in_folder(path, group_by)
    elif path.suffix.lower() == ".csv" and os.path.isfile(path):
        found = _in_table(path, group_by)
    else:
        there = "a file of another kind" if os.path.exists(path) else "not there"
        raise DataError(f"--data is {path}, which is {there}; {RULE}")
    classes = tuple(sorted({one.label for one in found}))
    if len(classes) < 2:
        only = f"has the one class {classes[0]!r}" if classes else "has no class"
        raise DataError(f"{path} {only}, but there must be at least two to tell apart; {RULE}")
    _check_every_split_knows_its_classes(path, found)
    _check_case(path, classes, "classes")
    _check_case(path, [one.name for one in found], "images")
    number = {name: label for label, name in enumerate(classes)}
    images = [
        SourceImage(name=one.name, label=number[one.label], read=one.file.read_bytes, split=one.split, group=one.group)
        for one in found
    ]
    digest = hashlib.sha256()
    for one in found:
        digest.update(repr((one.name, one.label, one.split, one.group, one.version)).encode())
    return classes, images, digest.hexdigest()


@dataclass(frozen=True)
class _Found:
    name: str
    label: str
    file: Path
    version: tuple[int, int]  # size in bytes and time of the last change in nanoseconds
    split: Split | None
    group: str


def _in_folder(root: Path, group_by: str) -> list[_Found]:
    if group_by not in ("", "prefix", "folder"):
        raise DataError(f"--group-by is {group_by!r}, but for a folder must be prefix or folder; columns are a table's")
    folders = _folders(root)
    by_split = {name: SPLIT_FOLDERS[name.lower()] for name in folders if name.lower() in SPLIT_FOLDERS}
    if len(by_split) != len(folders) or "train" not in by_split.values():
        return [image for name in folders for image in _of_class(root / name, name, name, None, group_by)]
    found: list[_Found] = []
    for name, split in by_split.items():
        for label in _folders(root / name):
            found += _of_class(root / name / label, f"{name}/{label}", label, split, group_by)
    if set(by_split.values()) == {"train"}:  # nothing is said of a split when all is for training
        found = [replace(one, split=None) for one in found]
    return found


def _check_every_split_knows_its_classes(root: Path, found: Sequence[_Found]) -> None:
    trained = {one.label for one in found if one.split in ("train", None)}
    for one in found:
        if one.label not in trained:
            raise DataError(
                f"the class {one.label!r} of {root} is in its {one.split} split, but has none for training; add some"
            )


def _of_class(folder: Path, prefix: str, label: str, split: Split | None, group_by: str) -> list[_Found]:
    files, inner = _entries(folder)
    groups = {file: _prefix(file) if group_by == "prefix" else "" for file in files}
    found = [_Found(f"{prefix}/{file}", label, folder / file, files[file], split, groups[file]) for file in files]
    for name in inner:
        if group_by != "folder":
            _check_holds_no_image(folder / name, label, group_by)
            continue
        files, deeper = _entries(folder / name)
        found += [
            _Found(f"{prefix}/{name}/{file}", label, folder / name / file, files[file], split, name) for file in files
        ]
        for further in deeper:
            _check_holds_no_image(folder / name / further, label, group_by)
    if not found:
        what = f"only folders, such as {inner[0]}" if inner else "no image"
        raise DataError(f"the class {label!r} at {folder} holds {what} ({', '.join(ENDINGS)}); add images or remove it")
    return found


def _check_holds_no_image(folder: Path, label: str, group_by: str) -> None:
    """Images at a depth that is not understood are refused, never passed over."""
    files, inner = _entries(folder)
    if files:
        place, remedy = "directly in its folder", ", or keep such folders together with --group-by folder"
        if group_by == "folder":
            place, remedy = "in its folder or in one below it", ""
        raise DataError(
            f"{folder} holds images too far below the class {label!r}: a class's images must lie {place}; move them "
            f"up, or name the folder of the classes with --data{remedy}"
        )
    for name in inner:
        _check_holds_no_image(folder / name, label, group_by)


def _folders(folder: Path) -> list[str]:
    files, inner = _entries(folder)
    if not inner:
        what = f"{len(files)} image(s), but no sub-folder" if files else "neither images nor sub-folders"
        raise DataError(f"{folder} holds {what}; {RULE}")
    return inner


def _entries(folder: Path) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Images (see _Found.version) and folders in it by name, in order; hidden ones and other files are passed over."""
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
                _check_encoding(entry.path)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be read ({error.strerror}); {RULE}") from None
    return files, folders


def _check_encoding(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name {path!r} is not in UTF-8, as those of images must be; rename it") from None


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


def _in_table(table: Path, group_by: str) -> list[_Found]:
    if group_by in ("prefix", "folder"):
        raise DataError(f"--group-by is {group_by}, but for a table must be one of its columns")
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            delimiter = "," if "," in file.readline() else ";"  # as spreadsheets write where the comma is decimal
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter)
            known = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = known
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read as a table ({error}); {RULE}") from None
    column = {
        what: next((name for wanted in names for name in known if name.lower() == wanted), None)
        for what, names in COLUMNS.items()
    }
    for what in ("path", "label"):
        if column[what] is None:
            raise DataError(f"{table} has the columns {', '.join(known) or '(none)'}, but no column {what}")
    if group_by and group_by not in known:
        raise DataError(f"--group-by {group_by}: " + unknown("column", group_by, known))
    found: list[_Found] = []
    line_of: dict[str, int] = {}
    for line, row in rows:
        one = _of_row(table, line, row, column, group_by)
        if (other := line_of.setdefault(one.name, line)) != line:
            raise DataError(f"{table}, line {line}: {one.name} stands in line {other} already; keep one of the two")
        found.append(one)
    return found


def _of_row(table: Path, line: int, row: dict[str, str | None], column: dict[str, str | None], group_by: str) -> _Found:
    def cell(name: str | None) -> str:
        return (row.get(name) or "").strip() if name else ""

    path, label, split = (cell(column[what]) for what in ("path", "label", "split"))
    if not path or not label:
        raise DataError(f"{table}, line {line}: there is no {'label' if path else 'path'}; fill it in or drop the line")
    if column["split"] and split.lower() not in SPLIT_FOLDERS:
        raise DataError(f"{table}, line {line}: the split is {split!r}, but must be train, val or test")
    file = table.parent / path
    try:
        facts = os.stat(file)
    except (OSError, ValueError):  # ValueError: a zero byte
        facts = None
    if facts is None or not stat.S_ISREG(facts.st_mode):
        hint = " and are written with /" if "\\" in path else ""
        raise DataError(f"{table}, line {line}: {path} is not there; paths start at the table's folder{hint}")
    # One name for a file however it is spelled: a/x.png, ./a/x.png or /where/the/table/is/a/x.png.
    name = os.path.normpath(path)
    if name.startswith(("..", os.sep)):
        name = os.path.relpath(file, table.parent)
    version = (facts.st_size, facts.st_mtime_ns)
    return _Found(name, label, file, version, SPLIT_FOLDERS.get(split.lower()), cell(group_by or None))


def _check_case(path: Path, names: Sequence[str], what: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise DataError(
                f"two {what} in {path} have names that differ in case only, {other} and {name}: they would be one on "
                "another machine; rename one"
            )
