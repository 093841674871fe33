"""A table as data: headings, cells and footnotes. Every renderer draws from this and adds no number of its own."""

from __future__ import annotations

from dataclasses import dataclass, field


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
