"""Encoded image files to pixels: any format Pillow knows becomes RGB of bounded size, or a DecodeError says why."""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from datasets.images.opencv import opencv

MAX_MEGAPIXELS = 100  # 300 MB once decoded; a small file can claim gigabytes in its header

# Pillow warns from 89 megapixels and refuses from 179; the limit here is checked before any pixel is decoded.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", message="Corrupt EXIF data")  # costs the orientation, not the image

ORIENTATION_TAG = 0x0112
# EXIF 2.3, tag Orientation: what must be done to the stored pixels [H, W, 3] to see them upright.
UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}
PNG_EXIF = (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")  # blocks of a PNG that Pillow finds an orientation in
END_OF_JPEG = b"\xff\xd9"
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap height and width


# Pillow's plug-ins raise any of these on damaged files; SyntaxError is its word for a broken PNG.
DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, OverflowError)


class DecodeError(Exception):
    """One image cannot be decoded: the message says why, without the image's name."""


@dataclass(frozen=True)
class Size:
    """Size of a stored image in pixels."""

    height: int
    width: int

    @property
    def bytes(self) -> int:
        return self.height * self.width * 3


def stored_size(encoded: bytes, max_side: int, max_megapixels: float = MAX_MEGAPIXELS) -> Size:
    """Return the size that `decode` will return, from the file's header alone.

    Args:
        encoded: Content of the file.
        max_side: Longest side in pixels.
        max_megapixels: Limit before decoding.

    Raises:
        DecodeError: The file is no image.
    """
    with _opened(encoded, max_megapixels) as image:
        width, height = bounded(image.width, image.height, max_side)
        return Size(width, height) if _orientation(encoded, image) in SIDEWAYS else Size(height, width)


def deep_maximum(encoded: bytes, max_megapixels: float = MAX_MEGAPIXELS) -> float | None:
    """Return the largest value of an image of more than 8 bits a channel; None for any other image.

    Args:
        encoded: Content of the file.
        max_megapixels: Limit before decoding.

    Raises:
        DecodeError: The file is no image, or holds values that no grey level stands for.
    """
    with _opened(encoded, max_megapixels) as image:
        return float(_deep_values(encoded, image).max()) if _is_deep(image) else None


def white_level_of(maximum: float) -> float:
    """Return the value that is shown as white: the largest number of as many bits as `maximum` needs, at least 1.

    A camera of 12 bits has 4095, values from 0 to 1 have 1, and those that use all of 16 bits have 65535.
    """
    return 2.0 ** max(1, math.ceil(math.log2(maximum + 1))) - 1


def decode(
    encoded: bytes, max_side: int, max_megapixels: float = MAX_MEGAPIXELS, white_level: float | None = None
) -> NDArray[np.uint8]:
    """Decode an image, upright, with neither side above `max_side`; it is never enlarged.

    Transparency is composited on white, values of more than 8 bits are scaled to 8, and of an animation the first frame
    is taken.

    Args:
        encoded: Content of the file.
        max_side: Longest side in pixels.
        max_megapixels: Limit before decoding, by the header.
        white_level: Value that is shown as white where channels have more than 8 bits: one for all images of a data
            set. None is the largest value of the file's format; of floating-point values 1 or 255.

    Returns:
        uint8 [H, W, 3], RGB, 0 to 255.

    Raises:
        DecodeError: The file is no image, truncated, or too large.
    """
    with _opened(encoded, max_megapixels) as image:
        target = bounded(image.width, image.height, max_side)
        orientation = _orientation(encoded, image)
        pixels = _decoded_jpeg(encoded, image, target)
        if pixels is None:
            claimed, deep = image.size, _is_deep(image)
            image.load()
            if image.size != claimed:
                raise DecodeError(f"its header claims {claimed[0]} x {claimed[1]} pixels, it holds {image.size}")
            pixels = _scaled_to_8_bits(encoded, image, white_level) if deep else np.array(_as_rgb(image))
    if pixels.shape[1::-1] != target:
        cv2 = opencv()
        pixels = cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(UPRIGHT[orientation](pixels) if orientation in UPRIGHT else pixels)


def _decoded_jpeg(encoded: bytes, image: Image.Image, target: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Return the pixels of a plain, complete JPEG by OpenCV; None leaves it to Pillow.

    OpenCV gives the same pixels (both use libjpeg-turbo; no difference in 9 files of either kind) in 60 % of the
    time, and accepts a missing end, so that the end is checked here. JPEG decodes to 1/2, 1/4 or 1/8 at a fraction of
    the cost; twice the target leaves the final resize enough to average (as Pillow's thumbnail() does).
    """
    if image.format != "JPEG" or image.mode not in ("RGB", "L") or not encoded.endswith(END_OF_JPEG):
        return None
    cv2 = opencv()
    room = min(image.width // (2 * target[0]), image.height // (2 * target[1]))
    reduced = next((factor for factor in (8, 4, 2) if factor <= room), 1) if max(image.size) > max(target) else 1
    kind = cv2.IMREAD_COLOR if reduced == 1 else getattr(cv2, f"IMREAD_REDUCED_COLOR_{reduced}")
    found = cv2.imdecode(np.frombuffer(encoded, np.uint8), kind | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None or found.shape[1::-1] != tuple(-(-side // reduced) for side in image.size):
        return None
    pixels: NDArray[np.uint8] = cv2.cvtColor(found, cv2.COLOR_BGR2RGB, dst=found)
    return pixels


def bounded(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Scale a size down so that the longer side is at most `max_side`.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        max_side: Longest side in pixels.

    Returns:
        Width and height, each at least 1.
    """
    longest = max(width, height)
    if longest <= max_side:
        return width, height
    return max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))


@contextmanager
def _opened(encoded: bytes, max_megapixels: float) -> Iterator[Image.Image]:
    if not encoded:
        raise DecodeError("the file is empty")
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            megapixels = image.width * image.height / 1e6
            if megapixels > max_megapixels:
                raise DecodeError(
                    f"its header claims {image.width} x {image.height} = {megapixels:.0f} megapixels, "
                    f"over the limit of {max_megapixels:g}"
                )
            yield image
    except UnidentifiedImageError:
        raise DecodeError("not an image in a format Pillow reads") from None
    except Image.DecompressionBombError as error:
        raise DecodeError(f"over the limit of {max_megapixels:g} megapixels: {error}") from None
    except DAMAGED as error:
        raise DecodeError(f"truncated or damaged: {error}") from None


def _orientation(encoded: bytes, image: Image.Image) -> int:
    if image.format == "TIFF":  # Pillow turns it while it loads the pixels, and tells the size as it is then
        return 1
    # Pillow decodes all of a PNG to look for an EXIF block behind its pixels: two thirds of what the pixels cost.
    if image.format == "PNG" and not any(block in encoded for block in PNG_EXIF):
        return 1
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except (*DAMAGED, TypeError, KeyError, AttributeError):  # a damaged EXIF block must not cost a good image
        return 1


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    """Return whether channels have more than 8 bits. To be asked before the pixels are loaded."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0].args if tiles else ""
    raw_mode = str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)  # such as "RGB;16B"
    return image.mode.startswith("I;16") or image.mode in ("I", "F") or (image.mode == "RGB" and ";16" in raw_mode)


def _scaled_to_8_bits(encoded: bytes, image: Image.Image, white_level: float | None) -> NDArray[np.uint8]:
    """Return the pixels [H, W, 3] of a deep image. Pillow's own convert() clips grey values at 255."""
    values = _deep_values(encoded, image)
    if white_level is None:
        white_level = _white_level_of_format(image, float(values.max()))
    levels = np.rint(np.minimum(values * (255.0 / white_level), 255.0)).astype(np.uint8)
    return levels if levels.ndim == 3 else np.repeat(levels[:, :, None], 3, axis=2)


def _deep_values(encoded: bytes, image: Image.Image) -> NDArray[np.float64]:
    """Return the values of a deep image, [H, W] or [H, W, 3].

    Pillow keeps the upper 8 bits of 16-bit colours, which may be few of a camera's 12; OpenCV keeps all.
    """
    if image.mode == "RGB":
        cv2 = opencv()
        found = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        if found is not None and found.dtype == np.uint16 and found.shape == (image.height, image.width, 3):
            return np.asarray(found[:, :, ::-1], np.float64)
        return np.asarray(image).astype(np.float64) * 257  # 255 becomes 65535
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0:
        raise DecodeError("it holds negative or not finite values, which no grey level stands for")
    return values


def _white_level_of_format(image: Image.Image, highest: float) -> float:
    if image.mode != "F":
        return 65535.0 if highest <= 65535 else 2.0**31 - 1
    if highest > 255:
        raise DecodeError(f"its floating-point values reach {highest:g}; only 0 to 1 and 0 to 255 are understood")
    return 1.0 if highest <= 1 else 255.0
