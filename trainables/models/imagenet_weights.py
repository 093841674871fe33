"""Fetches ImageNet weights that keras.applications publishes: once, whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import filelock
import keras

from trainables.learner import Fatal
from trainables.models.catalogue import Source

REMEDY = "give a local file with {weights}, or take EfficientNetLite0, whose weights come with the installation"
# Seconds for a connection or for a silence within one. Offline is known in milliseconds (no name, no route); a network
# that drops packets would otherwise hold the study for minutes, since keras.utils.get_file sets no timeout at all.
TIMEOUT = 10.0


def locate(name: str, source: Source | None, given: Path | str | None) -> Path | None:
    """The file to load for the backbone `name`: the one given, else the cached one, else fetched now.

    None means that an installed package holds it. Raises Fatal (one line).
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
    """Where Keras itself keeps weights: $KERAS_HOME/models or ~/.keras/models."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "models"


@functools.cache  # the check of 258 MB (EfficientNetB7) takes half a second: once a process is enough
def fetch(name: str, source: Source) -> Path:
    """The cached file, downloaded first where it is missing or damaged; one process downloads, others wait.

    Raises Fatal (one line) where it cannot be fetched; nothing half-written stays behind.
    """
    target = cache_folder() / source.file_name
    if _is_whole(target, source):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{target}.lock"):
            if not _is_whole(target, source):  # another process may have fetched it while this one waited
                _download(source, target)
    except Exception as error:  # get_file raises bare Exception where the connection breaks
        raise Fatal(
            f"the ImageNet weights of {name} are not at {target} and cannot be fetched from {source.url} "
            f"({_reason(error)}): {REMEDY}"
        ) from None
    return target


def _is_whole(path: Path, source: Source) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == source.md5
    except OSError:
        return False


def _download(source: Source, target: Path) -> None:
    # A question first: get_file would wait on a silent network, and would print before it fails.
    with urllib.request.urlopen(urllib.request.Request(source.url, method="HEAD"), timeout=TIMEOUT):
        pass
    # Into a folder of its own and renamed when whole: get_file writes to the final name, so a killed process would
    # leave a part of a file that looks like the file.
    folder = Path(tempfile.mkdtemp(prefix=f".{source.file_name}.", dir=target.parent))
    try:
        with _timeout(TIMEOUT), contextlib.redirect_stdout(io.StringIO()):
            fetched = keras.utils.get_file(
                source.file_name, source.url, file_hash=source.md5, cache_dir=str(folder), cache_subdir="."
            )
        if not _is_whole(Path(fetched), source):
            raise ValueError("what arrived has the wrong checksum")
        os.replace(fetched, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: BaseException) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join(str(inner).split())[:120] or type(error).__name__
