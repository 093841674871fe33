"""Origin of images as the user named it, as one line that changes when its content changes."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from datasets.dataset import DataError, Progress
from errors import arg

# Of a damaged archive. What was downloaded is kept: starting again alone would not fetch it again.
FETCH_AGAIN = f"name another copy with {arg.data}, or, where it was downloaded to, delete it and start again"


def is_address(origin: str) -> bool:
    """Whether it is a URL and not a path."""
    return "://" in origin


def local(origin: str) -> Path:
    """Return the absolute path that the user named, with ~ and ~USER (Path.expanduser raises for unknown users)."""
    return Path(on_disk(str(Path(os.path.expanduser(origin)).absolute())))


def on_disk(path: str) -> str:
    """Return a path in the Unicode form that it has on disk, or as it is where nothing lies there.

    Most systems take é and an e with an accent for two names; macOS writes the latter, keyboards the former.
    """
    folder, name = os.path.split(path)
    if os.path.lexists(path) or folder == path:
        return path
    parent = on_disk(folder)
    return next(filter(os.path.lexists, (os.path.join(parent, form) for form in unicode_forms(name))), path)


def unicode_forms(text: str) -> tuple[str, str]:
    """Return a text composed, as keyboards write it, and decomposed."""
    return unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)


def describe_origin(origin: str | None) -> str:
    """Return "" for the authors' address, else the URL, file with size and time, or folder with newest change.

    A folder changes when a file is added, removed or renamed in it: only times of folders are read, since reading
    those of 101,000 files on a network disk takes minutes.
    """
    if origin is None or is_address(origin):
        return origin or ""
    path = Path(os.path.realpath(local(origin)))
    try:
        if path.is_dir():
            newest = max((os.stat(folder).st_mtime_ns for folder, _, _ in os.walk(path)), default=0)  # 0: unreadable
            return f"{path} changed {newest}"
        facts = path.stat()
    except OSError:
        return str(path)  # what is wrong with it is said by whoever opens it
    return f"{path} of {facts.st_size} bytes changed {facts.st_mtime_ns}"


def fetched(origin: str | None, address: str, data_dir: Path, progress: Progress, md5: str | None = None) -> Path:
    """Return where the images are on this machine, after a download if necessary.

    Args:
        origin: Path or URL that the user named, or None.
        address: The authors' address, taken without `origin`.
        data_dir: Folder of downloads.
        progress: Reports progress.
        md5: Checksum of the authors' file.

    Raises:
        DataError: See datasets.readers.download.download.
    """
    if origin is not None and not is_address(origin):
        return local(origin)
    from datasets.readers.download import download

    url = address if origin is None else origin
    try:
        name = PurePosixPath(urlsplit(url).path).name or "archive"
    except ValueError as error:
        raise DataError(
            f"{arg.data} is {url}, which is no address ({error}); name an archive at http:// or https://"
        ) from None
    if url != address:
        # Two addresses may end alike, and each may be longer than a file's name can be.
        name = f"{hashlib.sha256(url.encode()).hexdigest()[:10]}-{name[-60:]}"
    target = data_dir / "downloads" / name
    return download(url, target, md5=md5 if url == address else None, progress=progress)
