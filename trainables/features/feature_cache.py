"""Feature cache on disk: written once, whole or not at all, mapped by every trial, bounded in size.

An entry is a folder named by a digest of everything its numbers depend on: `0.bin`, `1.bin`, ... one raw array for each
tensor that crosses the cut, and `entry.json` with shapes, types and the content of the digest. It is written under
another name and renamed when it is complete and on disk, so that a killed process leaves no entry behind. Its remains
are removed when they are a day old.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  # gives NumPy the type bfloat16
import numpy as np
from filelock import FileLock, Timeout

FACTS = "entry.json"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, OverflowError)  # whatever stands in a damaged entry.json
_ABANDONED_SECONDS = 86_400  # after which an unfinished folder belongs to nobody


def key_of(parts: Mapping[str, Any]) -> str:
    """Return a digest of everything the numbers depend on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


class FeatureCache:
    """A folder of entries, the least recently used ones dropped where space is short."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder, self._limit = folder, limit_bytes

    def open(self, key: str) -> tuple[np.ndarray, ...] | None:
        """Return the arrays of an entry, or None.

        Returns:
            Read-only arrays mapped from disk.
        """
        entry = self._folder / key
        try:
            facts = json.loads((entry / FACTS).read_text())
            arrays = tuple(
                np.memmap(entry / f"{number}.bin", dtype=np.dtype(kind), mode="r", shape=tuple(shape)).view(np.ndarray)
                for number, (shape, kind) in enumerate(zip(facts["shapes"], facts["types"], strict=True))
            )
        except _UNREADABLE:  # missing, dropped meanwhile, or damaged: to be written anew
            return None
        with suppress(OSError):  # a folder only for reading is read all the same
            os.utime(entry / FACTS)  # used now
        return arrays

    @contextmanager
    def writing(self, name: str, while_waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock for writing an entry.

        Args:
            name: Name of the entry.
            while_waiting: Called before waiting for another process that writes it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{name}.lock")  # flock: the kernel releases it when its process dies
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            while_waiting()
            held = lock.acquire()
        with held:
            yield

    def write(
        self,
        entries: Mapping[str, Sequence[tuple[tuple[int, ...], Any]]],
        batches: Iterator[Mapping[str, Sequence[np.ndarray]]],
        about: Mapping[str, Any],
    ) -> dict[str, tuple[np.ndarray, ...]]:
        """Write several entries at once, from batches in order.

        Args:
            entries: Shape [N, ...] and type of every array, by key.
            batches: For each key the next rows of its arrays.
            about: Content of the digest.

        Returns:
            The arrays as `open` returns them, by key.

        Raises:
            OSError: The disk is full.
            RuntimeError: The batches do not fill the shapes.
        """
        sizes = {
            key: sum(int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize for shape, kind in arrays)
            for key, arrays in entries.items()
        }
        # The name says how much room it will take; not mkdtemp, whose folders only their owner can read.
        partial = {key: self._folder / f".{key}.{sizes[key]}.{uuid.uuid4().hex}" for key in entries}
        written: dict[str, tuple[np.ndarray, ...]] = {}
        try:
            with self._alone():
                self._make_room(sum(sizes.values()), keep=set(entries))
                for folder in partial.values():
                    folder.mkdir()
            files = {
                key: [(partial[key] / f"{number}.bin").open("wb") for number in range(len(arrays))]
                for key, arrays in entries.items()
            }
            for batch in batches:
                for key, rows in batch.items():
                    for file, array in zip(files[key], rows, strict=True):
                        file.write(np.ascontiguousarray(array).tobytes())
            for key, arrays in entries.items():
                for file in files[key]:
                    _sync(file)
                if sum(path.stat().st_size for path in partial[key].iterdir()) != sizes[key]:
                    raise RuntimeError(f"the batches for {key} do not add up to its shape {arrays}")
                facts = {
                    "shapes": [list(shape) for shape, _ in arrays],
                    "types": [np.dtype(kind).name for _, kind in arrays],
                    "bytes": sizes[key],
                    "about": dict(about),
                }
                described = (partial[key] / FACTS).open("wb")
                described.write(json.dumps(facts, indent=1).encode())
                _sync(described)
                written[key] = self._put(partial[key], key)
        finally:
            for folder in partial.values():
                shutil.rmtree(folder, ignore_errors=True)
        return written

    def _put(self, finished: Path, key: str) -> tuple[np.ndarray, ...]:
        """Give a finished folder its name, where no other study has put the same numbers meanwhile."""
        with self._alone():  # until it is mapped, too: nobody may drop it before
            arrays = self.open(key)
            if arrays is None:
                shutil.rmtree(self._folder / key, ignore_errors=True)  # a damaged one
                finished.rename(self._folder / key)
                arrays = self.open(key)
        if arrays is None:
            raise OSError("what was written cannot be read")
        return arrays

    def _alone(self) -> FileLock:
        """Held for as long as entries get their names or are dropped, never while numbers are written."""
        return FileLock(self._folder / "names.lock")

    def _make_room(self, needed: int, keep: set[str]) -> None:
        """Drop entries, the least recently used first, until this much fits; a process that maps one keeps it.

        What others are writing just now takes room too, and is left alone.
        """
        entries, total = [], 0
        for path in filter(Path.is_dir, self._folder.iterdir()):
            if path.name.startswith("."):
                total += _unfinished_bytes(path)
                continue
            facts = path / FACTS
            try:
                entries.append((facts.stat().st_mtime, json.loads(facts.read_text())["bytes"], path))
            except _UNREADABLE:
                shutil.rmtree(path, ignore_errors=True)
        total += sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries, key=lambda entry: entry[0]):
            if total + needed <= self._limit:
                return
            if path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)
                total -= size


def _unfinished_bytes(path: Path) -> int:
    """Return what an unfinished folder will take; remove it where nothing was written to it for a day."""
    with suppress(ValueError, IndexError, OSError):  # of another kind, or just renamed by its writer
        size = int(path.name.split(".")[2])
        changed = max(each.stat().st_mtime for each in (path, *path.iterdir()))
        if time.time() - changed < _ABANDONED_SECONDS:
            return size
        shutil.rmtree(path, ignore_errors=True)
    return 0


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
