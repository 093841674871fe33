"""Whether a frozen prefix is computed once and kept, or in every step: from fixed numbers, never from a stopwatch.

A stopwatch would make one seed mean two results: cached and live features may differ in their last digits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# One core of a common server at 96 px, MobileNet-like layers: NASNetMobile's 105 M multiply-adds an image took 20 ms
# forward. Only the order of magnitude matters: prefix and reading differ by factors of ten to thousands.
MULTIPLY_ADDS_PER_SECOND = 5e9
READ_BYTES_PER_SECOND = 1e9  # from the page cache, copied into a batch
WRITE_BYTES_PER_SECOND = 2e8  # to a disk, once


@dataclass(frozen=True, kw_only=True)
class Work:
    """Facts that decide whether features are kept."""

    augmentation: str  # "none", "views" or "live"
    multiply_adds: int  # of the prefix, for one image; 0 where only augmentation can be saved
    images: int  # training images
    views: int  # variants of each
    epochs: int  # of all trials of the arm together, as planned
    bytes_per_image: int  # of what crosses the cut
    limit_bytes: int  # of the store


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether to keep the prefix's output, and why."""

    keep: bool
    why: str

    def as_fact(self, work: Work) -> dict[str, Any]:
        """Return the decision for the study's record, with every number it follows from."""
        return {"kept": self.keep, "why": self.why, **asdict(work)}


def decide(work: Work) -> Decision:
    """Keep what crosses the cut where that costs less than computing it in every epoch, and fits."""
    if work.augmentation == "live":
        return Decision(keep=False, why="live augmentation: no image comes twice")
    size = work.images * work.views * work.bytes_per_image
    if size > work.limit_bytes:
        return Decision(
            keep=False, why=f"{size / 1e9:.1f} GB would not fit into the {work.limit_bytes / 1e9:.1f} GB kept"
        )
    # Augmenting an image takes 3 ms (the food10 report's recipe), which views save as well.
    augmenting = 0.003 if work.augmentation == "views" else 0.0
    computing = work.multiply_adds / MULTIPLY_ADDS_PER_SECOND + augmenting
    reading = work.bytes_per_image / READ_BYTES_PER_SECOND
    writing = work.bytes_per_image / WRITE_BYTES_PER_SECOND
    live = work.epochs * work.images * computing
    kept = work.images * work.views * (computing + writing) + work.epochs * work.images * reading
    ratio = live / kept
    if ratio <= 1:
        return Decision(keep=False, why=f"keeping would cost {1 / max(ratio, 1e-9):.2g} times as much")
    return Decision(keep=True, why=f"computing it anew would cost {ratio:.2g} times as much")
