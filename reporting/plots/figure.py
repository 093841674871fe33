"""Plots as data: drawn on demand, written as PNG and embedded in a page.

Other packages use it for their own figures.
"""

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

# A palette that colour-blind readers can distinguish (Okabe and Ito, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
FADED = "#9A9A9A"
INFEASIBLE = "#B00020"
DOTS_PER_INCH = 160  # a narrow picture then has 800 pixels, enough for a phone
EMBEDDED_COLOURS = 128
# Widths in inches. Two narrow pictures fit beside each other on a screen, a wide one has a row of its own.
NARROW, WIDE = 5.0, 10.0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One plot of a study."""

    name: str  # file name under plots/ without its suffix, such as "from_scratch/effect_learning_rate"
    title: str
    alt: str  # alternative text: what the picture shows, in words
    caption: str = ""
    size: tuple[float, float]  # inches
    draw: Callable[[Figure], None]
    dots_per_inch: int = DOTS_PER_INCH

    @property
    def wide(self) -> bool:
        """Whether the picture needs a row of its own on a screen."""
        return self.size[0] > NARROW


def new_figure(size: tuple[float, float], dots_per_inch: int, layout: Literal["constrained"] | None = None) -> Figure:
    """Return an empty figure that takes no text for a formula: classes may be called $5 and $10.

    The figure does not use pyplot, which would look for a display.

    Args:
        size: Width and height in inches.
        dots_per_inch: Resolution.
        layout: matplotlib's layout engine; None for none.
    """
    import matplotlib.figure

    matplotlib.rcParams["text.parse_math"] = False  # matplotlib reads it when it makes a text, sometimes while saving
    return matplotlib.figure.Figure(figsize=size, dpi=dots_per_inch, layout=layout)


def save_figure(figure: Figure, path: Path) -> bytes:
    """Write a figure atomically as PNG.

    Args:
        figure: The figure.
        path: The file to write.

    Returns:
        The bytes of the file.
    """
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_atomically(path, content.getvalue(), synced=False)
    return content.getvalue()


def logarithmic(axis: Axis) -> None:
    """Set the ticks of a logarithmic axis, written as in configurations: 2e-4.

    Ticks are at 1, 2 and 5 times each power of ten, or at powers of ten alone where the ends differ by a factor of 200
    or more.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high / low < 4:  # such a range may have one tick of 1, 2 and 5, or none
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:.3g}"))
        return
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 200 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, place: format_value(value)))


def shades() -> Colormap:
    """Return the colormap of lines coloured by a number: viridis without its yellows, which are faint on white.

    In viridis lightness alone distinguishes values.
    """
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["viridis"]([place / 255 * 0.8 for place in range(256)]))


def write_picture(picture: Picture, path: Path) -> bytes:
    """Draw a plot and write it atomically as PNG.

    Args:
        picture: The plot.
        path: The file to write.

    Returns:
        The bytes of the file.
    """
    figure = new_figure(picture.size, picture.dots_per_inch, "constrained")
    picture.draw(figure)
    return save_figure(figure, path)


def data_uri(png: bytes) -> str:
    """Return a PNG as a data URI in 128 colours, a third of its size.

    An SVG would be as large, and drawing it would take the same time again.
    """
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(EMBEDDED_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            small, "PNG", optimize=True
        )
    smallest = min(small.getvalue(), png, key=len)
    return f"data:image/png;base64,{base64.b64encode(smallest).decode()}"
