"""Images of one array, each read as the bytes of a file, like all others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import SourceImage, Split


class ArrayImage:
    """An image of an array as a Netpbm file: a line of header before its bytes, exact, and written at a copy's cost."""

    def __init__(self, pixels: NDArray[np.uint8], number: int) -> None:
        """pixels: grey [N, H, W] or RGB [N, H, W, 3], 0 to 255. number: which of the N."""
        self._pixels, self._number = pixels, number

    def __call__(self) -> bytes:
        image = self._pixels[self._number]
        height, width = image.shape[:2]
        kind = "P5" if image.ndim == 2 else "P6"
        content: bytes = image.tobytes()
        return f"{kind}\n{width} {height}\n255\n".encode() + content


def array_images(
    pixels: NDArray[np.uint8], labels: NDArray[Any], prefix: str = "", digits: int = 5, split: Split | None = None
) -> list[SourceImage]:
    """Return every image with its label, named by its number.

    Args:
        pixels: see ArrayImage.
        labels: [N] of integers.
        prefix: of the names.
        digits: of the number.
        split: of all of them.
    """
    kind = "pgm" if pixels.ndim == 3 else "ppm"
    return [
        SourceImage(name=f"{prefix}{n:0{digits}d}.{kind}", label=label, read=ArrayImage(pixels, n), split=split)
        for n, label in enumerate(labels.tolist())
    ]
