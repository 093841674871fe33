"""Studies as text: for a terminal, as Markdown, LaTeX, HTML, CSV or JSON. Several stand side by side where they can."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import unknown_name
from reporting.errors import ReportingError
from reporting.formats.summary_json import summary
from reporting.results.reference_results import read_published
from reporting.tables.arm_tables import open_study
from reporting.tables.study_comparison import blocks
from reporting.tables.table import Block


def summarize_text(studies: Sequence[Path], format: str = "table") -> str:
    """Every study's tables in one text, without its last line break: whoever prints it adds that.

    Raises ReportingError, StudyNotFound, UnknownTask.
    """
    if format not in FORMATS:
        raise ReportingError(unknown_name("format", format, tuple(FORMATS)))
    return FORMATS[format](studies).rstrip("\n")


def table_text(studies: Sequence[Path], width: int | None = None, colour: bool | None = None) -> str:
    """For a terminal: as wide as it is, coloured only where it is one."""
    from reporting.formats.terminal import terminal_text  # rich's tables: a fifth of a second that JSON and CSV save

    columns = width or shutil.get_terminal_size(fallback=(100, 24)).columns
    coloured = sys.stdout.isatty() if colour is None else colour
    return "\n\n".join(terminal_text(block, columns, coloured) for block in _blocks(studies))


def markdown_of(studies: Sequence[Path]) -> str:
    from reporting.formats.markdown import markdown_text

    return "\n".join(map(markdown_text, _blocks(studies)))


def latex_of(studies: Sequence[Path]) -> str:
    """For \\input: the tables as floats; what stands around them as comments."""
    from reporting.formats.latex import latex_text

    return "\n".join(map(latex_text, _blocks(studies)))


def html_of(studies: Sequence[Path]) -> str:
    """One page that needs nothing beside it."""
    from reporting.formats.html import summary_page

    return summary_page(_blocks(studies))


def _blocks(studies: Sequence[Path]) -> list[Block]:
    return blocks([open_study(study) for study in studies])


def csv_of(studies: Sequence[Path]) -> str:
    """A row an arm, the studies one under another; a column that a study lacks is empty in its rows."""
    import pandas

    from reporting.formats.dataframes import summarize, to_csv

    return to_csv(pandas.concat([summarize(study) for study in studies], ignore_index=True))


def json_of(studies: Sequence[Path]) -> str:
    """One study as an object, several as a list of objects."""
    summaries = []
    for study in studies:
        record, task = open_study(study)
        summaries.append(summary(record, task, read_published(task)))
    return json_text(summaries[0] if len(summaries) == 1 else summaries)


def json_text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Path]], str]] = {
    "table": table_text,
    "markdown": markdown_of,
    "latex": latex_of,
    "html": html_of,
    "csv": csv_of,
    "json": json_of,
}
