"""Unpacking of wanted files of a .tar.gz in one pass, safely, into a temporary folder."""

from __future__ import annotations

import errno
import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from datasets.dataset import DataError, Progress
from datasets.readers.location import FETCH_AGAIN
from errors import arg

GZIP_MAGIC = b"\x1f\x8b"
PROGRESS_BYTES = 8 << 20  # of the compressed archive between two reports


@contextmanager
def unpacked(archive: Path, scratch: Path, wanted: Callable[[str], str | None], progress: Progress) -> Iterator[Path]:
    """Yield a temporary folder with the wanted members of a tar archive (gzip, bzip2, xz or plain).

    A folder in place of the archive is taken as it is. The archive is read once from front to back, since a .tar.gz
    has no index. Only plain files are taken, to a path made of `wanted`'s own answer that is checked to be
    inside the folder: no link, absolute path or ".." of an archive leads anywhere else.

    Args:
        archive: The archive, or a folder.
        scratch: Folder for the temporary folder.
        wanted: Returns where in the folder a member goes ("class/name.jpg"), or None to leave it out.
        progress: Reports progress.

    Raises:
        DataError: The archive is missing, empty, truncated or no tar archive, a wanted member is no plain file, or the
            disk is full.
    """
    from filelock import FileLock

    if archive.is_dir():
        yield archive
        return
    if not archive.exists():
        raise DataError(f"{archive} does not exist; name the archive or the unpacked folder with {arg.data}")
    if not archive.is_file():
        raise DataError(
            f"{archive} is neither a file nor a folder; name the archive or the unpacked folder with {arg.data}"
        )
    if archive.stat().st_size == 0:
        raise DataError(f"{archive} is empty; {FETCH_AGAIN}")
    scratch.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(scratch.with_name(f"{scratch.name}.lock")):  # two stores of one data set share the scratch folder
        shutil.rmtree(scratch, ignore_errors=True)  # what a killed process left
        try:
            scratch.mkdir()
            _unpack(archive, scratch, wanted, progress)
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _unpack(archive: Path, scratch: Path, wanted: Callable[[str], str | None], progress: Progress) -> None:
    members = 0
    try:
        with open(archive, "rb") as raw:
            size, reported = archive.stat().st_size, 0
            # tarfile's own way through a gzip stream ("r|gz") ignores its checksum and its length: read on to the end.
            zipped = raw.peek(2)[:2] == GZIP_MAGIC
            with gzip.open(raw) if zipped else nullcontext(raw) as stream:
                with tarfile.open(fileobj=stream, mode="r|" if zipped else "r|*") as tar:
                    for member in tar:
                        members += 1
                        if raw.tell() - reported >= PROGRESS_BYTES:
                            reported = raw.tell()
                            progress(f"unpacking {archive.name}", reported, size)
                        destination = wanted(member.name)
                        if destination is not None:
                            _take(tar, member, scratch, destination, archive)
                while stream.read(1 << 20):
                    pass
            progress(f"unpacking {archive.name}", size, size)
    except (EOFError, zlib.error, tarfile.TarError) as error:
        if members or not isinstance(error, tarfile.ReadError):
            raise _damaged(archive, error) from None
        raise DataError(f"{archive} is not a tar archive ({error}); {FETCH_AGAIN}") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(
                f"the disk of {scratch} is full while unpacking {archive}; free some space or choose another folder "
                f"with {arg.data_dir}"
            ) from None
        if error.errno is None:  # gzip and bz2 raise OSError without a number for damaged data
            raise _damaged(archive, error) from None
        raise DataError(f"{archive} could not be unpacked to {scratch} ({error.strerror}); check both") from None


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, scratch: Path, destination: str, archive: Path) -> None:
    """Copy a member's content; tarfile's own filter for this is missing before Python 3.11.4 (Debian 12 has 3.11.2)."""
    if not member.isreg():
        raise DataError(f"{archive} holds {member.name!r}, which is not a plain file; {FETCH_AGAIN}")
    target, content = (scratch / destination).resolve(), tar.extractfile(member)
    if content is None or not target.is_relative_to(scratch.resolve()):
        raise DataError(f"{archive} holds {member.name!r}, which leads out of its folder; {FETCH_AGAIN}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _damaged(archive: Path, error: Exception) -> DataError:
    return DataError(f"{archive} is truncated or damaged ({error}); {FETCH_AGAIN}")
