"""Fetches ImageNet weights that keras.applications publishes: once, whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path

from datasets.readers.download import DownloadError, download, md5_checksum
from errors import arg
from trainables.learner import Fatal
from trainables.models.backbones.registry import Source

REMEDY = f"give a local file with {arg.weights}, or take EfficientNetLite0, whose weights come with the installation"
# Seconds for a connection or for a silence within one. Offline is known in milliseconds (no name, no route); a network
# that drops packets would otherwise hold the study for minutes.
TIMEOUT = 10.0


def locate(name: str, source: Source | None, given: Path | str | None) -> Path | None:
    """Return the file of a backbone's weights: the given one, else the cached one, else a download.

    Args:
        name: Name of the backbone.
        source: Where its weights are published; None means an installed package.
        given: The user's file.

    Returns:
        The file; None where an installed package holds the weights.

    Raises:
        Fatal: The file is missing or has the wrong format, or the download fails.
    """
    if given is not None:
        path = Path(given).expanduser()
        if not path.is_file():
            raise Fatal(f"weights is {path}, but there is no such file: give a .h5, .weights.h5 or .keras file")
        known = (".h5", ".hdf5", ".keras", ".npz") + ((".pth",) if source is None else ())
        if path.suffix not in known:
            raise Fatal(f"weights is {path}, but {name} is loaded from a file ending in {', '.join(known)}")
        return path
    return None if source is None else fetch(name, source)


def cache_folder() -> Path:
    """Return Keras's own folder of weights: $KERAS_HOME/models or ~/.keras/models."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "models"


@functools.cache  # the check of 258 MB (EfficientNetB7) takes half a second: once a process is enough
def fetch(name: str, source: Source) -> Path:
    """Return the cached file of weights, downloaded first where it is missing or damaged.

    One process downloads, others wait. What a broken connection leaves is resumed by the next call.

    Args:
        name: of the backbone.
        source: its address, file name and checksum, which keras.applications publishes.

    Returns:
        The file in Keras's own cache.

    Raises:
        Fatal: it cannot be fetched (one line).
    """
    target = cache_folder() / source.file_name
    with contextlib.suppress(OSError):
        if md5_checksum(target) == source.md5:  # checked before the lock is taken: the folder may be read-only
            return target
    try:
        # Keras writes to this name too, and leaves a part of the file there where it is killed.
        return download(source.url, target, md5=source.md5, check_existing=True, attempts=1, timeout=(TIMEOUT, TIMEOUT))
    except DownloadError as error:
        raise Fatal(
            f"the ImageNet weights of {name} are not at {target} and cannot be fetched from {source.url} "
            f"({error.reason}): {REMEDY}"
        ) from None
