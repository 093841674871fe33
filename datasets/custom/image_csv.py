"""A user's own images in a table (CSV, TSV) of paths and labels."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets.custom.csv_table import Row, Table, is_missing, read_table
from datasets.custom.layout import SPLIT_WORDS, FoundImage, FoundImages, composed, unify_names
from datasets.dataset import DataError, Split
from datasets.readers.location import on_disk
from errors import unknown_name

TABLE_ENDINGS = (".csv", ".tsv")
# Plain headings (see csv_table.plain): the first that a table has is taken.
COLUMNS = {"path": ("path", "file", "filename", "image"), "label": ("label", "class")}
# Where it has none of those, the one of these that it has.
SYNONYMS = {
    "path": ("file_name", "filepath", "file_path", "image_path", "img"),
    "label": ("labels", "class_name", "category", "target"),
}
SPLIT_SYNONYMS = ("subset", "fold", "set", "data_set", "dataset", "partition")
MOST_NUMBERS = 20  # of a column that may be the split; with more of them it numbers something else
SEVERAL = re.compile(r"\s*[,|;]\s*")  # between the labels of a cell that holds several


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Headings of the columns that are read; None or "" where the table has none."""

    path: str
    label: str
    split: str | None
    group: str


def in_table(path: Path, group_by: str) -> FoundImages:
    """Return every image that a table names, in its order.

    Args:
        path: The file.
        group_by: A column of it, or "".

    Raises:
        DataError: The table cannot be read, a column is missing or not clear, a cell is wrong, or an image is named
            twice.
    """
    if group_by in ("prefix", "folder"):
        raise DataError("for a table must be one of its columns", argument="group_by", value=group_by)
    usual = {heading for known in (COLUMNS, SYNONYMS) for headings in known.values() for heading in headings}
    table = read_table(path, usual)
    group = composed(group_by)
    if group and group not in table.headings:
        raise DataError(unknown_name("column", group_by, table.headings), argument="group_by")
    path_column, label_column = (_column(table, what) for what in COLUMNS)
    split, notices = _split_column(table, group)
    columns = _Columns(path=path_column, label=label_column, split=split, group=group)
    if group and table.headings.count(group) > 1:
        raise DataError(f"{path} has the column {group_by!r} twice; rename or drop one of them")
    found: list[FoundImage] = []
    line_of: dict[str, int] = {}
    for row in table.rows:
        one = _of_row(path, row, columns)
        if (other := line_of.setdefault(one.name, row.line)) != row.line:
            raise DataError(f"{path}, line {row.line}: {one.name} stands in line {other} already; keep one of the two")
        found.append(one)
    _check_one_label_a_cell(table, columns.label)
    return FoundImages(unify_names(found, _common), notices)


def _column(table: Table, what: str) -> str:
    """Return the heading of the paths or labels. Raises DataError where there is none, or more than one may be it."""
    for heading in COLUMNS[what]:
        if candidates := table.named([heading]):
            break
    else:
        candidates = table.named(SYNONYMS[what])
    if not candidates:
        synonyms = ", ".join([*COLUMNS[what][1:], *SYNONYMS[what]])
        raise DataError(
            f"{table.path} has the columns {', '.join(table.headings) or '(none)'}, but no column {what} (nor "
            f"{synonyms}); its first line must name them"
        )
    return _only(table, candidates, what)


def _split_column(table: Table, group: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the heading of the splits, if any, and a notice of each column that might be taken for one.

    Raises DataError where a column may be one, but its values do not say so.
    """
    if own := table.named(["split"]):
        return _only(table, own, "split"), ()
    taken: list[str] = []
    values_of = {
        heading: sorted({row.cells[heading].lower() for row in table.rows})
        for heading in table.named(SPLIT_SYNONYMS)
        if heading != group
    }
    notices: list[str] = []
    doubtful = ""
    for heading, values in values_of.items():
        shown = ", ".join(value or "(empty)" for value in values[:3]) + (", ..." if len(values) > 3 else "")
        said = {SPLIT_WORDS.get(value) for value in values}
        if None not in said:
            taken += [heading] if said - {"train"} else []  # nothing is said of a split when all is for training
        elif len(values) > 1 and _may_split(values):
            doubtful = (
                f"the column {heading!r} of {table.path} may say which split an image is in, but its values are "
                f"{shown}: rename it to split, with train, val and test in it, or, where it says something else, drop "
                "it or rename it to something else"
            )
        elif len(values) > 1:
            notices.append(f"the column {heading!r} is not taken as the split, since its values are others ({shown})")
    if doubtful and not taken:
        raise DataError(doubtful)
    return _only(table, taken, "split") if taken else None, tuple(notices)


def _may_split(values: Sequence[str]) -> bool:
    """Whether some values are splits, or all are the numbers of a few parts."""
    given = [value for value in values if not is_missing(value)]
    are_numbers = 0 < len(given) <= MOST_NUMBERS and all(re.fullmatch(r"\d+(\.0*)?", value) for value in given)
    return are_numbers or any(value in SPLIT_WORDS for value in values)


def _only(table: Table, headings: Sequence[str], what: str) -> str:
    """Return the one heading. Raises DataError where there are more."""
    if len(headings) > 1:
        raise DataError(
            f"{table.path} has the columns {' and '.join(map(repr, headings))}, any of which may be the {what}; rename "
            f"the right one to {what} and the others to something else, or drop them"
        )
    return headings[0]


def _of_row(table: Path, row: Row, columns: _Columns) -> FoundImage:
    path, label = row.cells[columns.path], row.cells[columns.label]
    for what, cell in (("path", path), ("label", label)):
        if is_missing(cell):
            said = f" ({cell!r} says so)" if cell else ""
            raise DataError(f"{table}, line {row.line}: there is no {what}{said}; fill it in or drop the line")
    split: Split | None = None
    if columns.split is not None:
        word = row.cells[columns.split]
        if word.lower() not in SPLIT_WORDS:
            raise DataError(f"{table}, line {row.line}: the split is {word!r}, but must be train, val or test")
        split = SPLIT_WORDS[word.lower()]
    file = Path(on_disk(str(table.parent / path)))
    try:
        facts = os.stat(file)
    except (OSError, ValueError):  # ValueError: a zero byte
        facts = None
    if facts is None or not stat.S_ISREG(facts.st_mode):
        hint = " and are written with /" if "\\" in path else ""
        raise DataError(f"{table}, line {row.line}: {path} is not there; paths start at the table's folder{hint}")
    # One name for a file however it is spelled: a/x.png, ./a/x.png or /where/the/table/is/a/x.png.
    name = os.path.relpath(file, table.parent)
    group = row.cells[columns.group] if columns.group else ""
    return FoundImage(name, label, file, (facts.st_size, facts.st_mtime_ns), split, "" if is_missing(group) else group)


def _check_one_label_a_cell(table: Table, column: str) -> None:
    """Refuse cells such as cat|dog beside cells that hold cat: labels in one name that are labels of others too.

    A comma and a blank may belong to a name, as in ImageNet's "maillot, tank suit": then all parts must be labels.
    """
    parts_of = {label: set(SEVERAL.split(label)) for label in {row.cells[column] for row in table.rows}}
    holders = Counter(part for parts in parts_of.values() for part in parts)
    for row in table.rows:
        label = row.cells[column]
        parts = parts_of[label]
        known = [part for part in parts if holders[part] > 1]
        is_list = label.startswith("[") and label.endswith("]")  # as Python prints one
        is_several = len(parts) > 1 and known and (len(known) == len(parts) or not re.search(r",\s", label))
        if is_list or is_several:
            raise DataError(
                f"{table.path}, line {row.line}: {label!r} are several labels, but an image has one class; keep one of "
                "them, or name the combination by a word of its own"
            )


def _common(name: str) -> str:
    """Return the name of all spellings of a class or group: 0 for 0.0, which is how numbers beside gaps are written."""
    number = re.fullmatch(r"(-?\d+)\.0*", name)
    return number[1] if number else composed(name)
