"""Files and folders written whole or not at all: a temporary path beside the target, renamed into place."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def naming_path(path: Path) -> Iterator[None]:
    """Give an OSError of the block that names no file this one: a write to a full disk tells only that it is full.

    Raises:
        OSError: the block's.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


@contextmanager
def atomic_path(target: Path, *, synced: bool = True, partial: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `target`, which becomes `target` when the block ends without an exception.

    The block writes a file there, or makes a folder. After an exception nothing is left of it; after a kill it stays,
    until the next process of this machine writes the same target. The old target stays in both cases. An old folder is
    moved aside first, since no system replaces a folder that is not empty. A new file gets the old file's permissions.

    Args:
        target: in a folder that exists.
        synced: whether the content and the name must survive a power cut. Not worth the wait for what is derived.
        partial: a temporary path for callers that lock the target and find what a killed process left by that lock.

    Raises:
        OSError: the folder does not exist, a full disk, no permission.
    """
    if partial is None:
        remove_partials(target)
        process = f"{os.getpid()}-{threading.get_native_id()}"
        partial = target.with_name(f"{_prefix(target)}{process}.partial{target.suffix}")  # Keras goes by the suffix
    try:
        with naming_path(target):
            yield partial
            if target.is_file():
                partial.chmod(target.stat().st_mode)
            atomic_replace(partial, target, synced=synced)
    finally:
        _remove(partial)


def write_atomically(path: Path, content: str | bytes, *, synced: bool = True) -> None:
    """Write a file whole or not at all, text as UTF-8, and make its folder.

    Args:
        path: the file.
        content: what it will hold.
        synced: see atomic_path.

    Raises:
        OSError: a full disk, no permission.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path, synced=synced) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def atomic_replace(partial: Path, target: Path, *, synced: bool = True) -> None:
    """Rename `partial` to `target` in the same folder, in place of what is there.

    Args:
        partial: a file or a folder, closed.
        target: a path of the same kind, or one that does not exist.
        synced: see atomic_path.

    Raises:
        OSError: it cannot be renamed.
    """
    if synced:
        for path in [*partial.rglob("*"), partial]:
            _sync(path)
    if target.is_dir():  # a process killed within the next two lines leaves the old folder under the name `old`
        old = partial.with_name(f"{partial.name}.old")
        target.rename(old)
        try:
            os.replace(partial, target)
        except OSError:
            old.rename(target)
            raise
        _remove(old)
    else:
        os.replace(partial, target)
    if synced:
        with suppress(OSError):  # some file systems cannot sync a folder, and the rename has been made
            _sync(target.parent)


def remove_partials(target: Path) -> None:
    """Remove partial files of `target` that processes of this machine left when they ended; they may be as large."""
    prefix = _prefix(target)
    with suppress(OSError):  # no such folder: whoever writes there says so
        for left in [path for path in target.parent.iterdir() if path.name.startswith(prefix)]:
            process = left.name.removeprefix(prefix).partition(".")[0].partition("-")[0]
            if ".partial" in left.name and process.isdecimal() and not _is_running(int(process)):
                _remove(left)


def _prefix(target: Path) -> str:
    return f".{target.name}.{socket.gethostname()}."


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if os.name == "nt":  # there, neither folders nor files opened for reading can be synced
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
