"""Formats in which studies are printed, by the name that `summarize --format` takes. Imports nothing heavy."""

from __future__ import annotations

# By name the module of this room with `render(studies) -> str`.
FORMATS = {
    "table": "terminal",
    "markdown": "markdown",
    "latex": "latex",
    "html": "html",
    "csv": "dataframes",
    "json": "summary_json",
}
