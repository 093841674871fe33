"""What a data set is made of: images by class and split, sizes, and the exact distribution of pixel values.

No pass over the pixels is needed here: while building a store every image is counted into histograms of its split, the
moment it is decoded. 256 integers per split and channel hold everything that mean, deviation and extremes depend on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import SPLITS, Split
from datasets.images.histogram import mean_and_deviation
from datasets.store.image_store import ImageStore
from errors import pluralize

CHANNELS = ("red", "green", "blue")
MOST_ROWS = 200  # classes, or images, that are listed one by one
LONGEST_NAME = 40  # characters of a class's name that are shown


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Of the pixels of some images; per channel red, green, blue, from 0 to 255."""

    count: int  # pixels of one channel
    minimum: tuple[int, ...]
    maximum: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]  # population standard deviation
    histogram: tuple[tuple[int, ...], ...]  # [3][256]


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Of one store."""

    title: str
    fingerprint: str
    classes: tuple[str, ...]
    images: dict[Split, tuple[int, ...]]  # per class
    sizes: tuple[tuple[int, int, int], ...]  # (height, width, images), most frequent first
    stratified: bool  # every class has its share of each split, to within one image
    everything: Pixels
    training: Pixels  # the training split alone: what a model may know of the data
    notices: tuple[str, ...]
    broken: dict[str, str]  # images left out, and why, by name
    near_duplicates: tuple[tuple[str, str], ...]  # names of images in different splits that look the same

    @property
    def total(self) -> int:
        return sum(sum(counts) for counts in self.images.values())


def describe(store: ImageStore) -> Statistics:
    """The statistics of a store. Costs milliseconds, whatever its size."""
    counts = {split: _by_class(store, split) for split in SPLITS}
    sizes = Counter(zip(store.heights.tolist(), store.widths.tolist(), strict=True))
    return Statistics(
        title=store.title,
        fingerprint=store.fingerprint,
        classes=store.classes,
        images={split: tuple(of_class.tolist()) for split, of_class in counts.items()},
        sizes=tuple((height, width, count) for (height, width), count in sorted(sizes.items(), key=_most_frequent)),
        stratified=_is_stratified(np.stack([counts[split] for split in SPLITS])),
        everything=_pixels(store.histograms.sum(axis=0)),
        training=_pixels(store.histograms[SPLITS.index("train")]),
        notices=store.notices,
        broken=store.broken,
        near_duplicates=store.near_duplicates,
    )


def render_text(statistics: Statistics) -> str:
    """For a terminal: at most 100 columns, but for what names images."""
    names = [shortened(name) for name in statistics.classes]
    width = max(8, *map(len, names))
    lines = [
        f"{statistics.title}: {statistics.total} images, {pluralize(len(statistics.classes), 'class', 'classes')}",
        f"fingerprint {statistics.fingerprint[:16]}",
        "",
        f"{'class':<{width}}  {'train':>7}{'val':>7}{'test':>7}{'all':>8}",
    ]
    rows = [
        (name, [statistics.images[split][label] for split in SPLITS]) for label, name in enumerate(names[:MOST_ROWS])
    ]
    if len(statistics.classes) > MOST_ROWS:
        rest = [sum(statistics.images[split][MOST_ROWS:]) for split in SPLITS]
        rows.append((f"{len(statistics.classes) - MOST_ROWS} more", rest))
    rows.append(("together", [sum(statistics.images[split]) for split in SPLITS]))
    lines += [f"{name:<{width}}  " + "".join(f"{n:>7}" for n in counts) + f"{sum(counts):>8}" for name, counts in rows]
    lines += [
        "",
        "class shares: " + ("equal in every split" if statistics.stratified else "NOT equal across the splits"),
    ]
    heights = [height for height, _, _ in statistics.sizes]
    widths = [width for _, width, _ in statistics.sizes]
    lines.append(
        f"image sizes: {len(statistics.sizes)} different; height {min(heights)} to {max(heights)}, "
        f"width {min(widths)} to {max(widths)}; most frequent (height x width):"
    )
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
    lines += [
        "",
        "Models are scaled with the training images' mean and deviation alone.",
    ]
    lines += [f"note: {notice}" for notice in statistics.notices]
    left_out = [f"left out: {name}: {reason}" for name, reason in statistics.broken.items()]
    alike = [f"look the same: {one} and {other}" for one, other in statistics.near_duplicates]
    for listed in (left_out, alike):
        lines += listed[:MOST_ROWS]
        if len(listed) > MOST_ROWS:
            lines.append(f"... and {len(listed) - MOST_ROWS} more")
    return "\n".join(lines)


def shortened(name: str) -> str:
    """A class's name as it is shown."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _by_class(store: ImageStore, split: Split) -> NDArray[np.int64]:
    return np.bincount(store.labels[store.indices(split)], minlength=len(store.classes)).astype(np.int64)


def _most_frequent(item: tuple[tuple[int, int], int]) -> tuple[int, int, int]:
    (height, width), count = item
    return -count, -height, -width


def _is_stratified(counts: NDArray[np.int64]) -> bool:
    """Of images [split, class]: whether no cell is an image or more away from the share that its class has of all."""
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
        histogram=tuple(tuple(counts) for counts in histogram.tolist()),
    )
