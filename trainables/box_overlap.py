"""Overlap over union (IoU) of bounding boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

HALF = 0.5  # overlap from which a box counts as found (Everingham et al., 2010, PASCAL VOC)


def iou(boxes: Any, others: Any, library: Any = np) -> Any:
    """Return the overlap over union of two boxes, from 0 to 1.

    A box whose right edge is left of its left edge, or lower edge above its upper, is empty: a network may predict one.
    Two empty boxes have the overlap 0.

    Args:
        boxes: x1, y1, x2, y2, [N, 4].
        others: [N, 4].
        library: numpy or tensorflow, whose arrays they are.
    """
    zero = boxes[..., 0] * 0

    def area(left: Any, top: Any, right: Any, bottom: Any) -> Any:
        return library.maximum(right - left, zero) * library.maximum(bottom - top, zero)

    shared = area(
        library.maximum(boxes[..., 0], others[..., 0]),
        library.maximum(boxes[..., 1], others[..., 1]),
        library.minimum(boxes[..., 2], others[..., 2]),
        library.minimum(boxes[..., 3], others[..., 3]),
    )
    covered = area(*(boxes[..., edge] for edge in range(4))) + area(*(others[..., edge] for edge in range(4))) - shared
    return shared / library.where(covered > 0, covered, zero + 1)
