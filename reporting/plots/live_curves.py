"""Learning curves of a running study, drawn at intervals (the deep-learning report watched MiniVGGNet so)."""

from __future__ import annotations

import time
from pathlib import Path

from reporting.plots.learning_curves import draw_curves
from tuning.records.events import AnyEvent, EpochEnded
from tuning.records.study_record import StudyRecord

EVERY_SECONDS = 30.0  # interval between two plots of a running study
SHARE = 0.02  # most of the driver's time for plots: one takes half a second, with many arms a few seconds
LONGEST_SECONDS = 90.0  # whatever the share: on a busy machine a plot took 7 s, and stood still for six minutes


class LiveCurves:
    """A listener that draws the best trials of a running study at intervals."""

    def __init__(self, path: Path, every_seconds: float = EVERY_SECONDS) -> None:
        self._path, self._every = path, every_seconds
        self._record = StudyRecord()
        self._next = time.monotonic() + every_seconds

    def apply(self, event: AnyEvent) -> None:
        """Add an event, and draw the plot where an epoch ended and the interval has passed.

        Raises:
            OSError: When the plot cannot be written.
        """
        self._record.apply(event)
        began = time.monotonic()
        if not isinstance(event, EpochEnded) or began < self._next:
            return
        draw_curves(self._record, self._path)
        ended = time.monotonic()
        self._next = ended + max(self._every, min((ended - began) / SHARE, LONGEST_SECONDS))
