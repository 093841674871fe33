"""Terminal tables, drawn by rich. A table wider than the terminal changes its layout; numbers never break."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reporting.tables.formatting import ABSENT
from reporting.tables.study_comparison import Study, blocks
from reporting.tables.table import Block, Cell, Heading, RenderedTable, in_brackets, transposed, with_marks

_LABEL_WIDTH = 14  # characters to which a column of words may shrink
_SENTENCE_WIDTH = 24  # characters to which a column of sentences may shrink


_UNBROKEN = "\u00a0"  # replaces a space at which no line may break


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    texts: tuple[str, ...]
    minimum: int
    maximum: int  # the width in which nothing wraps; a column whose minimum is equal never wraps


def terminal_text(block: Block, width: int, colour: bool) -> str:
    """Render a study: heading, status lines, tables, and the lines after the tables.

    Args:
        block: The study, or several side by side.
        width: Width of the terminal in characters.
        colour: Whether to write ANSI colours.
    """
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=None if colour else True, highlight=False
    )
    with console.capture() as capture:
        console.print(Text(block.heading, style="bold"))
        for line in block.before:
            console.print(Text(line, style="yellow"))
        for table in block.tables:
            console.print()
            _print_table(console, table)
        console.print()
        for line in block.after:
            console.print(Text(line, style="dim"))
    text = "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
    return re.sub("\n{3,}", "\n\n", text)  # rich ends a grid with an empty line


def _print_table(console: Console, table: RenderedTable) -> None:
    console.print(Text(table.title, style="bold cyan"))
    for grid in _layout(console.width, with_marks(table, in_brackets)):
        console.print(grid)
    for number, note in enumerate(table.notes, 1):
        line = Table.grid(padding=(0, 1))
        line.add_column(no_wrap=True, style="dim")
        line.add_column(style="dim")
        line.add_row(Text(f" [{number}]"), Text(note))
        console.print(line)
    if table.remarks and table.notes:
        console.print()
    for remark in table.remarks:
        console.print(Padding(Text(remark), (0, 0, 0, 1)))
    for command in table.commands:
        console.print(Text(f" {command}", style="dim"), soft_wrap=True)  # one line, so that it can be copied


def _layout(width: int, table: RenderedTable) -> list[Table]:
    """Choose a layout: upright, else transposed, else with published lines below the measured ones.

    Where all of them are too wide, the table is transposed into several grids, each of as many rows as fit.
    """
    upright = list(_columns(table))
    if _needs([column.maximum for column in upright]) > width:
        # Labels shrink before the other columns: "Fine Tuned / (Best Variant)".
        label = upright[0]
        texts = tuple(_wrapped(text, label.minimum) for text in label.texts)
        upright[0] = replace(label, texts=texts, maximum=_width(label.heading, *texts))
    for columns in (upright, _transposed(table, table.rows), _in_lines(table)):
        if columns and _fits(columns, width):
            return [_grid(columns, width)]
    groups: list[list[tuple[Cell, ...]]] = []
    for row in table.rows:
        if groups and _fits(_transposed(table, [*groups[-1], row]), width):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_grid(_transposed(table, rows), width) for rows in groups]


def _fits(columns: Sequence[_Column], width: int) -> bool:
    return _needs([column.minimum for column in columns]) <= width


def _needs(widths: Sequence[int]) -> int:
    """Return a grid's width: one blank before the first column, three between columns, one at the end."""
    return sum(widths) + 3 * (len(widths) - 1) + 2


def _grid(columns: Sequence[_Column], width: int) -> Table:
    """Give free width to the narrowest column that wraps, one character at a time."""
    widths = [column.minimum for column in columns]
    while _needs(widths) < width:
        narrow = [index for index, column in enumerate(columns) if widths[index] < column.maximum]
        if not narrow:
            break
        widths[min(narrow, key=lambda index: widths[index])] += 1
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    for column, share in zip(columns, widths, strict=True):
        grid.add_column(Text(_wrapped(column.heading, share)), width=share, vertical="top", overflow="fold")
    for texts in zip(*(column.texts for column in columns), strict=True):
        grid.add_row(*(Text(_wrapped(text, share)) for text, share in zip(texts, widths, strict=True)))
    return grid


def _wrapped(text: str, width: int) -> str:
    """Break a text at spaces into lines of at most `width`; longer names break after an underscore."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and cell_len(f"{line} {word}") > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            while cell_len(line) > width and (end := line.rfind("_", 0, width) + 1):
                lines.append(line[:end])
                line = line[end:]
        lines.append(line)
    return "\n".join(lines).replace(_UNBROKEN, " ")


def _columns(table: RenderedTable) -> Iterator[_Column]:
    for index, heading in enumerate(table.headings):
        texts = tuple(row[index].text for row in table.rows)
        title = heading.text if heading.prose else _in_two_lines(heading.text)
        if heading.compared:
            title = f"{heading.text}\nmeasured"
        widest = _width(title, *texts)
        minimum = _prose_width((heading.text, *texts)) if heading.prose else widest
        yield _Column(heading=title, texts=texts, minimum=minimum, maximum=widest)
        if heading.compared:
            printed = tuple(row[index].published.text for row in table.rows)
            share = _width("published", *printed)
            yield _Column(heading="\npublished", texts=printed, minimum=share, maximum=share)


def _transposed(table: RenderedTable, rows: Sequence[tuple[Cell, ...]]) -> list[_Column]:
    """Lay out a row per field; labels and sentences wrap, numbers and names of fields do not."""
    name, *fields = table.headings
    unbroken = []
    for label, *cells in rows:
        pairs = zip(cells, fields, strict=True)
        kept = (cell if field.prose else replace(cell, text=_unbroken(cell.text)) for cell, field in pairs)
        unbroken.append((label, *kept))
    names = (replace(field, text=_unbroken(field.text)) for field in fields)
    side = transposed(replace(table, headings=(name, *names), rows=tuple(unbroken)))
    return list(_columns(replace(side, headings=tuple(replace(heading, prose=True) for heading in side.headings))))


def _unbroken(text: str) -> str:
    return text.replace(" ", _UNBROKEN)


def _in_lines(table: RenderedTable) -> list[_Column]:
    """Lay out a line of measured and one of published numbers per row; empty where none are compared."""
    name, *fields = table.headings
    if not any(heading.compared for heading in fields) or any(heading.prose for heading in fields):
        return []
    rows = []
    for label, *cells in table.rows:
        lines = {"measured": [cell.text for cell in cells], "published": [cell.published.text for cell in cells]}
        shown = {kind: texts for kind, texts in lines.items() if set(texts) - {"", ABSENT}}
        shown = shown or {"measured": lines["measured"]}
        texts = ["\n".join(shown), *map("\n".join, zip(*shown.values(), strict=True))]
        rows.append((label, *(Cell(text=text) for text in texts)))
    headings = (name, Heading(), *(replace(heading, compared=False) for heading in fields))
    return list(_columns(replace(table, headings=headings, rows=tuple(rows))))


def _prose_width(texts: Sequence[str]) -> int:
    """Return how narrow a column of words may become while it stays readable."""
    longest = max(map(cell_len, texts), default=0)
    word = max((cell_len(part) for text in texts for part in re.findall(r"[^ \n_]+_?|_", text)), default=0)
    return max(word, min(longest, _LABEL_WIDTH if longest <= 2 * _SENTENCE_WIDTH else _SENTENCE_WIDTH))


def _width(*texts: str) -> int:
    return max((cell_len(line) for text in texts for line in text.split("\n")), default=0)


def _in_two_lines(heading: str) -> str:
    """Break a long heading at most once, so that it does not widen a column of short numbers."""
    return next(text for width in count(1) if (text := _wrapped(heading, width)).count("\n") < 2)


def render(studies: Sequence[Study], width: int | None = None, colour: bool | None = None) -> str:
    """Render studies for a terminal.

    Args:
        studies: Records with their tasks.
        width: Width in characters; None takes the terminal's.
        colour: Whether to write ANSI colours; None writes them where the output is a terminal.
    """
    columns = width or shutil.get_terminal_size(fallback=(100, 24)).columns
    coloured = sys.stdout.isatty() if colour is None else colour
    return "\n\n".join(terminal_text(block, columns, coloured) for block in blocks(studies))
