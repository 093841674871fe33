"""The error class of this package."""

from __future__ import annotations

from errors import PodiumError


class ReportingError(PodiumError):
    """A report that cannot be made with the given arguments."""
