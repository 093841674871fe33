"""Study tables injected into a Markdown file between two comments, as in the traffic-signs report."""

from __future__ import annotations

import re
from pathlib import Path

from atomic_file import write_atomically
from errors import arg, unknown_name
from reporting.errors import ReportingError
from reporting.formats.markdown import markdown_table
from reporting.tables.arm_tables import document_tables, open_study

# Comments that Markdown does not show: [comment]: # (result_table_start) ... [comment]: # (result_table_end)
_MARK = r"^\[comment\]: # \({name}_{end}\)[ \t]*(?=\r?$)"


def write_into(study: Path, target: Path) -> list[str]:
    """Write the study's tables between their marks in a Markdown file.

    The rest of the file keeps its text and its line ends. The write is atomic.

    Args:
        study: Folder of the study.
        target: A UTF-8 Markdown file with marks for at least one table.

    Returns:
        The names of the tables that were written.

    Raises:
        ReportingError: When the file cannot be read, is not UTF-8, has no marks, or has a start without an end.
    """
    record, task = open_study(study)
    try:
        text = target.read_bytes().decode()
    except OSError as error:
        raise ReportingError(f"{arg.into} {target}: {error.strerror}; name a Markdown file that can be read") from None
    except UnicodeDecodeError as error:
        raise ReportingError(f"{arg.into} {target}: it is not UTF-8 at byte {error.start}; save it as UTF-8") from None
    line_end = "\r\n" if "\r\n" in text else "\n"
    tables = {table.name: table for table in document_tables(record, task)}
    written = []
    for name, table in tables.items():
        start, end = (re.search(_MARK.format(name=name, end=end), text, re.MULTILINE) for end in ("start", "end"))
        if start is None and end is None:
            continue
        if start is None or end is None or end.start() < start.end():
            raise ReportingError(
                f"{arg.into} {target}: the marks of {name} must be a start and, below it, an end; mend them"
            )
        inner = markdown_table(table).replace("\n", line_end)
        text = f"{text[: start.end()]}{line_end * 2}{inner}{line_end}{text[end.start() :]}"
        written.append(name)
    if not written:
        _raise_without_marks(target, text, list(tables))
    write_atomically(target.resolve(), text)  # resolved, so that a symbolic link stays a link
    return written


def _raise_without_marks(target: Path, text: str, names: list[str]) -> None:
    other = re.search(_MARK.format(name=r"(\w+)", end="start"), text, re.MULTILINE)
    if other:
        raise ReportingError(f"{arg.into} {target}: " + unknown_name("table", other.group(1), names))
    raise ReportingError(
        f"{arg.into} {target}: it has no place for a table; add the two lines [comment]: # ({names[0]}_start) and "
        f"[comment]: # ({names[0]}_end), with empty lines around them"
    )
