"""Images from anywhere: files, folders, patterns, addresses, standard input. What cannot be read says why."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets.images.decode import DecodeError, decode
from datasets.images.formats import is_image, is_left_by_system, passed_over_notice
from datasets.images.resize import resize_to_square
from datasets.images.thread_map import ordered
from datasets.readers.location import on_disk, unicode_forms
from inspection.loading.best_model import InspectionError, Winner
from machine import usable_cores

STANDARD_INPUT = "-"
ADDRESSES = ("http://", "https://")
TIMEOUT_SECONDS = (10.0, 60.0)  # to connect; between two pieces
MOST_BYTES = 200_000_000  # of one image: 100 megapixels take 300 MB uncompressed, and no photograph is
SHOWN_OF_IMAGENET = 0.875  # of the shorter side: how these networks' authors validate (224 of 256)
IMAGENET_MAX_SIDE = 4096  # pixels: what is larger is reduced while it is decoded


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """Preprocessing of an image for a model: decoding to at most `max_side`, then the square the model takes."""

    max_side: int
    white_level: float | None = None  # see decode
    side: int  # pixels
    fit: str  # see datasets.input_config.InputConfig; "imagenet" is the middle 7/8 of the shorter side

    def square(self, encoded: bytes) -> NDArray[np.uint8]:
        """Decode an image to the square that the model takes.

        Returns:
            uint8 [side, side, 3].

        Raises:
            DecodeError: The bytes are no image.
        """
        image = decode(encoded, self.max_side, white_level=self.white_level)
        if self.fit == "imagenet":
            return _middle(image, self.side)
        return resize_to_square(image, self.side, self.fit)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One image that was asked for: its pixels, or why there are none."""

    name: str
    pixels: NDArray[np.uint8] | None = None  # [S, S, 3]
    failure: str = ""


def seen_by(winner: Winner) -> Preprocess:
    """Return the winner's preprocessing of test images."""
    return Preprocess(
        max_side=winner.max_side, white_level=winner.white_level, side=winner.view.image_size, fit=winner.view.fit
    )


def find(arguments: Sequence[str], tell: Callable[[str], None]) -> list[str]:
    """Return every image that the arguments name, in their order.

    Files that are named are not opened here: one that is no image is reported when it is read. In folders, hidden files
    and those that are no images are left out.

    Args:
        arguments: Files, folders, patterns, addresses, or - for standard input.
        tell: Called with a line about files that are left out.

    Raises:
        InspectionError: A folder has no images, a pattern no matches, or standard input is named twice.
    """
    if arguments.count(STANDARD_INPUT) > 1:
        raise InspectionError("- names standard input twice, but it can be read once")
    found: list[str] = []
    for argument in arguments:
        path, nothing = on_disk(os.path.expanduser(argument)), ""
        if argument == STANDARD_INPUT or argument.lower().startswith(ADDRESSES):
            named = [argument]
        elif os.path.isdir(path):
            named, others = _files(path)
            notices = passed_over_notice(others)
            nothing = f"the folder {argument} holds no image" + "".join(f" ({notice})" for notice in notices)
            for notice in notices if named else ():
                tell(notice)
        elif not os.path.lexists(path) and glob.has_magic(path):
            matches = (glob.glob(form, recursive=True) for form in {path, *unicode_forms(path)})
            named = sorted({match for matched in matches for match in matched if os.path.isfile(match)})
            nothing = f"nothing matches {argument}"
        else:
            named = [path]
        if not named:
            raise InspectionError(f"{nothing}; name images, folders or patterns")
        found += named
    return found


def read(names: Sequence[str], seen: Preprocess) -> Generator[Picture]:
    """Yield the images in order, decoded in threads, a bounded number ahead.

    Args:
        names: Paths, addresses, or - for standard input.
        seen: Preprocessing.
    """
    threads = usable_cores()
    yield from ordered(lambda name: _picture(name, seen), names, threads=threads, ahead=4 * threads)


def _middle(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the middle 7/8 of the shorter side as a square [side, side, 3], bicubic, smoothed when shrunk."""
    from PIL import Image

    height, width = image.shape[:2]
    shown = SHOWN_OF_IMAGENET * min(height, width)
    left, top = (width - shown) / 2, (height - shown) / 2
    box = (left, top, left + shown, top + shown)
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC, box=box))


def _picture(name: str, seen: Preprocess) -> Picture:
    shown = "standard input" if name == STANDARD_INPUT else name
    try:
        return Picture(name=shown, pixels=seen.square(_encoded(name)))
    except (DecodeError, OSError, ValueError) as error:  # ValueError: a null byte in a path
        reason = getattr(error, "strerror", None) or str(error)
        return Picture(name=shown, failure=" ".join(reason.split()))


def _encoded(name: str) -> bytes:
    if name.lower().startswith(ADDRESSES):
        encoded = _fetched(name)
    elif name == STANDARD_INPUT:
        encoded = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        with open(name, "rb") as file:
            encoded = file.read(MOST_BYTES + 1)
    if len(encoded) > MOST_BYTES:
        raise OSError(f"it has over {MOST_BYTES / 1e6:.0f} MB")
    return encoded


def _fetched(address: str) -> bytes:
    """Read little more than MOST_BYTES at most. Raises OSError with few words.

    requests' own errors are OSErrors with many.
    """
    import requests

    from datasets.readers.download import failure

    encoded = bytearray()
    try:
        with requests.get(address, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.status_code >= 400:
                raise OSError(f"the server answered {response.status_code} {response.reason}")
            for part in response.iter_content(1 << 16):
                encoded += part
                if len(encoded) > MOST_BYTES:
                    break
    except requests.RequestException as error:
        raise OSError(f"it cannot be fetched: {failure(error)}") from None
    return bytes(encoded)


def _files(folder: str) -> tuple[list[str], list[str]]:
    """Return the images below a folder and the other files, each by path; links to folders are not followed."""
    images: list[str] = []
    others: list[str] = []
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not is_left_by_system(name):
                path = os.path.join(where, name)
                (images if is_image(path) else others).append(path)
    return images, others
