"""Seconds of a trial by phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class PhaseTimer:
    """Adds up seconds by phase. Phases may nest: a second counts for the innermost one alone, so sums are true."""

    def __init__(self, tell: Callable[[str], None] = lambda phase: None) -> None:
        """Create a timer that has counted nothing.

        Args:
            tell: Called with each phase as it begins.
        """
        self._tell = tell
        self._seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Count the seconds inside for that phase."""
        self._book()
        self._open.append(phase)
        self._tell(phase)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    def take(self) -> dict[str, float]:
        """Seconds by phase since the last call, to a tenth of a millisecond."""
        self._book()
        taken, self._seconds = self._seconds, {}
        return {phase: round(seconds, 4) for phase, seconds in taken.items()}

    def _book(self) -> None:
        now = time.perf_counter()
        if self._open:
            self._seconds[self._open[-1]] = self._seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now
