"""A user's own images in a table (CSV) of paths and labels."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

from datasets.custom.layout import RULE, SPLIT_WORDS, FoundImage, FoundImages, unify_names
from datasets.dataset import DataError
from errors import unknown_name

COLUMNS = {"path": ("path", "file", "filename", "image"), "label": ("label", "class"), "split": ("split",)}


def in_table(table: Path, group_by: str) -> FoundImages:
    """Return every image that a table names, in its order.

    Args:
        table: The CSV file.
        group_by: A column of it, or "".

    Raises:
        DataError: The table cannot be read, a column is missing, or an image is named twice.
    """
    if group_by in ("prefix", "folder"):
        raise DataError("for a table must be one of its columns", argument="group_by", value=group_by)
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            delimiter = "," if "," in file.readline() else ";"  # as spreadsheets write where the comma is decimal
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter)
            known = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = known
            rows = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table} cannot be read as a table: it is not in UTF-8 ({error.reason} at byte {error.start + 1}); save "
            "it as CSV in UTF-8"
        ) from None
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{table} cannot be read as a table ({reason}); {RULE}") from None
    column = {
        what: next((name for wanted in names for name in known if name.lower() == wanted), None)
        for what, names in COLUMNS.items()
    }
    for what in ("path", "label"):
        if column[what] is None:
            raise DataError(
                f"{table} has the columns {', '.join(known) or '(none)'}, but no column {what} (nor "
                f"{', '.join(COLUMNS[what][1:])}); its first line must name them"
            )
    if group_by and group_by not in known:
        raise DataError(unknown_name("column", group_by, known), argument="group_by")
    found: list[FoundImage] = []
    line_of: dict[str, int] = {}
    for line, row in rows:
        one = _of_row(table, line, row, column, group_by)
        if (other := line_of.setdefault(one.name, line)) != line:
            raise DataError(f"{table}, line {line}: {one.name} stands in line {other} already; keep one of the two")
        found.append(one)
    return FoundImages(unify_names(found), ())


def _of_row(
    table: Path, line: int, row: dict[str, str | None], column: dict[str, str | None], group_by: str
) -> FoundImage:
    def cell(name: str | None) -> str:
        return (row.get(name) or "").strip() if name else ""

    path, label, split = (cell(column[what]) for what in ("path", "label", "split"))
    if not path or not label:
        raise DataError(f"{table}, line {line}: there is no {'label' if path else 'path'}; fill it in or drop the line")
    if column["split"] and split.lower() not in SPLIT_WORDS:
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
    return FoundImage(name, label, file, version, SPLIT_WORDS.get(split.lower()), cell(group_by or None))
