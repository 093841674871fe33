"""Images inside a zip archive, read from where they are: a zip knows its members, so that nothing is unpacked."""

from __future__ import annotations

import re
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from datasets.dataset import DataError
from datasets.readers.location import FETCH_AGAIN
from errors import arg

Read = Callable[[], bytes]  # raises OSError


def _zip_members(path: Path) -> dict[str, Read]:
    """Every file of a zip archive. Any number of threads may read.

    Raises DataError: not a zip archive, cut off (its index stands at its end).
    """
    lock = threading.Lock()
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error) or "damaged"
        raise DataError(f"{path} cannot be read as a zip archive ({reason}); {FETCH_AGAIN}") from None

    def read(name: str) -> bytes:
        """Return a member's bytes, checked against its checksum; raise OSError if it is damaged or encrypted."""
        try:
            with lock:  # before Python 3.13, threads that read from one ZipFile may disturb each other (gh-82844)
                return archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise OSError(str(error) or "the archive is damaged there") from None

    files = (info.filename for info in archive.infolist() if not info.is_dir())
    # A Mac adds __MACOSX/.../._dog.jpg to every dog.jpg: its name ends alike, but it holds no image.
    return {name: partial(read, name) for name in files if not name.rpartition("/")[2].startswith(".")}


def matching(files: Mapping[str, Read], *layouts: re.Pattern[str]) -> list[tuple[re.Match[str], Read]]:
    """Return the files whose paths fit the first of the patterns that any path fits."""
    for layout in layouts:
        found = [(match, read) for path, read in files.items() if (match := layout.search(path))]
        if found:
            return found
    return []


def without_copies(found: Iterable[tuple[str, Read]]) -> list[tuple[str, Read]]:
    """Return files of one name only if they differ: a copy of a data set may hold everything twice."""
    different: dict[str, list[Read]] = {}
    for key, read in found:
        alike = different.setdefault(key, [])
        if all(_differ(read, other) for other in alike):
            alike.append(read)
    return [(key, read) for key, reads in different.items() for read in reads]


def _differ(one: Read, other: Read) -> bool:
    try:
        return one() != other()
    except OSError:
        return False  # one is damaged, which whoever decodes it will say of that image alone


def members(source: Path) -> dict[str, Read]:
    """Return every file of a zip archive, or of a folder and its zip archives, by its path.

    Hidden files are left out.

    Raises:
        DataError: The file is missing, unreadable or no zip archive.
    """
    if not source.exists():
        raise DataError(f"{source} does not exist; name the archive or the unpacked folder with {arg.data}")
    if not source.is_dir():
        return _zip_members(source)
    found: dict[str, Read] = {}
    try:
        for path in sorted(source.rglob("*")):
            if path.name.startswith(".") or not path.is_file():
                continue
            if path.suffix.lower() == ".zip":
                found |= members(path)
            else:
                found[path.relative_to(source).as_posix()] = path.read_bytes
    except OSError as error:
        raise DataError(f"{source} cannot be read ({error.strerror}); name another copy with {arg.data}") from None
    return found
