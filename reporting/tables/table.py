"""A table as data: headings, cells and footnotes. Every renderer draws from this and adds no number of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from reporting.tables.formatting import ABSENT


@dataclass(frozen=True, kw_only=True)
class NotedText:
    """A text and its footnotes, which are numbered when the table is rendered."""

    text: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Heading(NotedText):
    """The head of one column."""

    compared: bool = False  # a column of published values stands beside the measured ones
    prose: bool = False  # text that may wrap; numbers never do


@dataclass(frozen=True, kw_only=True)
class Cell(NotedText):
    """What was measured, and what the document prints in that place."""

    published: NotedText = NotedText()


@dataclass(frozen=True, kw_only=True)
class RenderedTable:
    """A table whose every cell is final text, but for the numbers of its footnotes."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    remarks: tuple[str, ...] = ()  # sentences below it: what it says in words
    commands: tuple[str, ...] = ()  # below those: to be copied whole, so never wrapped or escaped

    @property
    def notes(self) -> tuple[str, ...]:
        """Every footnote once in the order of reading; its place is its number."""
        cells = [text for row in self.rows for cell in row for text in (cell, cell.published)]
        return tuple(dict.fromkeys(note for text in (*self.headings, *cells) for note in text.notes))

    @property
    def texts(self) -> list[list[str]]:
        """The rows as plain text, where a compared cell is followed by its published one."""
        compared = [heading.compared for heading in self.headings]
        return [
            [
                text
                for cell, both in zip(row, compared, strict=True)
                for text in ((cell.text, cell.published.text) if both else (cell.text,))
            ]
            for row in self.rows
        ]


@dataclass(frozen=True, kw_only=True)
class Block:
    """What stands under one heading: one study, or several side by side."""

    heading: str
    before: tuple[str, ...]  # what to know first
    tables: tuple[RenderedTable, ...]
    after: tuple[str, ...]


_T = TypeVar("_T", bound=NotedText)


def with_marks(table: RenderedTable, write: Callable[[str, Sequence[int]], str]) -> RenderedTable:
    """Replace every text by what `write` makes of it and the numbers of its footnotes.

    Args:
        table: Its footnotes are numbered from 1 in the order of reading.
        write: Takes a text and the numbers of its footnotes.

    Returns:
        A table of the same shape, whose texts have no footnotes of their own.
    """
    numbers = {note: number for number, note in enumerate(table.notes, 1)}

    def marked(one: _T) -> _T:
        return replace(one, text=write(one.text, [numbers[note] for note in one.notes]), notes=())

    return replace(
        table,
        headings=tuple(map(marked, table.headings)),
        rows=tuple(
            tuple(replace(marked(cell), published=marked(cell.published)) for cell in row) for row in table.rows
        ),
    )


def in_brackets(text: str, numbers: Sequence[int]) -> str:
    """Write the marks of plain text, such as 0.8750 [1] [2]."""
    return text + "".join(f" [{number}]" for number in numbers)


def stacked(tables: Mapping[str, RenderedTable]) -> RenderedTable:
    """Combine the same table of several studies, a block of rows each.

    Args:
        tables: A table a study, by its name, which stands in the first column.

    Returns:
        The only table as it is; of several, one without their remarks, where a column that a study lacks is empty.
    """
    first, *others = tables.values()
    if not others:
        return first
    columns: dict[str, Heading] = {}
    for heading in [heading for table in tables.values() for heading in table.headings]:
        known = columns.get(heading.text, heading)
        columns[heading.text] = replace(known, notes=tuple(dict.fromkeys((*known.notes, *heading.notes))))
    rows: list[tuple[Cell, ...]] = []
    for name, table in tables.items():
        for row in table.rows:
            cells = dict(zip((heading.text for heading in table.headings), row, strict=True))
            rows.append((Cell(text=name), *(cells.get(text, Cell(text=ABSENT)) for text in columns)))
    return replace(
        first,
        headings=(Heading(text="Study", prose=True), *columns.values()),
        rows=tuple(rows),
        remarks=(),
        commands=tuple(command for table in tables.values() for command in table.commands),
    )


def transposed(table: RenderedTable) -> RenderedTable:
    """Transpose the table: a row a field, a column a row of it. For pages that are higher than wide.

    Where a field has published values, every column has the place for them.
    """
    name, *fields = table.headings
    compared = any(heading.compared for heading in fields)
    prose = any(heading.prose for heading in fields)
    return replace(
        table,
        headings=(
            Heading(text=name.text, notes=name.notes, prose=True),
            *(Heading(text=row[0].text, notes=row[0].notes, compared=compared, prose=prose) for row in table.rows),
        ),
        rows=tuple(
            (Cell(text=heading.text, notes=heading.notes), *(row[place] for row in table.rows))
            for place, heading in enumerate(fields, start=1)
        ),
    )
