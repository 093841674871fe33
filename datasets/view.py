"""How an arm sees the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Augmentation = Literal["none", "live"]


@dataclass(frozen=True, kw_only=True)
class View:
    """What of each stored image reaches a model. Arms of one task may differ.

    image_size: side in pixels of the square a model sees; validation and test images are centre-cropped to it
        (zero-padded where smaller), training images too unless augmented.
    augmentation: "none", or "live": a fresh random variant of every training image in every epoch, determined by
        (seed, epoch, image) alone.
    recipe: name of the augmentation in datasets/augmentation.py.
    """

    image_size: int
    augmentation: Augmentation = "none"
    recipe: str = "food10"
