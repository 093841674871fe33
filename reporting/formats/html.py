"""Jinja templates of self-contained HTML pages, which open from disk without a network."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from reporting.tables.study_comparison import Study, blocks
from reporting.tables.table import RenderedTable, transposed

_MOST_COLUMNS = 7  # columns that fit on a screen; a wider table of few rows is transposed
_FEW_ROWS = 4


def templates() -> Environment:
    """Return the environment of this package's templates, which escapes text and rejects missing values."""
    environment = Environment(
        loader=PackageLoader("reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["narrowed"] = _narrowed
    environment.filters["identifier"] = _identifier
    return environment


def _narrowed(table: RenderedTable) -> RenderedTable:
    """Transpose a table that is wider than a screen and has few rows."""
    wide = len(table.headings) > _MOST_COLUMNS and len(table.rows) <= _FEW_ROWS
    return transposed(table) if wide else table


def _identifier(text: str) -> str:
    """Convert a text to an HTML id of letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def render(studies: Sequence[Study]) -> str:
    """Render studies as one page without external files."""
    shown = blocks(studies)
    title = shown[0].heading.splitlines()[0]
    return templates().get_template("summary.html").render(title=title, blocks=shown)
