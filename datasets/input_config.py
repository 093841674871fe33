"""Input configuration: size, fit and augmentation of an arm's images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from datasets.dataset import DataError

Augmentation = Literal["none", "views", "live"]
Fit = Literal["center_crop", "shorter_side", "stretch"]
FORMER_FITS: Mapping[str, Fit] = {"window": "center_crop"}  # words of old studies
MOST_VIEWS = 100
CROPS = 10


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """Input of a model as a function of the stored images; arms of one task may differ.

    Attributes:
        image_size: Side in pixels of the square a model sees.
        fit: Way to that square without augmentation: "center_crop", the middle as it is, zero-padded where smaller;
            "shorter_side", scaled until the shorter side fits, then the middle; "stretch", scaled in both directions.
        augmentation: "none"; "live": a fresh random variant of every training image in every epoch, determined by
            (seed, epoch, image) alone; or "views": one of a fixed number of variants of every training image, the same
            for all trials, which can be computed once.
        views: Number of variants with "views", else 1.
        recipe: Name of the augmentation in datasets/pipeline/augmentation.py.
        epoch_images: Training images of an epoch, where a report counts steps: the next epoch continues with the next
            ones; None is one pass.
        check_images: Validation images after an epoch, the next ones each time; None is all of them.
        crops: 1, or 10: test images are then also judged by the mean over their ten crops (see
            datasets.images.resize.ten_crops), the metric test_ten_crop_accuracy.
    """

    image_size: int
    augmentation: Augmentation = "none"
    views: int = 1
    recipe: str = "food10"
    fit: Fit = "center_crop"
    epoch_images: int | None = None
    check_images: int | None = None
    crops: int = 1

    def __post_init__(self) -> None:
        """Read an old word for `fit` as today's. Raises DataError for another number of crops."""
        object.__setattr__(self, "fit", FORMER_FITS.get(self.fit, self.fit))
        if self.crops not in (1, CROPS):
            raise DataError(f"crops is {self.crops}, but must be 1 or {CROPS}: four corners, the centre, their mirrors")


def key_fit(view: InputConfig) -> str:
    """Return the word for `fit` in keys of caches: the first one it had, or a rename would compute them anew."""
    return next((former for former, fit in FORMER_FITS.items() if fit == view.fit), view.fit)


def keeps_boxes(view: InputConfig) -> bool:
    """Whether boxes in shares of an image's sides are right for what a model sees of it: all of the image, unmoved."""
    return view.fit == "stretch" and view.augmentation == "none" and view.crops == 1


def parse_augmentation(text: str) -> tuple[Augmentation, int]:
    """Return the augmentation and its number of views, from "none", "live" or "views=K".

    Raises:
        DataError: The text is none of these.
    """
    if text in ("none", "live"):
        return ("none" if text == "none" else "live"), 1
    name, _, count = text.partition("=")
    if name == "views" and count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_VIEWS:
        return "views", int(count)
    raise DataError(
        f"must be none, live, or views=K with K from 1 to {MOST_VIEWS}, such as views=4",
        argument="augmentation",
        value=text,
    )
