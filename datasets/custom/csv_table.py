"""A table (CSV, TSV) as spreadsheets and programs write it: delimiters, headings, rows with their lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from datasets.custom.layout import RULE, composed
from datasets.dataset import DataError

DELIMITERS = ",;\t|"  # spreadsheets write ; where the comma is decimal
TOLD_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # a first line that Excel understands
MISSING = ("", "nan", "<na>")  # as pandas writes that there is no value


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table."""

    line: int  # its number in the file
    cells: Mapping[str, str]  # by heading, without blanks around


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it stands in a file."""

    path: Path
    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    def named(self, headings: Iterable[str]) -> list[str]:
        """Return the columns with one of these plain headings, in the table's order."""
        wanted = set(headings)
        return [heading for heading in self.headings if plain(heading) in wanted]


def plain(heading: str) -> str:
    """Return a heading as headings are compared: image_path for "Image Path"."""
    return re.sub(r"[\s-]+", "_", heading.strip().lower())


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in MISSING


def read_table(path: Path, usual: Collection[str]) -> Table:
    """Read a table.

    Args:
        path: The file.
        usual: Plain headings, by which the delimiter is recognized.

    Raises:
        DataError: The file cannot be read, is not in UTF-8, or a row has more cells than there are columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            told = TOLD_DELIMITER.fullmatch(first)
            if not told:
                file.seek(0)
            reader = csv.reader(file, delimiter=told[1] if told else _delimiter(first, usual))
            before = 1 if told else 0
            lines = [(reader.line_num + before, cells) for cells in reader if cells]
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} cannot be read as a table: it is not in UTF-8 ({error.reason} at byte {error.start + 1}); save "
            "it as CSV in UTF-8"
        ) from None
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read as a table ({reason}); {RULE}") from None
    headings = tuple(composed(cell.strip()) for cell in lines[0][1]) if lines else ()
    return Table(path=path, headings=headings, rows=tuple(_row(path, headings, *line) for line in lines[1:]))


def _delimiter(first: str, usual: Collection[str]) -> str:
    """Return the delimiter that makes most usual headings of the first line, then most headings."""

    def headings(delimiter: str) -> tuple[int, int]:
        found = [plain(heading.strip().strip('"')) for heading in first.split(delimiter)]
        return len(set(found) & set(usual)), len(found)

    return max(DELIMITERS, key=headings)


def _row(path: Path, headings: tuple[str, ...], line: int, cells: list[str]) -> Row:
    stripped = [cell.strip() for cell in cells]
    if any(stripped[len(headings) :]):
        raise DataError(
            f"{path}, line {line} has {len(cells)} cells, but the table {len(headings)} columns; put a cell that holds "
            "the delimiter in quotation marks"
        )
    padded = stripped + [""] * (len(headings) - len(cells))
    return Row(line=line, cells=dict(zip(headings, padded, strict=False)))
