"""A table as data: headings, cells and footnotes. Every renderer draws from this and adds no number of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of one column."""

    text: str
    compared: bool = False  # a column of published values stands beside the measured ones
    prose: bool = False  # text that may wrap; numbers never do


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What was measured, and what the document prints in that place."""

    text: str
    published: str = ""


@dataclass(frozen=True, kw_only=True)
class RenderedTable:
    """A table whose every cell is final text. Cells carry footnote marks such as [1]: the first of `notes`."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  # sentences below it: what it says in words
    commands: tuple[str, ...] = ()  # below those: to be copied whole, so never wrapped or escaped

    @property
    def footnotes(self) -> tuple[str, ...]:
        return tuple(f"[{number}] {note}" for number, note in enumerate(self.notes, 1))


@dataclass(frozen=True)
class Footnotes:
    """Numbers notes in the order they are first met; the same words share a number."""

    notes: list[str] = field(default_factory=list)

    def mark(self, text: str, *notes: str) -> str:
        """The text followed by the marks of its notes."""
        for note in notes:
            if note:
                if note not in self.notes:
                    self.notes.append(note)
                text += f" [{self.notes.index(note) + 1}]"
        return text


def split_marks(text: str, notes: int) -> tuple[str, list[int]]:
    """A cell's text and the numbers of its footnotes, such as ("0.8750", [1, 2]); brackets that are none stay text."""
    found = re.search(r"((?: \[\d+\])+)$", text)
    marks = [int(mark) for mark in re.findall(r"\d+", found[1])] if found else []
    if found is None or any(not 1 <= mark <= notes for mark in marks):
        return text, []
    return text[: found.start()], marks


def turned(table: RenderedTable) -> RenderedTable:
    """The table on its side: a row a field, a column a row of it. For pages that are higher than wide.

    Where a field has published values, every column has the place for them.
    """
    name, *fields = table.headings
    compared = any(heading.compared for heading in fields)
    prose = any(heading.prose for heading in fields)
    return replace(
        table,
        headings=(
            Heading(text=name.text, prose=True),
            *(Heading(text=row[0].text, compared=compared, prose=prose) for row in table.rows),
        ),
        rows=tuple(
            (Cell(text=heading.text), *(row[place] for row in table.rows))
            for place, heading in enumerate(fields, start=1)
        ),
    )
