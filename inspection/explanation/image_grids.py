"""Sheets of pictures: what a network looks at, and what it makes of an image, block by block."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from datasets.images.opencv import opencv
from reporting.plots.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 120
COLOURS = "inferno"  # grows in lightness alone: told apart by the colour-blind, and in grey (van der Walt, 2015)
MAPS_COLOURS = "viridis"
CELL = 160  # pixels, side of an image in a sheet
GAP = 6  # pixels between images
ROWS = 6  # images on a sheet of heat maps
CHANNELS = 6  # maps of a block that are shown
NAMED = 3  # classes whose probability is written
LETTER, LINE = 8, 17  # pixels that 8 points of a fixed width take
WIDEST = 30  # characters of a line beside an image


@dataclass(frozen=True, kw_only=True)
class GridCell:
    """One image as a sheet shows it."""

    title: str
    pixels: NDArray[np.uint8]  # [S, S, 3]
    lines: tuple[str, ...] = ()  # written beside it


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw a heat map over the image in grey.

    Args:
        pixels: uint8 [S, S, 3].
        heat: float32 [h, w]; enlarged smoothly and scaled to its largest value.

    Returns:
        uint8 [S, S, 3]; grey where nothing is hot.
    """
    import matplotlib

    cv2 = opencv()
    side = pixels.shape[:2]
    highest = float(heat.max())
    scaled = heat / highest if highest > 0 else heat
    smooth = np.clip(cv2.resize(scaled.astype(np.float32), side[::-1], interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    colour = matplotlib.colormaps[COLOURS](smooth)[..., :3].astype(np.float32) * 255
    opacity = 0.25 + 0.45 * smooth[..., None]
    mixed: NDArray[np.uint8] = np.rint(grey * (1 - opacity) + colour * opacity).astype(np.uint8)
    return mixed


def heat_sheet(
    shown: Sequence[GridCell], heat: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]], title: str
) -> Figure:
    """Draw a row for each image: the image, its overlays, its caption.

    Args:
        shown: The images with captions.
        heat: For each layer its heading and the overlay of each image.
        title: Title of the sheet.
    """
    columns = [("image", [one.pixels for one in shown]), *heat]
    figure, axes = _mosaic(
        [[pictures[row] for _, pictures in columns] for row in range(len(shown))],
        title,
        headings=[heading for heading, _ in columns],
        beside=WIDEST * LETTER + 16,
        bar=("Heat, as a part of the map's largest", COLOURS),
    )
    for row, one in enumerate(shown):
        text = "\n".join(line for each in (one.title, *one.lines) for line in textwrap.wrap(each, WIDEST) or [""])
        axes.text(len(columns) * (CELL + GAP) + 4, row * (CELL + GAP), text, va="top", fontsize=8, family="monospace")
    return figure


def maps_sheet(shown: Sequence[GridCell], maps: NDArray[np.float32], title: str) -> Figure:
    """Draw a row for each image: the image, then the channels of one block that vary most.

    Args:
        shown: The images with captions.
        maps: Feature maps, float32 [N, h, w, C]; each channel has one scale for all images.
        title: Title of the sheet.
    """
    import matplotlib

    colours = matplotlib.colormaps[MAPS_COLOURS]
    channels = most_varied(maps, CHANNELS)
    lowest, highest = maps.min(axis=(0, 1, 2)), maps.max(axis=(0, 1, 2))
    scaled = (maps - lowest) / np.where(highest > lowest, highest - lowest, 1.0)
    rows = [
        [one.pixels, *(np.rint(colours(image[:, :, channel])[..., :3] * 255).astype(np.uint8) for channel in channels)]
        for one, image in zip(shown, scaled, strict=True)
    ]
    figure, axes = _mosaic(
        rows,
        title,
        ["image", *(f"channel {channel}" for channel in channels)],
        names=True,
        bar=("Activation, from the channel's lowest to its highest", MAPS_COLOURS),
    )
    for row, one in enumerate(shown):
        name = "\n".join(textwrap.wrap(one.title.replace("/", "/ "), 18))
        axes.text(-6, row * (CELL + GAP) + CELL / 2, name, ha="right", va="center", fontsize=10)
    return figure


def most_varied(maps: NDArray[np.float32], count: int) -> list[int]:
    """Return the channels with the largest standard deviation, the first of equals first.

    Args:
        maps: Feature maps, float32 [N, h, w, C].
        count: Number of channels.
    """
    return [int(channel) for channel in np.argsort(-maps.std(axis=(0, 1, 2)), kind="stable")[:count]]


def enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale an image to one cell of a sheet; small ones keep their pixel edges.

    Args:
        pixels: uint8 [h, w, 3].

    Returns:
        uint8 [CELL, CELL, 3].
    """
    cv2 = opencv()
    way = cv2.INTER_AREA if pixels.shape[0] > CELL else cv2.INTER_NEAREST
    done: NDArray[np.uint8] = cv2.resize(pixels, (CELL, CELL), interpolation=way)
    return done


def picture_sheet(shown: Sequence[GridCell], columns: int, title: str) -> Figure:
    """Draw images in rows, each with its caption below.

    Args:
        shown: The images with captions.
        columns: Images a row.
        title: Title of the sheet.
    """
    lines = [[line for each in (one.title, *one.lines) for line in textwrap.wrap(each, WIDEST)] for one in shown]
    below = max((len(each) for each in lines), default=0) * LINE + 8
    rows = [[one.pixels for one in shown[start : start + columns]] for start in range(0, len(shown), columns)]
    wider = WIDEST * LETTER - CELL
    figure, axes = _mosaic(rows, title, below=below, across=wider)
    for place, text in enumerate(lines):
        row, column = divmod(place, columns)
        at = (column * (CELL + GAP + wider), row * (CELL + GAP + below) + CELL + 4)
        axes.text(*at, "\n".join(text), va="top", fontsize=8, family="monospace")
    return figure


def _mosaic(
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    title: str,
    headings: Sequence[str] = (),
    *,
    beside: int = 0,
    below: int = 0,
    across: int = 0,
    names: bool = False,
    bar: tuple[str, str] | None = None,
) -> tuple[Figure, Axes]:
    """Draw pictures in rows as one image whose pixels are the axes' units; a hundred panels would take seconds.

    Args:
        rows: Pictures, enlarged to one size.
        title: Title of the figure.
        headings: Heading of each column.
        beside: Free pixels at the right of all rows.
        below: Free pixels under each row.
        across: Free pixels between columns.
        names: Whether to leave room for a name at the left of each row.
        bar: Label and colour map of a colour bar.
    """
    columns = max(len(row) for row in rows)
    height, width = len(rows) * (CELL + GAP + below), columns * (CELL + GAP + across) + beside
    canvas = np.full((height, width, 3), 255, np.uint8)
    for number, row in enumerate(rows):
        for place, picture in enumerate(row):
            top, left = number * (CELL + GAP + below), place * (CELL + GAP + across)
            canvas[top : top + CELL, left : left + CELL] = enlarged(picture)
    left_free = 190 if names else 12
    wrapped = textwrap.wrap(title, int((width + left_free) / 9))
    over = [[line for part in heading.splitlines() for line in textwrap.wrap(part, 18)] for heading in headings]
    above = 16 + 20 * len(wrapped) + 20 * max(map(len, over), default=0)
    under = 70 if bar else 10
    whole_width, whole_height = width + left_free, height + above + under
    figure = new_figure((whole_width / DOTS_PER_INCH, whole_height / DOTS_PER_INCH), DOTS_PER_INCH)
    axes = figure.add_axes((left_free / whole_width, under / whole_height, width / whole_width, height / whole_height))
    axes.imshow(canvas, interpolation="none", extent=(0, width, height, 0))
    axes.set_axis_off()
    for place, lines in enumerate(over):
        axes.text(place * (CELL + GAP) + CELL / 2, -6, "\n".join(lines), ha="center", va="bottom", fontsize=9)
    figure.text(0.5, 1 - 8 / whole_height, "\n".join(wrapped), ha="center", va="top", fontsize=10)
    if bar:
        _colour_bar(figure, *bar, whole_width, whole_height)
    return figure, axes


def _colour_bar(figure: Figure, label: str, colours: str, width: int, height: int) -> None:
    import matplotlib

    place: Any = figure.add_axes((24 / width, 46 / height, min(360, width - 48) / width, 12 / height))
    place.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=matplotlib.colormaps[colours], extent=(0, 1, 0, 1))
    place.set_yticks([])
    place.set_xticks([0, 0.5, 1])
    place.tick_params(labelsize=8)
    place.set_xlabel(label, fontsize=9, labelpad=1)
