"""The one error of this room."""

from __future__ import annotations

from errors import PodiumError


class ReportingError(PodiumError):
    """A report that cannot be made as asked."""
