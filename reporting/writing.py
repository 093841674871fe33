"""Files that nobody ever reads half, pictures among them."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_whole(path: Path, content: str | bytes) -> None:
    """Under a temporary name first, then renamed into place; text as UTF-8. Raises OSError, and leaves nothing then.

    Its folder is made; the permissions of a file that was there stay.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        if path.exists():
            partial.chmod(path.stat().st_mode)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
