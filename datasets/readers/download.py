"""Fetches a file that is worth resuming: broken connections go on where they stopped, checksums are checked."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests

from atomic_file import atomic_replace
from datasets.dataset import DataError, Progress, silent
from errors import arg

ATTEMPTS = 5  # in a row without a new byte
TIMEOUT_SECONDS = (10.0, 60.0)  # to connect; between two pieces
PIECE_BYTES = 1 << 14  # a piece that breaks off is lost, so it is small
REPORT_BYTES = 1 << 20  # between two calls of progress


class DownloadError(DataError):
    """A file that could not be fetched."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason  # in a few words, without address and remedy


class _Interrupted(Exception):
    """The connection failed or the server is busy: worth another attempt."""


def download(
    url: str,
    target: Path,
    *,
    md5: str | None = None,
    check_existing: bool = False,
    progress: Progress = silent,
    attempts: int = ATTEMPTS,
    timeout: tuple[float, float] = TIMEOUT_SECONDS,
    pause_seconds: float = 2.0,
) -> Path:
    """Fetch a file unless it is there already.

    What has arrived waits in TARGET.part for the next attempt, of this process or of a later one. Concurrent calls for
    one target fetch it once.

    Args:
        url: of the file.
        target: where it is put, whole or not at all.
        md5: its checksum, checked when it arrives.
        check_existing: whether a file that is there is fetched again where its checksum is wrong. Some files can be
            written by other programs too.
        progress: told about every megabyte.
        attempts: in a row without a new byte, after which it is given up.
        timeout: seconds to connect, and between two pieces.
        pause_seconds: before the second attempt, doubled for each further one.

    Returns:
        The target.

    Raises:
        DownloadError: no network, the server refuses, a wrong checksum, no space.
    """
    from filelock import FileLock

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.exists() or (check_existing and md5_checksum(target) != md5):
                part = target.with_name(f"{target.name}.part")
                _fetch(url, part, progress, attempts, timeout, pause_seconds)
                if md5 is not None:
                    _check(url, part, md5)
                atomic_replace(part, target)
    except OSError as error:  # requests' own errors never come this far
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or error
        raise DownloadError(
            f"{target} could not be written ({reason}); choose another folder with {arg.data_dir}", str(reason)
        ) from None
    return target


def _fetch(
    url: str, part: Path, progress: Progress, attempts: int, timeout: tuple[float, float], pause_seconds: float
) -> None:
    failures = 0
    while True:
        before = _size(part)
        try:
            return _continue(url, part, progress, timeout)
        except _Interrupted as error:
            failures = 0 if _size(part) > before else failures + 1
            if failures >= attempts:
                host = urlsplit(url).hostname or url
                raise DownloadError(
                    f"could not reach {host}: {error}; download {url} elsewhere and pass {arg.data}", str(error)
                ) from None
        time.sleep(pause_seconds * 2 ** max(0, failures - 1))


def _continue(url: str, part: Path, progress: Progress, timeout: tuple[float, float]) -> None:
    """Append what is missing. Raises _Interrupted."""
    have = _size(part)
    # "identity": a server must not label a .tar.gz as a compressed transfer that requests would then unpack.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                part.unlink()  # as long as the file or longer: it cannot be trusted, start over
                raise _Interrupted("the server could not resume the download")
            answered = f"answered {response.status_code} {response.reason}"
            if response.status_code >= 500 or response.status_code == requests.codes.too_many_requests:
                raise _Interrupted(f"it {answered}")
            if response.status_code >= 400:
                remedy = f"check the address, or download the file elsewhere and pass {arg.data}"
                raise DownloadError(f"{url} {answered}; {remedy}", f"it {answered}")
            resumed = response.status_code == requests.codes.partial_content
            done = reported = have if resumed else 0
            length = response.headers.get("Content-Length", "")
            total = done + int(length) if length.isdigit() else 0
            with open(part, "ab" if resumed else "wb") as file:
                for piece in response.iter_content(PIECE_BYTES):
                    file.write(piece)
                    done += len(piece)
                    if done - reported >= REPORT_BYTES or done == total:
                        reported = done
                        progress(f"downloading {urlsplit(url).hostname}", done, total)
                file.flush()
                os.fsync(file.fileno())  # what is resumed after a power cut must be what arrived
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
        raise DownloadError(
            f"{url!r} is not an address that can be fetched; it must start with http:// or https://", "no address"
        ) from None
    except requests.RequestException as error:
        raise _Interrupted(failure(error)) from None
    if total and done < total:
        raise _Interrupted(f"the connection broke off after {done} of {total} bytes")


def _check(url: str, part: Path, md5: str) -> None:
    checksum = md5_checksum(part)
    if checksum != md5:
        part.unlink()
        raise DownloadError(
            f"{url} has the md5 checksum {checksum}, but {md5} is expected; it was deleted: try again, or download it "
            f"elsewhere and pass {arg.data}",
            "what arrived has the wrong checksum",
        )


def md5_checksum(path: Path) -> str:
    """Return the MD5 of a file in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def failure(error: requests.RequestException) -> str:
    """Describe a failed request in a few words; urllib3's own text has addresses of objects in memory."""
    text = str(error)
    for sign, meaning in (
        ("NameResolutionError", "its name cannot be resolved"),
        ("Connection refused", "it refuses the connection"),
        ("timed out", "it does not answer"),
        ("unreachable", "there is no network"),
        ("IncompleteRead", "the connection broke off"),
        ("Connection broken", "the connection broke off"),
        ("reset by peer", "the connection broke off"),
        ("CERTIFICATE", "its certificate cannot be verified"),
        ("ProxyError", "the proxy does not let the connection through"),
    ):
        if sign in text:
            return meaning
    return type(error).__name__
