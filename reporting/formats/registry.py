"""The formats in which studies are printed, by their name in `summarize --format`."""

from __future__ import annotations

# Modules of this package with `render(studies) -> str`, by format. They are names, since some import pandas.
FORMATS = {
    "table": "terminal",
    "markdown": "markdown",
    "latex": "latex",
    "html": "html",
    "csv": "dataframes",
    "json": "summary_json",
}
