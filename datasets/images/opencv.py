"""OpenCV without threads of its own: the callers' threads are the parallelism, and each has its share of cores."""

from __future__ import annotations

from typing import Any


def opencv() -> Any:
    """Return the module cv2, imported when it is first needed."""
    import cv2

    cv2.setNumThreads(1)
    return cv2
