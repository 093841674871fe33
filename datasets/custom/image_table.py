"""A user's own images in a table (CSV, TSV) of paths and labels."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from datasets.custom.layout import RULE, SPLIT_FOLDERS, FoundImage, normalized
from datasets.dataset import DataError
from datasets.readers.location import existing
from errors import arg, unknown_name

TABLES = (".csv", ".tsv")
DELIMITERS = (",", ";", "\t", "|")  # a semicolon where the comma is decimal
# Headings in lower case, with _ for spaces and hyphens; the first name counts if it is there beside another.
COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img"),
    "label": ("label", "labels", "class", "class_name", "category", "target"),
    "split": ("split", "subset", "partition", "fold", "set", "dataset", "data_set"),
}
# Headings that may mean something else than a split: asked about only where a cell says train, val or test.
AMBIGUOUS = ("set", "dataset", "data_set")
NO_LABELS = ("", "nan", "<na>")  # what pandas writes for a missing value


@dataclass(frozen=True)
class _Table:
    path: Path
    columns: dict[str, str | None]  # heading of path, label and split
    rows: list[tuple[int, dict[str, str]]]  # line, cells by heading


def in_table(table: Path, group_by: str) -> list[FoundImage]:
    """Return every image that a table names, in its order.

    Args:
        table: The CSV or TSV file.
        group_by: A column of it, or "".

    Raises:
        DataError: The table cannot be read, a column is missing or ambiguous, a row has no label or several, or an
            image is named twice.
    """
    if group_by in ("prefix", "folder"):
        raise DataError("for a table must be one of its columns", argument="group_by", value=group_by)
    read = _read(table, group_by)
    found: list[FoundImage] = []
    line_of: dict[str, int] = {}
    for line, row in read.rows:
        one = _of_row(read, line, row, group_by)
        if (other := line_of.setdefault(one.name, line)) != line:
            raise DataError(f"{table}, line {line}: {one.name} stands in line {other} already; keep one of the two")
        found.append(one)
    _check_single_labels(table, found, [line for line, _ in read.rows])
    return found


def _read(table: Path, group_by: str) -> _Table:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            content = file.read()
        told = re.match(r'"?sep=(.)"?\r?\n', content, re.IGNORECASE)  # Excel's own first line
        start, lines_before = (told.end(), 1) if told else (0, 0)
        delimiter = told[1] if told else _delimiter(content.partition("\n")[0])
        reader = csv.reader(io.StringIO(content[start:], newline=""), delimiter=delimiter)
        headings = [heading.strip() for heading in next(reader, [])]
        rows = [
            (
                reader.line_num + lines_before,
                dict(zip_longest(headings, map(str.strip, cells[: len(headings)]), fillvalue="")),
            )
            for cells in reader
            if cells
        ]
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table} cannot be read as a table: it is not in UTF-8 ({error.reason} at byte {error.start + 1}); save "
            "it as CSV in UTF-8"
        ) from None
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{table} cannot be read as a table ({reason}); {RULE}") from None
    if group_by and group_by not in headings:
        raise DataError(unknown_name("column", group_by, headings), argument="group_by")
    columns = {what: _column(table, what, headings, group_by) for what in COLUMNS}
    for what in ("path", "label"):
        if columns[what] is None:
            raise DataError(
                f"{table} has the columns {', '.join(headings) or '(none)'}, but no column {what} (nor "
                f"{', '.join(COLUMNS[what][1:])}); its first line must name them"
            )
    columns["split"] = _split_column(table, columns["split"], rows)
    return _Table(table, columns, rows)


def _delimiter(first_line: str) -> str:
    """Return the delimiter that divides the first line into the most headings that are understood."""
    known = {name for names in COLUMNS.values() for name in names}

    def understood(delimiter: str) -> int:
        return sum(_plain(heading) in known for heading in next(csv.reader([first_line], delimiter=delimiter), []))

    return max(DELIMITERS, key=understood)  # the first of equals


def _plain(heading: str) -> str:
    return re.sub(r"[\s-]+", "_", heading.strip().lower())


def _column(table: Path, what: str, headings: Sequence[str], group_by: str) -> str | None:
    """Return the heading of a column, or None; of several that may be meant, none is guessed."""
    first, *others = COLUMNS[what]
    exact = [heading for heading in headings if _plain(heading) == first]
    found = exact or [heading for heading in headings if _plain(heading) in others and heading != group_by]
    if len(found) > 1:
        raise DataError(
            f"{table} has the columns {' and '.join(found)}, which may each be the {what}; rename the one that is "
            f"meant to {first}"
        )
    return found[0] if found else None


def _split_column(table: Path, heading: str | None, rows: Iterable[tuple[int, dict[str, str]]]) -> str | None:
    """Return the heading of the splits, None where another word than `split` heads something else."""
    if heading is None:
        return None
    values = Counter(row[heading] for _, row in rows)
    other = next((value for value in values if value.lower() not in SPLIT_FOLDERS), None)
    if other is None or _plain(heading) == "split":  # whose cells are checked line by line
        return heading
    if _plain(heading) in AMBIGUOUS and not any(value.lower() in SPLIT_FOLDERS for value in values):
        return None
    raise DataError(
        f"{table} has the column {heading} with {other!r}: if it divides the images, its cells must be train, val or "
        f"test; if not, rename it, or keep its images together with {arg.group_by} {heading!r}"
    )


def _of_row(table: _Table, line: int, row: dict[str, str], group_by: str) -> FoundImage:
    path, label, split = (row[heading] if (heading := table.columns[what]) else "" for what in COLUMNS)
    place = f"{table.path}, line {line}"
    if not path or label.lower() in NO_LABELS:
        shown = f" ({label})" if path and label else ""
        raise DataError(f"{place}: there is no {'label' if path else 'path'}{shown}; fill it in or drop the line")
    if table.columns["split"] and split.lower() not in SPLIT_FOLDERS:
        raise DataError(f"{place}: the split is {split!r}, but must be train, val or test")
    file = Path(existing(str(table.path.parent / path)))
    try:
        facts = os.stat(file)
    except (OSError, ValueError):  # ValueError: a zero byte
        facts = None
    if facts is None or not stat.S_ISREG(facts.st_mode):
        hint = " and are written with /" if "\\" in path else ""
        raise DataError(f"{place}: {path} is not there; paths start at the table's folder{hint}")
    # One name for a file however it is spelled: a/x.png, ./a/x.png or /where/the/table/is/a/x.png.
    name = os.path.normpath(path)
    if name.startswith(("..", os.sep)):
        name = os.path.relpath(file, table.path.parent)
    return FoundImage(
        name=normalized(name),
        label=re.sub(r"^(-?\d+)\.0+$", r"\1", normalized(label)),  # 0 and 0.0 are one class
        file=file,
        version=(facts.st_size, facts.st_mtime_ns),
        split=SPLIT_FOLDERS.get(split.lower()),
        group=row[group_by] if group_by else "",
    )


def _check_single_labels(table: Path, found: Sequence[FoundImage], lines: Sequence[int]) -> None:
    """Refuse cells of several labels: "cat,insect" where cat is a label, or both stand in other combinations too."""
    parts = {one.label: [part for part in map(str.strip, re.split(r"[,;|]", one.label)) if part] for one in found}
    combinations = Counter(part for several in parts.values() for part in set(several) if len(several) > 1)
    for one, line in zip(found, lines, strict=True):
        several = parts[one.label]
        listed = one.label.startswith("[") and one.label.endswith("]")
        known = any(part in parts for part in several) or all(combinations[part] > 1 for part in several)
        if listed or (len(several) > 1 and known):
            raise DataError(
                f"{table}, line {line}: the label {one.label!r} names several classes, but an image has one here; "
                "name one class in each line"
            )
