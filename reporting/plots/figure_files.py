"""Files that nobody ever reads half, pictures among them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from atomic_file import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a derived file, which is not synced: it is rewritten every half minute while a study runs.

    Args:
        path: the file; its folder is made.
        content: text is written as UTF-8.

    Raises:
        OSError: it cannot be written; the old file stays then.
    """
    write_atomically(path, content, synced=False)


def new_figure(size: tuple[float, float], dots_per_inch: int, layout: Literal["constrained"] | None = None) -> Figure:
    """An empty figure of that size in inches, on which no text is a formula: classes may be called $5 and $10.

    Without pyplot, which would look for a display.
    """
    import matplotlib.figure

    matplotlib.rcParams["text.parse_math"] = False  # read when a text is made, and some are made while saving
    return matplotlib.figure.Figure(figsize=size, dpi=dots_per_inch, layout=layout)


def save_figure(figure: Figure, path: Path) -> bytes:
    """Write it as PNG. Returns what was written."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_whole(path, content.getvalue())
    return content.getvalue()
