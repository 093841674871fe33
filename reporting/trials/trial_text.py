"""Lists of trials as text for a terminal, a pipe, a Markdown file or another program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reporting.csv_text import csv_rows
from reporting.formats.markdown import escaped
from reporting.tables.formatting import ABSENT, duration
from reporting.trials.query import TrialQueryResult
from search_spaces.formatting import format_value

_CUT = 24  # least characters of a text that is cut
_SCORES = ("accuracy", "loss", "f1", "best", "precision", "recall")


def cell(column: str, value: Any) -> str:
    """Format a value for a reader.

    Args:
        column: Name of the column, which decides the format.
        value: The value; None is absent.
    """
    if value is None:
        return ABSENT
    if column == "seconds" or column.startswith("seconds_"):
        return duration(value)
    if isinstance(value, float):
        return f"{value:.4f}" if any(word in column for word in _SCORES) else format_value(value)
    return " ".join(str(value).split())  # a reason may have several lines


def terminal_text(runs: TrialQueryResult, width: int, colour: bool) -> str:
    """Render a line per trial within the width of the terminal; columns that do not fit are named below.

    The first column is always present. The last text, such as a reason, is cut before any column is omitted.

    Args:
        runs: The result of a query.
        width: Width of the terminal in characters.
        colour: Whether to write ANSI colours.
    """
    if not runs.columns:
        return ""  # the study has no trial yet
    for kept in range(len(runs.columns), 0, -1):
        # The varied axes precede the reason and are omitted first.
        columns = runs.columns[:kept]
        if runs.columns[-1] == "reason" and 1 < kept < len(runs.columns):
            columns = (*runs.columns[: kept - 1], "reason")
        lines = _aligned(runs, columns)
        longest = max(map(len, lines))
        if longest > width and columns[-1] in runs.prose and len(columns) > 1:
            rest = max(len(line) for line in _aligned(runs, columns[:-1]))
            if width - rest - 2 >= _CUT:
                lines = [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines]
                longest = width
        if longest <= width or kept == 1:
            break
    left_out = [name for name in runs.columns if name not in columns]
    if colour:
        lines[0] = f"\x1b[1m{lines[0]}\x1b[0m"
    if left_out:
        lines += ["", f"left out, for want of width: {', '.join(left_out)}; see --columns"]
    return "\n".join(lines)


def plain_text(runs: TrialQueryResult) -> str:
    """Render a line per trial for a pipe; nothing is cut or omitted."""
    return "\n".join(_aligned(runs, runs.columns))


def _aligned(runs: TrialQueryResult, columns: Sequence[str]) -> list[str]:
    """Write the headings and a line per trial, numbers aligned to the right and words to the left."""
    texts = [list(columns), *([cell(name, row[name]) for name in columns] for row in runs.rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    sides = [str.ljust if name in runs.prose else str.rjust for name in columns]
    return [
        "  ".join([side(word, width) for side, word, width in zip(sides, words, widths, strict=True)]).rstrip()
        for words in texts
    ]


def markdown_text(runs: TrialQueryResult) -> str:
    """Render the trials as a Markdown table."""
    lines = [
        list(runs.columns),
        ["---" if name in runs.prose else "---:" for name in runs.columns],
        *([escaped(cell(name, row[name])) for name in runs.columns] for row in runs.rows),
    ]
    return "\n".join(f"| {' | '.join(words)} |" for words in lines)


def csv_text(runs: TrialQueryResult) -> str:
    """Render the trials as CSV: numbers with all digits, absent values empty."""
    return csv_rows([runs.columns, *([row[name] for name in runs.columns] for row in runs.rows)]).rstrip("\n")


def json_text(runs: TrialQueryResult) -> str:
    """Render the trials as a JSON list of objects; absent values are null."""
    return json.dumps(
        [{name: row[name] for name in runs.columns} for row in runs.rows], indent=2, ensure_ascii=False, allow_nan=False
    )


FORMATS: Mapping[str, Callable[[TrialQueryResult], str]] = {
    "table": plain_text,
    "csv": csv_text,
    "json": json_text,
    "markdown": markdown_text,
}
