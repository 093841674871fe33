"""The event log of a study, `events.jsonl`: append-only, synced, one JSON object a line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from atomic_file import naming_path
from tuning.records.events import AnyEvent


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and paths into JSON's values."""
    return value.item() if hasattr(value, "item") else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)  # writes NaN and infinity, which JSON lacks, as null
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class EventLog:
    """Appends events, each synced to disk before anything acts on it, and passes them to listeners."""

    def __init__(self, path: Path) -> None:
        """Open the log, cutting off a last line without its end: a process was killed while writing it."""
        self._file = path.open("a+b")
        self._file.seek(0)
        self._file.truncate(sum(len(line) for line in self._file if line.endswith(b"\n")))
        self._listeners: list[Callable[[AnyEvent], None]] = []

    def listen(self, *listeners: Callable[[AnyEvent], None]) -> None:
        self._listeners += listeners

    def append(self, event: AnyEvent) -> AnyEvent:
        """Write the event with the present time, then pass it on as read back.

        Raises:
            OSError: The file cannot be written; the error names it.
        """
        line = _encoder.encode(msgspec.structs.replace(event, time=round(time.time(), 3)))
        with naming_path(Path(self._file.name)):
            self._file.write(line + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        recorded = _decoder.decode(line)
        for listener in self._listeners:
            listener(recorded)
        return recorded

    def close(self) -> None:
        with naming_path(Path(self._file.name)):  # it writes what a full disk did not take before
            self._file.close()


def read_events(path: Path) -> Iterator[AnyEvent]:
    """Yield every whole line; a last line without its end was being written when the driver died.

    Raises:
        msgspec.MsgspecError: A line is no event of this version.
        ValueError: A line is not UTF-8.
    """
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield _decoder.decode(line)
