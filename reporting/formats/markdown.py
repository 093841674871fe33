"""GitHub Markdown tables, drawn with rich's Markdown box."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import chain

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reporting.tables.study_comparison import Study, blocks
from reporting.tables.table import Block, RenderedTable, in_brackets, with_marks

_NEVER_WRAPS = 1_000_000


def markdown_text(block: Block) -> str:
    """Render a study: heading, status lines, tables, and the lines after the tables."""
    around = map(escaped, block.before), map(markdown_table, block.tables), map(escaped, block.after)
    parts = [f"## {escaped(block.heading)}", *chain(*around)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def markdown_table(table: RenderedTable) -> str:
    """Render a table: title, rows, footnotes, remarks and commands."""
    grid = Table(box=box.MARKDOWN)
    marked = with_marks(table, in_brackets)
    for heading in marked.headings:
        grid.add_column(Text(escaped(f"{heading.text}, measured" if heading.compared else heading.text)))
        if heading.compared:
            grid.add_column(Text("published"))
    for texts in marked.texts:
        grid.add_row(*(Text(escaped(text)) for text in texts))
    text = io.StringIO()
    Console(file=text, width=_NEVER_WRAPS, no_color=True, force_terminal=False).print(grid)
    lines = [line.strip() for line in text.getvalue().splitlines() if line.strip()]
    notes = [f"- {escaped(f'[{number}] {note}')}" for number, note in enumerate(table.notes, 1)]
    remarks = [line for remark in table.remarks for line in ("", escaped(remark))]
    commands = ["", "```sh", *table.commands, "```"] if table.commands else []
    below = [*(["", *notes] if notes else []), *remarks, *commands]
    return "\n".join([f"### {escaped(table.title)}", "", *lines, *below]) + "\n"


def escaped(text: str) -> str:
    """Escape text for a table cell.

    A bar would end the cell, a line break the row, and a star begins emphasis. Underscores inside words do not.
    """
    for letter in "\\|*`<":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())


def render(studies: Sequence[Study]) -> str:
    """Render studies as Markdown."""
    return "\n".join(map(markdown_text, blocks(studies)))
