"""Boxes around what an image shows: from pixels of the published image to shares of its sides."""

from __future__ import annotations

import math
from collections.abc import Sequence

from datasets.dataset import Box, DataError, SourceImage
from datasets.images.decode import Size


class BoxError(ValueError):
    """A box that cannot be: the message says why, without the image's name."""


def relative(box: Box, size: Size) -> Box:
    """Return a box in shares of the image's sides, each from 0 to 1; they stay right under any scaling.

    Annotators draw past the edge by a pixel or two; such parts are cut off.

    Args:
        box: x1, y1, x2, y2 in pixels.
        size: Size of the published image.

    Raises:
        BoxError: A number is not finite, or the box lies outside the image.
    """
    if not all(map(math.isfinite, box)):
        raise BoxError(f"its box {_spelled(box)} is not finite")
    x1, x2 = (min(max(x / size.width, 0.0), 1.0) for x in (box[0], box[2]))
    y1, y2 = (min(max(y / size.height, 0.0), 1.0) for y in (box[1], box[3]))
    if x1 >= x2 or y1 >= y2:
        raise BoxError(
            f"its box {_spelled(box)} holds nothing of its {size.width} x {size.height} pixels: it must be x1, y1, x2, "
            "y2 with x1 below x2 and y1 below y2"
        )
    return x1, y1, x2, y2


def check_all_or_none(title: str, images: Sequence[SourceImage]) -> None:
    """Check that all images of a data set have a box or none.

    Args:
        title: Name of the data set.
        images: Its images.

    Raises:
        DataError: Some have a box and others have none.
    """
    without = [image.name for image in images if image.box is None]
    if 0 < len(without) < len(images):
        raise DataError(
            f"{len(without)} of {len(images)} images of {title} have no box, such as {without[0]}; give every image "
            "one, or none"
        )


def _spelled(box: Box) -> str:
    return f"({', '.join(f'{edge:g}' for edge in box)})"
