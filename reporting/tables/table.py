"""Tables as data: headings, cells and footnotes. Every output format renders them and adds no number."""

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
    """The heading of one column."""

    compared: bool = False  # whether a column of published values is beside the measured ones
    prose: bool = False  # whether the column has text that may wrap; numbers never wrap


@dataclass(frozen=True, kw_only=True)
class Cell(NotedText):
    """A measured value and the published one."""

    published: NotedText = NotedText()


@dataclass(frozen=True, kw_only=True)
class RenderedTable:
    """A table of final texts; only the numbers of footnotes are still missing."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    remarks: tuple[str, ...] = ()  # sentences below the table that state its results
    commands: tuple[str, ...] = ()  # lines below the remarks, never wrapped or escaped, since readers copy them

    @property
    def notes(self) -> tuple[str, ...]:
        """All footnotes without duplicates in the order of reading; a footnote's place is its number."""
        cells = [text for row in self.rows for cell in row for text in (cell, cell.published)]
        return tuple(dict.fromkeys(note for text in (*self.headings, *cells) for note in text.notes))

    @property
    def texts(self) -> list[list[str]]:
        """The rows as plain text; a published value follows its measured one."""
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
    """The content under one heading: one study, or several side by side."""

    heading: str
    before: tuple[str, ...]  # lines above the tables, such as caveats
    tables: tuple[RenderedTable, ...]
    after: tuple[str, ...]


_T = TypeVar("_T", bound=NotedText)


def with_marks(table: RenderedTable, write: Callable[[str, Sequence[int]], str]) -> RenderedTable:
    """Write the footnote numbers into every text of a table.

    Args:
        table: A table, whose footnotes are numbered from 1 in the order of reading.
        write: Returns a text with its marks, from the text and the numbers of its footnotes.

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
    """Write footnote marks in plain text, such as 0.8750 [1] [2].

    Args:
        text: The text.
        numbers: Numbers of its footnotes.
    """
    return text + "".join(f" [{number}]" for number in numbers)


def stacked(tables: Mapping[str, RenderedTable]) -> RenderedTable:
    """Combine the same table of several studies, with a block of rows per study.

    Args:
        tables: The table of each study, by the study's name, which is in the first column.

    Returns:
        A single table unchanged. Several have no remarks, and a column that a study lacks is empty in its rows.
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
    """Transpose the table to a row per field, for pages that are higher than wide.

    Where one field has published values, every column has room for them.
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
