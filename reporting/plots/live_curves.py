"""The picture of curves while a study runs (document 2 watched MiniVGGNet train by one)."""

from __future__ import annotations

import time
from pathlib import Path

from reporting.plots.learning_curves import draw_curves
from tuning.records.events import AnyEvent, EpochEnded
from tuning.records.study_record import StudyRecord

EVERY_SECONDS = 30.0
SHARE = 0.02  # of the driver's time at most: a picture takes half a second, with many arms a few


class LiveCurves:
    """Hears a study's events and draws its arms' best trials so far, now and then."""

    def __init__(self, path: Path, every_seconds: float = EVERY_SECONDS) -> None:
        self._path, self._every = path, every_seconds
        self._record = StudyRecord()
        self._next = time.monotonic() + every_seconds

    def apply(self, event: AnyEvent) -> None:
        """Raises OSError where the picture cannot be written."""
        self._record.apply(event)
        began = time.monotonic()
        if not isinstance(event, EpochEnded) or began < self._next:
            return
        draw_curves(self._record, self._path)
        ended = time.monotonic()
        self._next = ended + max(self._every, (ended - began) / SHARE)
