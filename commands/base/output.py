"""Standard output that is closed, lost, or in an encoding with fewer characters than names have."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


def prepare_streams() -> None:
    """Make standard streams safe to write to; to be called before any file is opened.

    The number of a closed stream would be given to the next file that is opened, such as a study's log, and libraries
    that print would write into it. What an encoding lacks is written as \\x or \\u with its number.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # None where it was closed  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def outlive_readers() -> None:
    """Let the process go on when whoever reads its output goes away, such as `| head` or a terminal."""
    sys.stdout, sys.stderr = _LastingStream(sys.stdout), _LastingStream(sys.stderr)


class _LastingStream:
    """A text stream that is silent after its first failed write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._silence()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._silence()

    def _silence(self) -> None:
        """Lead the file descriptor nowhere, also for what waits in buffers."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
