"""Image files: those with an ending that Pillow reads as pictures, and those without one that it recognizes."""

from __future__ import annotations

import functools
import os

# Pillow registers them to hand them to other programs, or to say what they are; it has no pixels of them.
NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}


@functools.cache
def image_endings() -> frozenset[str]:
    """Return the endings of image files, in lower case and with their dot."""
    from PIL import Image

    endings = Image.registered_extensions()
    return frozenset(ending for ending, form in endings.items() if form in Image.OPEN and form not in NO_PICTURES)


def is_image_file(path: str) -> bool:
    """Return whether a file is an image, by its ending; one without an ending is looked into."""
    from PIL import Image

    ending = os.path.splitext(path)[1].lower()
    if ending:
        return ending in image_endings()
    try:
        with Image.open(path) as image:
            return image.format not in NO_PICTURES
    except Exception:  # whatever a plug-in raises: this is no image of its kind
        return False
