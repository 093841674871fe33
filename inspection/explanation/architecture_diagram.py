"""A network as boxes from top to bottom, one a layer, or one a block where there are many layers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspection.explanation.model_summary import Layer, Listing, shape_text
from reporting.plots.figure import new_figure, save_figure
from reporting.tables import formatting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BOXES = 42  # three columns of 14; a network of more layers is drawn by blocks
COLUMN = 14  # boxes one below another, before there is another column
MOST_COLUMNS = 3
WIDTH, HEIGHT, DOTS_PER_INCH = 3.0, 0.78, 100  # inches that a box takes with its arrow; 900 pixels for three columns
LONGEST = 36  # letters of a line that fit a box
# Told apart by the colour-blind (Okabe and Ito, 2008), pale enough for black letters.
COLOURS = {
    "convolution": "#56B4E9",
    "dense": "#E69F00",
    "pooling": "#009E73",
    "normalization, activation": "#F0E442",
    "joins branches": "#CC79A7",
    "several": "#BBBBBB",
    "other": "#FFFFFF",
}
_SIGNS = {
    "convolution": ("Conv",),
    "dense": ("Dense",),
    "pooling": ("Pooling",),
    "normalization, activation": ("Normalization", "ReLU", "Activation", "Softmax", "Dropout"),
    "joins branches": ("Add", "Concatenate", "Multiply"),
}


@dataclass(frozen=True, kw_only=True)
class Box:
    """Some layers that are drawn as one."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def contents(self) -> str:
        """The type of the box's one layer, or the number of its layers and of those with kernels."""
        if len(self.layers) == 1:
            return self.layers[0].kind
        sorts = Counter(map(_sort, self.layers))
        convolutions = f"{sorts['convolution']} convolution{'s' if sorts['convolution'] > 1 else ''}"
        kernels = [convolutions] * bool(sorts["convolution"]) + [f"{sorts['dense']} dense"] * bool(sorts["dense"])
        return f"{len(self.layers)} layers" + (f": {', '.join(kernels)}" if kernels else "")

    @property
    def sort(self) -> str:
        """The kind of the box's layers: a key of COLOURS."""
        return "several" if len(self.layers) > 1 else _sort(self.layers[0])


def _sort(layer: Layer) -> str:
    return next((sort for sort, signs in _SIGNS.items() if any(sign in layer.kind for sign in signs)), "other")


def boxes(listing: Listing) -> list[Box]:
    """Return one box for each layer, or for each block or group of names where layers are too many."""
    singles = [Box(name=layer.name, layers=(layer,)) for layer in listing.layers]
    if len(singles) <= MOST_BOXES:
        return singles
    ends = {layer.block: layer.name for layer in listing.layers if layer.ends_block}
    if ends:
        head = [box for box in singles if box.layers[0].block is None and box.layers[0].reads]
        blocks = [
            Box(name=f"to {name}", layers=tuple(layer for layer in listing.layers if layer.block == block))
            for block, name in sorted(ends.items(), key=lambda end: -1 if end[0] is None else end[0])
        ]
        return [*singles[:1], *blocks, *head]
    for words in (2, 1):
        grouped: dict[str, list[Layer]] = {}
        for layer in listing.layers:
            grouped.setdefault("_".join(layer.name.split("_")[:words]), []).append(layer)
        if len(grouped) <= MOST_BOXES:
            break
    return [
        Box(name=name if len(layers) > 1 else layers[0].name, layers=tuple(layers)) for name, layers in grouped.items()
    ]


def draw(listing: Listing, path: Path) -> None:
    """Write the picture (PNG), whole or not at all.

    Args:
        listing: Layers of the network.
        path: Target file.

    Raises:
        OSError: The file cannot be written.
    """
    from matplotlib.patches import Patch

    drawn = boxes(listing)
    columns = min(MOST_COLUMNS, math.ceil(len(drawn) / COLUMN))
    rows = math.ceil(len(drawn) / columns)
    figure = new_figure((max(columns * WIDTH, 4.0), rows * HEIGHT + 1.3), DOTS_PER_INCH)
    axes = figure.add_axes((0.0, 0.55 / figure.get_figheight(), 1.0, rows * HEIGHT / figure.get_figheight()))
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.axis("off")
    for number, box in enumerate(drawn):
        column, row = divmod(number, rows)
        _draw_box(axes, listing, box, column, row)
        reads = _reads(drawn, box)
        if number and drawn[number - 1] in reads:
            _draw_arrow(axes, number, rows)
            reads.remove(drawn[number - 1])
            if reads:  # beside the arrow, in half of the box's width
                beside = f"+ {_names(reads)}"
                beside = beside if len(beside) <= 29 else f"{beside[:28]}…"
                _line(axes, column + 0.52, row - 0.1, beside, style="italic", size=6.5, ha="left")
        elif number:
            _line(axes, column + 0.5, row - 0.1, f"reads {_names(reads)}", style="italic", size=7)
    figure.suptitle(listing.title, x=0.5, y=1 - 0.12 / figure.get_figheight(), va="top", fontsize=9, wrap=True)
    sorts = [sort for sort in COLOURS if any(box.sort == sort for box in drawn)]
    handles = [Patch(facecolor=COLOURS[sort], edgecolor="black", alpha=0.6, label=sort) for sort in sorts]
    if listing.backbone_layers:
        handles.append(Patch(facecolor="white", edgecolor="black", linewidth=2.0, label="freeze to here"))
    figure.legend(handles=handles, loc="lower center", ncols=3 if columns > 1 else 2, fontsize=8, frameon=False)
    save_figure(figure, path)


def _draw_box(axes: Axes, listing: Listing, box: Box, column: int, row: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    last = box.layers[-1]
    prefix = next((layer.prefix for layer in box.layers if layer.prefix is not None), None)
    patch = FancyBboxPatch((column + 0.06, row + 0.02), 0.88, 0.7, boxstyle="round,pad=0,rounding_size=0.04")
    patch.set(facecolor=COLOURS[box.sort], alpha=0.6, edgecolor="black", linewidth=2.0 if prefix is not None else 0.8)
    axes.add_patch(patch)
    index = "" if len(box.layers) > 1 or last.index is None else f"{last.index}  "
    parameters = sum(layer.parameters for layer in box.layers)
    counted = f"; {formatting.count(parameters)} parameters" if parameters else ""
    lines = [index + box.name, box.contents, shape_text(last.shape) + counted]
    if prefix is not None:
        lines[2] = f"{shape_text(last.shape)}; freeze to here: {prefix} ({listing.fraction(prefix):.2f})"
    for number, text in enumerate(lines):
        _line(axes, column + 0.5, row + 0.15 + 0.215 * number, text, weight="bold" if number == 0 else "normal")


def _draw_arrow(axes: Axes, number: int, rows: int) -> None:
    """Draw an arrow from the box before: down, or from the foot of one column to the head of the next."""
    column, row = divmod(number, rows)
    if row:
        axes.annotate("", (column + 0.5, row + 0.02), (column + 0.5, row - 0.28), arrowprops={"arrowstyle": "->"})
        return
    foot, head = rows - 0.63, 0.37
    axes.plot([column - 0.06, column, column], [foot, foot, head], color="black", linewidth=1)
    axes.annotate("", (column + 0.06, head), (column - 0.005, head), arrowprops={"arrowstyle": "->", "shrinkA": 0})


def _line(axes: Axes, x: float, y: float, text: str, size: float = 8, **style: Any) -> None:
    text = text if len(text) <= LONGEST + 6 else f"{text[: LONGEST + 5]}…"
    size -= max(0, len(text) - LONGEST) * 0.2  # a long line in smaller letters, 6.8 points at least
    axes.text(x, y, text, **{"ha": "center", "va": "center", "fontsize": size, **style})


def _reads(drawn: Sequence[Box], box: Box) -> list[Box]:
    """Return the other boxes whose outputs this one takes, in order."""
    own = {layer.name for layer in box.layers}
    read = {name for layer in box.layers for name in layer.reads} - own
    return [other for other in drawn if any(layer.name in read for layer in other.layers)]


def _names(read: Sequence[Box]) -> str:
    return ", ".join(box.name.removeprefix("to ") for box in read)
