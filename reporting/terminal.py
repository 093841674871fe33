"""Tables on a terminal, by rich. A table too wide for it is laid out anew; a number is never broken or cut."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reporting.cells import Cell, RenderedTable, in_brackets, with_marks
from reporting.quantities import ABSENT

_LABEL_WIDTH = 14  # a column of words may be narrowed to this
_SENTENCE_WIDTH = 24  # and one of sentences to this


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    texts: tuple[str, ...]
    minimum: int
    wraps: bool

    @property
    def maximum(self) -> int:
        """The width in which nothing wraps."""
        return _width(self.heading, *self.texts)


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
    text = "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
    return re.sub("\n{3,}", "\n\n", text)  # a grid ends with an empty line of its own


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
    """As the document has it; else on its side, fields downwards; else published lines under the measured ones.

    Where that is too wide as well, on its side in several grids, each of as many rows as fit.
    """
    label, *others = _columns(table)
    if _needs([column.maximum for column in (label, *others)]) > width:
        # Labels give way first and all alike: "Fine Tuned / (Best Variant)", wherever the other columns end.
        label = replace(label, texts=tuple(_wrapped(text, label.minimum) for text in label.texts))
    upright = [label, *others]
    if _fits(upright, width):
        return [_grid(upright, width)]
    groups = _sideways(table, width)
    under = list(_in_lines(table))
    compared = any(heading.compared for heading in table.headings)
    if (
        len(groups) > 1
        and compared
        and not any(heading.prose for heading in table.headings[1:])
        and _fits(under, width)
    ):
        return [_grid(under, width)]
    return [_grid(list(_turned(table, rows)), width) for rows in groups]


def _sideways(table: RenderedTable, width: int) -> list[list[int]]:
    """Which of its rows stand beside each other where the table lies on its side: as many as fit, at least one."""
    groups: list[list[int]] = []
    for row in range(len(table.rows)):
        if groups and _fits(list(_turned(table, [*groups[-1], row])), width):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _fits(columns: Sequence[_Column], width: int) -> bool:
    return _needs([column.minimum for column in columns]) <= width


def _needs(widths: Sequence[int]) -> int:
    """The grid's width: a blank before the first column, three between two, one after the last."""
    return sum(widths) + 3 * (len(widths) - 1) + 2


def _grid(columns: Sequence[_Column], width: int) -> Table:
    """What the columns leave free goes to the narrowest of those that wrap, until nothing does."""
    widths = [column.minimum for column in columns]
    while _needs(widths) < width:
        narrow = [index for index, column in enumerate(columns) if column.wraps and widths[index] < column.maximum]
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
    """Lines of at most that width, broken at spaces; a name longer than a line after one of its underscores."""
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
    return "\n".join(lines)


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
            printed = tuple(cell.published.text for cell in cells)
            yield _Column(heading="\npublished", texts=printed, minimum=_width("published", *printed), wraps=False)


def _in_lines(table: RenderedTable) -> Iterator[_Column]:
    """Every column once: in a row, a line of measured cells and below it the published ones, if it has both."""
    name, *fields = table.headings
    labels = tuple(row[0].text for row in table.rows)
    yield _Column(heading=name.text, texts=labels, minimum=_prose_width((name.text, *labels)), wraps=True)
    said = [_said(row[1:]) for row in table.rows]
    kinds = tuple("\n".join(lines) for lines in said)
    yield _Column(heading="", texts=kinds, minimum=_width(*kinds), wraps=False)
    for index, heading in enumerate(fields, start=1):
        title = _in_two_lines(heading.text)
        texts = tuple(
            "\n".join({"measured": row[index].text, "published": row[index].published.text}[line] for line in lines)
            for row, lines in zip(table.rows, said, strict=True)
        )
        yield _Column(heading=title, texts=texts, minimum=_width(title, *texts), wraps=False)


def _said(cells: Sequence[Cell]) -> list[str]:
    """What of a row is not all absent; of an empty one the measured line."""
    kinds = {"measured": [cell.text for cell in cells], "published": [cell.published.text for cell in cells]}
    return [kind for kind, texts in kinds.items() if set(texts) - {"", ABSENT}] or ["measured"]


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
            printed = tuple(cell.published.text for cell in cells)
            yield _Column(heading="\npublished", texts=printed, minimum=_width("published", *printed), wraps=False)


def _prose_width(texts: Sequence[str]) -> int:
    """Words may be narrowed, but not so far that they read as a ribbon."""
    longest = max(map(cell_len, texts), default=0)
    word = max((cell_len(part) for text in texts for part in re.findall(r"[^\s_]+_?|_", text)), default=0)
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
