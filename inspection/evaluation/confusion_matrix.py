"""Confusion matrix of a winner: counts, most confused pairs, text and picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reporting.plots.figure import new_figure, save_figure

IN_TEXT = 20  # classes whose matrix fits into a terminal: 20 columns of 5 characters beside the names
DRAWN = 45  # classes with a legible row each, at 800 pixels
AGGREGATED = 30  # of more, those with the most mistakes have a row of their own
COUNTED = 20  # classes whose cells are large enough for a number
NAME_LENGTH = 22  # characters
WIDTH, DOTS_PER_INCH = 8.0, 150  # inches; 1200 pixels


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of images by true and predicted class."""

    names: tuple[str, ...]  # of the classes
    counts: np.ndarray  # int [K, K]: true class, predicted class

    def shares(self) -> np.ndarray:
        """Return the share of each true class's images by predicted class.

        Returns:
            Float [K, K], 0 to 1; a class without images has zeros.
        """
        totals = self.counts.sum(axis=1, keepdims=True)
        shares: np.ndarray = self.counts / np.maximum(totals, 1)
        return shares


@dataclass(frozen=True, kw_only=True)
class ConfusedPair:
    """Images of one class that were taken for another."""

    true: str
    predicted: str
    count: int
    share: float  # of the true class's images


def confusion_of(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> Confusion:
    """Count images by true and predicted class.

    Args:
        labels: True classes as positions in `names`, int [N].
        predicted: Predicted classes, int [N].
        names: Class names.
    """
    classes = len(names)
    counts = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return Confusion(names=tuple(names), counts=counts)


def most_confused(confusion: Confusion, most: int = 10) -> list[ConfusedPair]:
    """Return the most confused pairs of classes: most images first, then the larger share.

    Args:
        confusion: The counts.
        most: Largest number of pairs.
    """
    names, counts, shares = confusion.names, confusion.counts.tolist(), confusion.shares().tolist()
    pairs = [
        ConfusedPair(true=names[true], predicted=names[other], count=counts[true][other], share=shares[true][other])
        for true, other in np.argwhere(confusion.counts).tolist()
        if true != other
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:most]


def aggregated(confusion: Confusion, most: int) -> Confusion:
    """Keep the classes with the most mistakes and add up all others as the last class.

    Args:
        confusion: The counts; returned unchanged with at most `most` + 1 classes.
        most: Number of classes to keep.
    """
    classes = len(confusion.names)
    if classes <= most + 1:
        return confusion
    mistakes = confusion.counts.sum(axis=0) + confusion.counts.sum(axis=1) - 2 * np.diag(confusion.counts)
    kept = np.sort(np.argsort(-mistakes, kind="stable")[:most])
    place = np.full(classes, most)
    place[kept] = np.arange(most)
    counts = np.zeros((most + 1, most + 1), confusion.counts.dtype)
    np.add.at(counts, (place[:, None], place[None, :]), confusion.counts)
    names = (*(confusion.names[index] for index in kept.tolist()), f"{classes - most} other classes")
    return Confusion(names=names, counts=counts)


def confusion_text(confusion: Confusion) -> str:
    """Rows are true classes; columns, numbered as the rows, what they were taken for."""
    names = [f"{_short(name)} [{number}]" for number, name in enumerate(confusion.names)]
    left = max(map(len, names))
    width = max(len(str(int(confusion.counts.max(initial=0)))), len(f"[{len(names) - 1}]")) + 1
    heading = " " * left + "".join(f"[{number}]".rjust(width) for number in range(len(names)))
    rows = [
        name.rjust(left) + "".join(str(count).rjust(width) for count in counts)
        for name, counts in zip(names, confusion.counts.tolist(), strict=True)
    ]
    return "\n".join([heading, *rows])


def draw_confusion(confusion: Confusion, title: str, path: Path) -> None:
    """Write the picture (PNG), whole or not at all; over 45 classes are aggregated to 30.

    One hue from white to dark can be read without colour vision. The colour follows the square root of the share, so
    that 1 confused image in 25 is visible.

    Args:
        confusion: The counts.
        title: Title of the picture.
        path: Target file.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import PercentFormatter

    drawn = aggregated(confusion, AGGREGATED) if len(confusion.names) > DRAWN else confusion
    classes = len(drawn.names)
    figure = new_figure((WIDTH, WIDTH), DOTS_PER_INCH, "constrained")
    axes = figure.subplots()
    shares = drawn.shares()
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    names, size = _short_names(drawn.names), max(6.5, min(11.0, 280 / classes))
    upright = classes > 4 or max(map(len, names)) > 12
    axes.set_xticks(range(classes), names, fontsize=size, rotation=90 if upright else 0)
    axes.set_yticks(range(classes), names, fontsize=size)
    axes.set_xlabel("Predicted class")
    axes.set_ylabel("True class")
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#d0d0d0", linewidth=0.4)
    axes.tick_params(which="minor", length=0)
    if classes <= COUNTED:
        for true, other in np.argwhere(drawn.counts).tolist():
            # Half the colour scale is the square root of a quarter.
            colour = "white" if shares[true, other] > 0.35 else "black"
            count = str(drawn.counts[true, other])
            axes.text(other, true, count, ha="center", va="center", color=colour, fontsize=size)
    axes.set_title(title, fontsize="medium", wrap=True)
    bar = figure.colorbar(
        image, ax=axes, orientation="horizontal", fraction=0.035, pad=0.02, format=PercentFormatter(1)
    )
    bar.set_ticks([0, 0.05, 0.25, 0.5, 0.75, 1])
    counted = "; numbers: images" if classes <= COUNTED else ""
    bar.set_label(f"Share of the true class's images{counted}")
    save_figure(figure, path)


def _short_names(names: Sequence[str]) -> list[str]:
    """For the axes; with their numbers where two would read the same."""
    short = [_short(name) for name in names]
    return short if len(set(short)) == len(short) else [f"{name} [{number}]" for number, name in enumerate(short)]


def _short(name: str) -> str:
    """Its beginning and its end where it is long: classes often differ in their last words."""
    if len(name) <= NAME_LENGTH:
        return name
    half = (NAME_LENGTH - 1) // 2
    return f"{name[: NAME_LENGTH - 1 - half]}…{name[-half:]}"
