"""Tables on a terminal, by rich. A table too wide for it is turned on its side; a number is never broken or cut."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reporting.cells import RenderedTable

_LABEL_WIDTH = 14  # a column of words may be narrowed to this
_SENTENCE_WIDTH = 24  # and one of sentences to this


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    texts: tuple[str, ...]
    minimum: int
    wraps: bool


def terminal_text(
    heading: str, before: Sequence[str], tables: Sequence[RenderedTable], after: Sequence[str], width: int, colour: bool
) -> str:
    """A study: its heading, what to know first, its tables, what to know after."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=None if colour else True, highlight=False
    )
    with console.capture() as capture:
        console.print(Text(heading, style="bold"))
        for line in before:
            console.print(Text(line, style="yellow"))
        for table in tables:
            console.print()
            _print_table(console, table)
        console.print()
        for line in after:
            console.print(Text(line, style="dim"))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _print_table(console: Console, table: RenderedTable) -> None:
    console.print(Text(table.title, style="bold cyan"))
    for grid in _layout(console, table):
        console.print(grid)
    for note in table.footnotes:
        mark, _, text = note.partition(" ")
        line = Table.grid(padding=(0, 1))
        line.add_column(no_wrap=True, style="dim")
        line.add_column(style="dim")
        line.add_row(Text(f" {mark}"), Text(text))
        console.print(line)
    if table.remarks and table.notes:
        console.print()
    for remark in table.remarks:
        console.print(Padding(Text(remark), (0, 0, 0, 1)))
    for command in table.commands:
        console.print(Text(f" {command}", style="dim"), soft_wrap=True)  # one line, so that it can be copied


def _layout(console: Console, table: RenderedTable) -> list[Table]:
    """As the document has it; else on its side, fields downwards; else each row on its side, one under another."""
    upright = [_grid(list(_columns(table)))]
    if _measure(console, upright[0]).maximum > console.width:
        # Labels give way first and all alike: "Fine Tuned / (Best Variant)", wherever the other columns end.
        upright[0].columns[0].max_width = upright[0].columns[0].min_width
    sideways = [_grid(list(_turned(table, range(len(table.rows)))))]
    apart = [_grid(list(_turned(table, [row]))) for row in range(len(table.rows))]
    for grids in (upright, sideways):
        if all(_measure(console, grid).minimum <= console.width for grid in grids):
            return grids
    return apart


def _measure(console: Console, grid: Table) -> Measurement:
    """The least width in which the grid breaks no number, and the one in which nothing wraps."""
    return console.measure(grid, options=console.options.update(width=10_000))


def _grid(columns: Sequence[_Column]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    for column in columns:
        grid.add_column(
            Text(column.heading), min_width=column.minimum, no_wrap=not column.wraps, vertical="top", overflow="fold"
        )
    for texts in zip(*(column.texts for column in columns), strict=True):
        grid.add_row(*(Text(text) for text in texts))
    return grid


def _columns(table: RenderedTable) -> Iterator[_Column]:
    for index, heading in enumerate(table.headings):
        cells = [row[index] for row in table.rows]
        texts = tuple(cell.text for cell in cells)
        if heading.prose:
            yield _Column(heading=heading.text, texts=texts, minimum=_prose_width((heading.text, *texts)), wraps=True)
            continue
        title = f"{heading.text}\nmeasured" if heading.compared else _in_two_lines(heading.text)
        yield _Column(heading=title, texts=texts, minimum=_width(title, *texts), wraps=False)
        if heading.compared:
            printed = tuple(cell.published for cell in cells)
            yield _Column(heading="\npublished", texts=printed, minimum=_width("published", *printed), wraps=False)


def _turned(table: RenderedTable, rows: Sequence[int]) -> Iterator[_Column]:
    """Fields downwards: the table's first column becomes the heads of the others."""
    name, *fields = table.headings
    texts = tuple(heading.text for heading in fields)
    yield _Column(heading=name.text, texts=texts, minimum=_width(*texts), wraps=False)
    compared = any(heading.compared for heading in fields)
    for row in rows:
        label, *cells = table.rows[row]
        words = [cell.text for cell, heading in zip(cells, fields, strict=True) if heading.prose]
        numbers = [cell.text for cell, heading in zip(cells, fields, strict=True) if not heading.prose]
        yield _Column(
            heading=f"{label.text}\nmeasured" if compared else label.text,
            texts=tuple(cell.text for cell in cells),
            minimum=max(_width(*numbers), _prose_width((label.text, *words))),
            wraps=True,
        )
        if compared:
            printed = tuple(cell.published for cell in cells)
            yield _Column(heading="\npublished", texts=printed, minimum=_width("published", *printed), wraps=False)


def _prose_width(texts: Sequence[str]) -> int:
    """Words may be narrowed, but not so far that they read as a ribbon."""
    longest = max(map(cell_len, texts), default=0)
    word = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return max(word, min(longest, _LABEL_WIDTH if longest <= 2 * _SENTENCE_WIDTH else _SENTENCE_WIDTH))


def _width(*texts: str) -> int:
    return max((cell_len(line) for text in texts for line in text.split("\n")), default=0)


def _in_two_lines(heading: str) -> str:
    """Broken at the space nearest its middle, so that a long heading does not widen a column of short numbers."""
    spaces = [index for index, letter in enumerate(heading) if letter == " "]
    if not spaces:
        return heading
    middle = min(spaces, key=lambda index: abs(index - len(heading) / 2))
    return f"{heading[:middle]}\n{heading[middle + 1 :]}"
