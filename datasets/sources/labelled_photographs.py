"""Photographs whose paths name their classes, from archives or folders in one of several layouts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from datasets.dataset import DataError, SourceImage
from datasets.readers.zip_archive import matching, members, without_copies


def labelled_photographs(
    source: Path, classes: Sequence[str], layouts: Sequence[re.Pattern[str]], missing: str
) -> list[SourceImage]:
    """Read every image, all in the first layout that has any.

    Args:
        source: an archive or a folder.
        classes: in the order of the labels, in lower case.
        layouts: patterns of paths with the groups `label`, in any case, and `file`.
        missing: the end of the error's text.

    Raises:
        DataError: a class without an image.
    """
    found = without_copies(
        (f"{match['label'].lower()}/{match['file']}", read) for match, read in matching(members(source), *layouts)
    )
    images = [SourceImage(name=name, label=classes.index(name.partition("/")[0]), read=read) for name, read in found]
    present = {image.label for image in images}
    for label, name in enumerate(classes):
        if label not in present:
            raise DataError(f"{source} has no image of a {name} {missing}")
    return images
