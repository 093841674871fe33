"""Layout of a user's own images, and one image as found."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datasets.dataset import DataError, Split
from errors import arg

# Names of folders, and values of a table's column, in lower case.
SPLIT_WORDS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
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


@dataclass(frozen=True)
class FoundImages:
    """Everything that lies at one location."""

    images: list[FoundImage]
    notices: tuple[str, ...]  # lines about what lies there and is not taken, or is taken for something


def composed(name: str) -> str:
    """Return a name in the Unicode form in which names are compared; macOS writes é as e and an accent."""
    return unicodedata.normalize("NFC", name)


def unify_names(found: Sequence[FoundImage], key: Callable[[str], str] = composed) -> list[FoundImage]:
    """Return the images with one name for each class and each group, however it is spelled.

    A name with one spelling stays as it is, so that no store is built anew for it.

    Args:
        found: The images.
        key: Returns the common name of all spellings.
    """
    labels = _one_spelling({one.label for one in found}, key)
    groups = _one_spelling({one.group for one in found}, key)
    return [replace(one, label=labels[one.label], group=groups[one.group]) for one in found]


def _one_spelling(names: set[str], key: Callable[[str], str]) -> dict[str, str]:
    spellings = Counter(map(key, names))
    return {name: key(name) if spellings[key(name)] > 1 else name for name in names}


def check_encoding(path: str) -> None:
    """Check that a path is text, since stores and tables hold names as UTF-8.

    Raises:
        DataError: It is not.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name {path!r} is not in UTF-8, as those of images must be; rename it") from None
