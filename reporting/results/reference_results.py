"""The published numbers of the reports, as printed and with their sources: `results/published/<task>.csv`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from errors import unknown_name
from reporting.errors import ReportingError
from tasks.task import Task

FOLDER = Path(__file__).parents[2] / "results" / "published"
HEADER = ["table", "row", "column", "value", "note", "source"]


@dataclass(frozen=True, kw_only=True)
class PublishedValue:
    """One number of a report, kept as printed: 0.8750 stays 0.8750."""

    text: str
    note: str  # a caveat, such as "selected on test"
    source: str  # report and section

    @property
    def number(self) -> float:
        """The value as a number; a percentage becomes a fraction, since measured accuracies are fractions."""
        if self.text.endswith("%"):
            return float(self.text.removesuffix("%")) / 100
        return float(self.text)


@dataclass(frozen=True)
class Published:
    """The published numbers of one task, in the order of the file."""

    values: Mapping[tuple[str, str, str], PublishedValue] = field(default_factory=dict)  # by table, row, column

    def get(self, table: str, row: str, column: str) -> PublishedValue | None:
        """Return the published number of a cell; None where the report has none.

        Args:
            table: Name of the table.
            row: Name of the row, such as an arm.
            column: Field of the column.
        """
        return self.values.get((table, row, column))

    def rows(self, table: str) -> tuple[str, ...]:
        """Return the names of the rows of a report's table, in its order."""
        return tuple(dict.fromkeys(row for name, row, _ in self.values if name == table))


def read_published(task: Task, folder: Path = FOLDER) -> Published:
    """Read the published numbers of a task.

    Args:
        task: The task; a column of one of its tables must be one of the table's fields.
        folder: Folder with a CSV file per task.

    Returns:
        The numbers; none where the task has no file.

    Raises:
        ReportingError: When the file is not UTF-8, its first line differs, or a line is not valid or occurs twice.
    """
    path = folder / f"{task.name}.csv"
    if not path.is_file():
        return Published()
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets put a byte order mark in front
    except UnicodeDecodeError as error:
        raise ReportingError(f"{path} is not UTF-8 at byte {error.start}, but must be: save it as CSV UTF-8") from None
    columns = {table.name: [column.field for column in table.columns] for table in task.tables}
    values: dict[tuple[str, str, str], PublishedValue] = {}
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next(lines, [])
    if header != HEADER:
        raise ReportingError(
            f"{path} begins with {','.join(header) or 'nothing'!r}, "
            f"but its first line must name the columns: write {','.join(HEADER)!r}"
        )
    for entry in lines:
        if not entry:
            continue
        place = f"{path}, line {lines.line_num}"
        key, value = _entry(entry, place)
        table, _, column = key
        # Tables that the task does not print, such as runs copied from a screenshot, may have any column.
        if column not in columns.get(table, [column]):
            raise ReportingError(f"{place}: {unknown_name(f'column of table {table}', column, columns[table])}")
        if key in values:
            raise ReportingError(f"{place}: {', '.join(key)} stands twice, but a cell has one value: keep one line")
        values[key] = value
    return Published(values)


def _entry(entry: list[str], place: str) -> tuple[tuple[str, str, str], PublishedValue]:
    if len(entry) != len(HEADER):
        raise ReportingError(
            f"{place} has {len(entry)} fields, but needs {len(HEADER)} ({', '.join(HEADER)}): "
            "put a field that holds a comma between double quotes"
        )
    named = dict(zip(HEADER, (text.strip() for text in entry), strict=True))
    for name in ("table", "row", "column", "value", "source"):
        if not named[name]:
            raise ReportingError(f"{place} has no {name}, but only the note may be empty: write the {name}")
    value = PublishedValue(text=named["value"], note=named["note"], source=named["source"])
    if not _is_number(value):
        raise ReportingError(
            f"{place} has the value {value.text!r}, but a published value must be a number or a percentage: "
            "write it as printed, such as 0.8750 or 87.5%, and put words into the note"
        )
    return (named["table"], named["row"], named["column"]), value


def _is_number(value: PublishedValue) -> bool:
    try:
        return math.isfinite(value.number)
    except ValueError:
        return False
