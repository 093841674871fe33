"""Resizing of images to the square that a model sees, and ten crops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from datasets.images.opencv import opencv
from datasets.input_config import Fit

# Krizhevsky et al. (2012) and the deep-learning report cut squares out of images of 256 pixels; of 227 in the report.
WHOLE, CUT = 256, 227


def crop_source_side(side: int) -> int:
    """Pixels of the square that crops of `side` pixels are cut from: 256 for 227, and others in proportion."""
    return round(side * WHOLE / CUT)


def ten_crops(image: NDArray[np.uint8], side: int, fit: Fit) -> NDArray[np.uint8]:
    """Return the four corners and the centre, then the mirror images of the five.

    They are cut from the square of `crop_source_side(side)` pixels that `fit` makes of the image, in the order top
    left, top right, bottom right, bottom left, centre (deep-learning report, CropsPreprocessor.py).

    Args:
        image: uint8 [H, W, 3].
        side: Side of a crop in pixels.
        fit: How the image becomes a square.

    Returns:
        uint8 [10, side, side, 3].
    """
    whole = resize_to_square(image, crop_source_side(side), fit)
    far = len(whole) - side
    corners = ((0, 0), (0, far), (far, far), (far, 0), (far // 2, far // 2))
    five = np.stack([whole[top : top + side, left : left + side] for top, left in corners])
    return np.concatenate([five, five[:, :, ::-1]])


def resize_to_square(image: NDArray[np.uint8], side: int, fit: Fit) -> NDArray[np.uint8]:
    """Resize an image to a square as `fit` says (see InputConfig).

    Args:
        image: uint8 [H, W, 3].
        side: Side in pixels.
        fit: How the image becomes a square.

    Returns:
        uint8 [side, side, 3].
    """
    if fit == "center_crop":
        return center_crop(image, side)
    height, width = image.shape[:2]
    scale = side / min(height, width)
    size = (side, side) if fit == "stretch" else (max(side, round(width * scale)), max(side, round(height * scale)))
    if size == (width, height):
        return center_crop(image, side)
    cv2 = opencv()
    # By area where it shrinks, or thin lines would vanish between the pixels that are looked at. Stretched, one side
    # may shrink and the other grow.
    shrunk = (min(width, size[0]), min(height, size[1]))
    if shrunk != (width, height):
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
    if shrunk != size:
        image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    return center_crop(image, side)


def center_crop(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Cut out the middle without resizing, with zeros around a smaller image.

    With an odd margin the smaller half is above and to the left.

    Args:
        image: uint8 [H, W, 3].
        side: Side in pixels.

    Returns:
        uint8 [side, side, 3].
    """
    height, width = image.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    middle = image[top : top + side, left : left + side]
    if middle.shape[0] == side and middle.shape[1] == side:
        return middle
    padded = np.zeros((side, side, 3), np.uint8)
    above, before = (side - middle.shape[0]) // 2, (side - middle.shape[1]) // 2
    padded[above : above + middle.shape[0], before : before + middle.shape[1]] = middle
    return padded
