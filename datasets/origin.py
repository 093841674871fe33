"""Where the user said images come from, as one line that changes when what lies there changes."""

from __future__ import annotations

import os
from pathlib import Path


def is_address(origin: str) -> bool:
    """Whether it is a URL and not a path."""
    return "://" in origin


def describe_origin(origin: str | None) -> str:
    """ "" for the authors' own address, a URL as it is, a file with its size and time, a folder with its newest change.

    A folder changes when a file is added, removed or renamed anywhere in it: only the times of the folders themselves
    are read, since asking 101,000 files on a network disk takes minutes.
    """
    if origin is None or is_address(origin):
        return origin or ""
    path = Path(origin).expanduser().resolve()
    try:
        if path.is_dir():
            newest = max(os.stat(folder).st_mtime_ns for folder, _, _ in os.walk(path))
            return f"{path} changed {newest}"
        facts = path.stat()
    except OSError:
        return str(path)  # what is wrong with it is said by whoever opens it
    return f"{path} of {facts.st_size} bytes changed {facts.st_mtime_ns}"
