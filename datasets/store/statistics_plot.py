"""The statistics of a data set as one picture."""

from __future__ import annotations

import math
import textwrap
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from atomic_file import atomic_path
from datasets.dataset import SPLITS, DataError
from datasets.store.image_store import ImageStore
from datasets.store.statistics import CHANNELS, Statistics, shortened
from errors import arg, pluralize

# Okabe and Ito's colours, told apart with any kind of colour blindness.
CHANNEL_COLOURS = ("#D55E00", "#009E73", "#0072B2")
SPLIT_COLOURS = {"train": "#0072B2", "val": "#E69F00", "test": "#999999"}
LINE_STYLES = ("-", "--", "-.")
EXAMPLES_PER_ROW = 5
EXAMPLE_COLUMNS = 24  # of text above an example
MAX_EXAMPLES = 50
BOXED_EXAMPLES = 10  # where every image has a box, which is then drawn too
MAX_BARS = 60  # one for each class; more classes are drawn by rank
WIDTH_INCHES = 8.0  # 1200 pixels at 150 an inch; 9 points are 12 pixels when shown 800 wide
DOTS_PER_INCH = 150
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # classes may be called "$5" and "$10"
}


def draw_statistics(statistics: Statistics, path: Path) -> None:
    """Draw the statistics as PNG, legible from 800 pixels of width, with an example image of each class.

    Args:
        statistics: The statistics.
        path: Target file.

    Raises:
        DataError: The file cannot be written.
    """
    store = statistics.store
    classes = len(store.classes)
    examples = _examples(store)
    rows = math.ceil(len(examples) / EXAMPLES_PER_ROW)
    heights = [0.2 * classes + 1.1 if classes <= MAX_BARS else 3.0, 3.0, 1.75 * rows + 0.2]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, sum(heights) + 0.5), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        title = f"{store.title}: {statistics.total:,} images, {pluralize(classes, 'class', 'classes')}"
        figure.suptitle(title, fontsize=12)
        panels: Any = figure.subfigures(3, 1, height_ratios=heights)
        top, middle, bottom = panels
        axes = top.subplots()
        (_draw_counts if classes <= MAX_BARS else _draw_ranks)(axes, statistics)
        axes.set_title("Images by class and split", loc="left")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, borderaxespad=0.1)
        left, right = middle.subplots(1, 2)
        _draw_sizes(left, statistics)
        _draw_channels(right, statistics)
        grid = bottom.subplots(rows, EXAMPLES_PER_ROW, squeeze=False)
        for place, axes in enumerate(grid.ravel()):
            axes.axis("off")
            axes.set_anchor("N")  # names of a row stand at one height, whatever the shape of the images
            if place < len(examples):
                _draw_example(axes, store, *examples[place])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path, synced=False) as partial, warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing")  # no font has the letters of all scripts
                figure.savefig(partial, format="png")
        except OSError as error:
            raise DataError(
                f"the picture {path} cannot be written ({error.strerror or error}); choose another {arg.picture}"
            ) from None


def _draw_counts(axes: Axes, statistics: Statistics) -> None:
    places = np.arange(len(statistics.store.classes))
    start = np.zeros(len(places))
    for split in SPLITS:
        counts = np.array(statistics.images[split])
        label = f"{split} ({counts.sum():,})"
        bars = axes.barh(places, counts, left=start, height=0.75, color=SPLIT_COLOURS[split], label=label)
        wide_enough = max(map(sum, zip(*statistics.images.values(), strict=True))) * 0.04
        text = [f"{count}" if count > wide_enough else "" for count in counts]
        axes.bar_label(bars, text, label_type="center", fontsize=8, color="black" if split != "train" else "white")
        start += counts
    axes.set_yticks(places, [_shown(name) for name in statistics.store.classes])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("images")
    axes.margins(y=0.02)


def _draw_ranks(axes: Axes, statistics: Statistics) -> None:
    """Draw the sizes of many classes, the largest first, without names."""
    counts = np.array([statistics.images[split] for split in SPLITS])
    order = np.argsort(-counts.sum(axis=0), kind="stable")
    labels = [f"{split} ({of_split.sum():,})" for split, of_split in zip(SPLITS, counts, strict=True)]
    places, colours = np.arange(1, len(order) + 1), list(SPLIT_COLOURS.values())
    axes.stackplot(places, counts[:, order], labels=labels, colors=colours, step="mid")
    axes.set(xlim=(1, len(order)), ylim=(0, None), xlabel="classes, the largest first", ylabel="images")


def _draw_sizes(axes: Axes, statistics: Statistics) -> None:
    heights, widths, counts = np.array(statistics.sizes).T
    area = 12 + 300 * counts / max(counts.max(), 30)
    axes.scatter(widths, heights, s=area, color="#0072B2", alpha=0.45, linewidths=0, clip_on=False)
    height, width, count = statistics.sizes[0]
    sizes = pluralize(len(statistics.sizes), "image size", "image sizes")
    axes.set_title(f"{sizes} (area: how many images)", loc="left")
    share = f"most frequent: {width} x {height}\n({count:,} images)"
    axes.annotate(share, (0.03, 0.04), xycoords="axes fraction", fontsize=8, va="bottom")
    shortest, longest = min(widths.min(), heights.min()), max(widths.max(), heights.max())
    span = max(10, longest - shortest)
    limits = (max(0, shortest - 0.3 * span), longest + 0.08 * span)  # no image is smaller than 0
    axes.set(xlabel="width (pixels)", ylabel="height (pixels)", xlim=limits, ylim=limits, aspect="equal")


def _draw_channels(axes: Axes, statistics: Statistics) -> None:
    pixels = statistics.training
    shares = pixels.histogram / pixels.count * 100
    # The ends hold what cameras clip: drawn to full height they would flatten everything between.
    top = (shares[:, 1:-1].max() or shares.max()) * 1.12  # of black and white alone there is nothing between
    looks = zip(CHANNELS, CHANNEL_COLOURS, LINE_STYLES, pixels.mean, pixels.deviation, strict=True)
    for channel, (name, colour, style, mean, deviation) in enumerate(looks):
        label = f"{name} {mean:.1f} ± {deviation:.1f}"
        axes.plot(np.arange(256), shares[channel], color=colour, linestyle=style, linewidth=1.3, label=label)
        level = top * (1.06 + 0.07 * channel)
        axes.errorbar(mean, level, xerr=deviation, fmt="o", color=colour, markersize=4, capsize=3, linewidth=1.3)
    axes.set(xlim=(0, 255), ylim=(0, top * 1.7), xlabel="pixel value", ylabel="share of pixels (%)")
    axes.set_xticks([0, 64, 128, 192, 255])
    axes.set_title("Training pixels: mean ± deviation", loc="left")
    axes.legend(loc="upper right", frameon=False, fontsize=8, handlelength=2.6, borderaxespad=0.1)


def _examples(store: ImageStore) -> list[tuple[int | None, str]]:
    """Return a training image of each class, or the first images where they have boxes, with titles."""
    training = store.indices("train")
    if store.boxes is not None:
        return [(index, store.names[index].rpartition("/")[2]) for index in training[:BOXED_EXAMPLES].tolist()]
    labels, first = np.unique(store.labels[training], return_index=True)
    first_of = dict(zip(labels.tolist(), training[first].tolist(), strict=True))
    # A class may have no training image.
    titles = [textwrap.fill(_shown(name), EXAMPLE_COLUMNS) for name in store.classes[:MAX_EXAMPLES]]
    return [(first_of.get(label), title) for label, title in enumerate(titles)]


def _shown(name: str) -> str:
    return shortened(name).replace("_", " ")


def _draw_example(axes: Axes, store: ImageStore, index: int | None, title: str) -> None:
    if index is not None:
        image = store.image(index)
        axes.imshow(image, interpolation="antialiased")
        if store.boxes is not None:
            height, width = image.shape[:2]
            x1, y1, x2, y2 = store.boxes[index] * (width, height, width, height)
            corner = (x1 - 0.5, y1 - 0.5)  # a pixel's middle lies at whole numbers
            axes.add_patch(Rectangle(corner, x2 - x1, y2 - y1, fill=False, edgecolor="#E69F00", linewidth=1.5))
    axes.set_title(title, fontsize=8, pad=3)
