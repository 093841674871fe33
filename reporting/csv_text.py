"""CSV text that every reader divides into the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_row(cells: Iterable[object]) -> str:
    """Return one row without its line end; None becomes an empty cell.

    A cell that holds either character of a line break is quoted: the csv module of Python 3.11 and 3.12 does that only
    for the characters of the line end it writes itself.

    Args:
        cells: Values of the row.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n")


def csv_rows(rows: Iterable[Iterable[object]]) -> str:
    r"""Return rows that end with "\n", on every platform."""
    return "".join(csv_row(row) + "\n" for row in rows)
