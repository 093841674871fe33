"""Layout of a user's own images, and one image as found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.dataset import DataError, Split
from errors import arg

SPLIT_FOLDERS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
RULE = f"{arg.data} must be a folder with a sub-folder for each class, or a CSV table with the columns path and label"


@dataclass(frozen=True)
class FoundImage:
    """An image as it was found."""

    name: str
    label: str  # name of its class
    file: Path
    version: tuple[int, int]  # size in bytes and time of the last change in nanoseconds
    split: Split | None
    group: str  # "" is on its own


def check_encoding(path: str) -> None:
    """Check that a path is text, since stores and tables hold names as UTF-8.

    Raises:
        DataError: It is not.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name {path!r} is not in UTF-8, as those of images must be; rename it") from None
