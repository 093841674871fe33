"""A picture: its data drawn on demand, written as PNG and embedded in a page. Other rooms draw figures of their own."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from atomic_file import write_atomically
from search_spaces.formatting import format_value

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Told apart by the colour-blind (Okabe and Ito, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
FADED = "#9A9A9A"
INFEASIBLE = "#B00020"
DOTS_PER_INCH = 160  # a narrow picture then has 800 pixels: sharp on a phone too
EMBEDDED_COLOURS = 128
NARROW, WIDE = 5.0, 10.0  # inches: one beside another on a screen, one under another on a phone; or on its own


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of a study."""

    name: str  # of its file under plots/, without its ending: "from_scratch/effect_learning_rate"
    title: str
    alt: str  # what it shows, in words, for who cannot see it
    caption: str = ""
    size: tuple[float, float]  # inches
    draw: Callable[[Figure], None]
    dots_per_inch: int = DOTS_PER_INCH

    @property
    def wide(self) -> bool:
        return self.size[0] > NARROW


def new_figure(size: tuple[float, float], dots_per_inch: int, layout: Literal["constrained"] | None = None) -> Figure:
    """An empty figure of that size in inches, on which no text is a formula: classes may be called $5 and $10.

    Without pyplot, which would look for a display.
    """
    import matplotlib.figure

    matplotlib.rcParams["text.parse_math"] = False  # read when a text is made, and some are made while saving
    return matplotlib.figure.Figure(figsize=size, dpi=dots_per_inch, layout=layout)


def save_figure(figure: Figure, path: Path) -> bytes:
    """Write it as PNG, whole or not at all. Returns what was written."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_atomically(path, content.getvalue(), synced=False)
    return content.getvalue()


def logarithmic(axis: Axis) -> None:
    """Ticks at 1, 2 and 5 of each power of ten where there are few of them, written as configurations are: 2e-4."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high / low < 4:  # there may be one of those, or none
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:.3g}"))
        return
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 200 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, place: format_value(value)))


def shades() -> Colormap:
    """For lines coloured by a number: viridis (lightness alone tells) without its yellows, which white drowns."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["viridis"]([place / 255 * 0.8 for place in range(256)]))


def write_picture(picture: Picture, path: Path) -> bytes:
    """Draw it and write it as PNG, whole or not at all. Returns what was written."""
    figure = new_figure(picture.size, picture.dots_per_inch, "constrained")
    picture.draw(figure)
    return save_figure(figure, path)


def data_uri(png: bytes) -> str:
    """For a page, in few colours: a third of the size. An SVG is as large, and drawing it takes as long again."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(EMBEDDED_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            small, "PNG", optimize=True
        )
    smallest = min(small.getvalue(), png, key=len)
    return f"data:image/png;base64,{base64.b64encode(smallest).decode()}"
