"""Statistics of a data set: images by class and split, sizes, exact distribution of pixel values.

No pass over the pixels is needed: while a store is built, every image is counted into histograms of its split. 256
integers per split and channel determine mean, deviation and extremes.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import SPLITS, Split
from datasets.images.histogram import mean_and_deviation
from datasets.store.image_store import ImageStore
from errors import pluralize

CHANNELS = ("red", "green", "blue")
WIDTH = 100  # characters of a line of notes
MOST_ROWS = 200  # classes, or images, that are listed one by one
LONGEST_NAME = 40  # characters of a class's name that are shown


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Statistics of the pixels of some images, per channel red, green, blue, from 0 to 255."""

    count: int  # pixels of one channel
    minimum: tuple[int, ...]
    maximum: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]  # population standard deviation
    histogram: NDArray[np.int64]  # [3, 256]


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of one store."""

    store: ImageStore
    images: dict[Split, tuple[int, ...]]  # per class
    sizes: tuple[tuple[int, int, int], ...]  # (height, width, images), most frequent first
    stratified: bool  # every class has its share of each split, to within one image
    everything: Pixels
    training: Pixels  # the training split alone: what a model may know of the data

    @property
    def total(self) -> int:
        return sum(sum(counts) for counts in self.images.values())


def describe(store: ImageStore) -> Statistics:
    """Return the statistics of a store, in milliseconds for any size."""
    classes = len(store.classes)
    counts = {split: np.bincount(store.labels[store.indices(split)], minlength=classes) for split in SPLITS}
    sizes = Counter(zip(store.heights.tolist(), store.widths.tolist(), strict=True))
    return Statistics(
        store=store,
        images={split: tuple(of_class.tolist()) for split, of_class in counts.items()},
        sizes=tuple((*size, count) for size, count in sorted(sizes.items(), key=_frequency, reverse=True)),
        stratified=_is_stratified(np.stack(list(counts.values()))),
        everything=_pixels(store.histograms.sum(axis=0)),
        training=_pixels(store.histograms[SPLITS.index("train")]),
    )


def render_text(statistics: Statistics, notices: Sequence[str] = ()) -> str:
    """Render for a terminal: at most 100 columns, but for what names images.

    Args:
        statistics: Statistics of a store.
        notices: Lines beside the store's own.
    """
    store = statistics.store
    names = [shortened(name) for name in store.classes]
    width = max(8, *map(len, names))
    lines = [
        f"{store.title}: {statistics.total} images, {pluralize(len(names), 'class', 'classes')}",
        f"fingerprint {store.fingerprint[:16]}",
        "",
        f"{'class':<{width}}  {'train':>7}{'val':>7}{'test':>7}{'all':>8}",
    ]
    rows = list(zip(names, zip(*statistics.images.values(), strict=True), strict=True))[:MOST_ROWS]
    if len(names) > MOST_ROWS:
        rest = tuple(sum(images[MOST_ROWS:]) for images in statistics.images.values())
        rows.append((f"{len(names) - MOST_ROWS} more", rest))
    rows.append(("together", tuple(sum(images) for images in statistics.images.values())))
    lines += [f"{name:<{width}}  " + "".join(f"{n:>7}" for n in counts) + f"{sum(counts):>8}" for name, counts in rows]
    shares = "equal in every split" if statistics.stratified else "NOT equal across the splits"
    heights, widths = store.heights, store.widths
    lines += [
        "",
        f"class shares: {shares}",
        f"image sizes: {len(statistics.sizes)} different; height {heights.min()} to {heights.max()}, "
        f"width {widths.min()} to {widths.max()}; most frequent (height x width):",
    ]
    lines += [f"  {height} x {width}: {count}" for height, width, count in statistics.sizes[:5]]
    for title, pixels in (("all images", statistics.everything), ("training images alone", statistics.training)):
        lines += [
            "",
            f"pixels of {title} ({pixels.count} per channel)",
            f"{'':7}{'min':>5}{'max':>5}{'mean':>11}{'std':>10}",
        ]
        lines += [
            f"{name:<7}{pixels.minimum[channel]:>5}{pixels.maximum[channel]:>5}"
            f"{pixels.mean[channel]:>11.4f}{pixels.deviation[channel]:>10.4f}"
            for channel, name in enumerate(CHANNELS)
        ]
    lines += ["", "Models are scaled with the training images' mean and deviation alone."]
    for notice in (*notices, *store.notices):
        lines += textwrap.wrap(f"note: {notice}", WIDTH, subsequent_indent=" " * 6, break_long_words=False)
    left_out = [f"left out: {name}: {reason}" for name, reason in store.broken.items()]
    alike = [f"look the same: {one} and {other}" for one, other in store.near_duplicates]
    alike += [f"equal, in two classes: {one} and {other}" for one, other in store.equal_in_two_classes]
    for listed in (left_out, alike):
        lines += listed[:MOST_ROWS]
        if len(listed) > MOST_ROWS:
            lines.append(f"... and {len(listed) - MOST_ROWS} more")
    return "\n".join(lines)


def shortened(name: str) -> str:
    """Return a class's name as it is shown."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _frequency(item: tuple[tuple[int, int], int]) -> tuple[int, tuple[int, int]]:
    return item[1], item[0]


def _is_stratified(counts: NDArray[np.int64]) -> bool:
    """Return whether every cell [split, class] is within one image of its share."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()
    return bool((np.abs(counts - expected) < 1).all())


def _pixels(histogram: NDArray[np.int64]) -> Pixels:
    mean, deviation = mean_and_deviation(histogram)
    present = [np.flatnonzero(counts) for counts in histogram]
    return Pixels(
        count=int(histogram[0].sum()),
        minimum=tuple(int(values.min()) for values in present),
        maximum=tuple(int(values.max()) for values in present),
        mean=mean,
        deviation=deviation,
        histogram=histogram,
    )
