"""The files that are images: endings of all formats that Pillow decodes, and the content of files without an ending."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from errors import pluralize

# Pillow recognizes these, but decodes films not at all, and PostScript only by running another program on it.
UNDECODED = ("MPEG", "EPS")
LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini")  # where somebody looked at a folder
NAMED = 3  # files in a notice
NAMED_ENDINGS = 5


@cache
def image_endings() -> frozenset[str]:
    """Return the endings of all formats that Pillow decodes, in lower case with their dot."""
    from PIL import Image

    return frozenset(ending for ending, form in Image.registered_extensions().items() if _is_decoded(form))


def is_image(path: str | Path) -> bool:
    """Whether a file is an image by its ending or, where it has none, by its content."""
    ending = _ending(path)
    return ending in image_endings() if ending else _is_identified(path)


def is_left_by_system(name: str) -> bool:
    """Whether a file or folder is hidden, or a system's own: none of the user's images."""
    return name.startswith((".", "__MACOSX")) or name.lower() in LEFT_BY_SYSTEMS


def passed_over_notice(names: Sequence[str]) -> list[str]:
    """Return a notice of files that are no images, or none.

    Args:
        names: The files, the first of which are named.
    """
    if not names:
        return []
    counted = Counter(_ending(name) or "no ending" for name in names)
    kinds = sorted(counted.items(), key=lambda kind: (-kind[1], kind[0].startswith("."), kind[0]))
    shown = ", ".join(f"{ending}: {count}" for ending, count in kinds[:NAMED_ENDINGS])
    more = f" and {len(kinds) - NAMED_ENDINGS} more" if len(kinds) > NAMED_ENDINGS else ""
    named = [os.fsencode(name).decode(errors="replace") for name in names[:NAMED]]  # a name need not be text
    first = ", ".join([*named, *(["..."] if len(names) > NAMED else [])])
    what = "no readable image" if len(names) == 1 else "no readable images"
    return [f"{pluralize(len(names), 'file', 'files')} passed over, {what} ({shown}{more}): {first}"]


def _ending(path: str | Path) -> str:
    return os.path.splitext(path)[1].lower().rstrip(".")


def _is_decoded(form: str) -> bool:
    from PIL import Image
    from PIL.ImageFile import StubImageFile

    opened = Image.OPEN.get(form, (None,))[0]
    is_stub = isinstance(opened, type) and issubclass(opened, StubImageFile)  # a name without a decoder
    return opened is not None and not is_stub and form not in UNDECODED


def _is_identified(path: str | Path) -> bool:
    from PIL import Image

    from datasets.images.decode import DAMAGED

    try:
        with Image.open(path) as image:
            return _is_decoded(image.format or "")
    except (*DAMAGED, Image.DecompressionBombError):
        return False
