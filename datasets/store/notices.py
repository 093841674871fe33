"""Notices about a store that users read at the start of a study."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.dataset import Dataset
from errors import pluralize

LEAST_DEVIATION = 4.0  # grey levels of 255; MNIST's digits have 79, ImageNet's photographs 57


def notices_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the notices of a data set of the user's own about what lies beside its images, or none."""
    return tuple(getattr(dataset, "notices", ()))


def broken_notice(broken: dict[str, str]) -> list[str]:
    """Return a notice of images that were left out, or none."""
    if not broken:
        return []
    shown = ", ".join(sorted(broken)[:3]) + (", ..." if len(broken) > 3 else "")
    return [f"{pluralize(len(broken), 'broken image', 'broken images')} left out: {shown}"]


def two_classes_notice(names: Sequence[tuple[str, str]]) -> list[str]:
    """Return a notice of equal images in two classes, or none.

    Args:
        names: Pairs of such images.
    """
    if not names:
        return []
    shown = "; ".join(f"{one} and {other}" for one, other in names[:3]) + ("; ..." if len(names) > 3 else "")
    return [f"{pluralize(len(names), 'image is', 'images are')} equal to one of another class: {shown}"]


def white_notice(white_level: float | None, count: int) -> list[str]:
    """Return a notice of how images of more than 8 bits a channel are scaled, or none.

    Args:
        white_level: Value that is shown as white; None where no image has so many bits.
        count: Training images with more than 8 bits.
    """
    if white_level is None:
        return []
    images = pluralize(count, "training image has", "training images have")
    return [f"{images} more than 8 bits a channel: {white_level:g} is shown as white (255) in all images"]


def even_notice(deviation: Sequence[float]) -> list[str]:
    """Return a notice of training pixels that hardly vary, or none.

    Args:
        deviation: Standard deviation of each channel over the training pixels, 0 to 255.
    """
    if max(deviation) >= LEAST_DEVIATION:
        return []
    return [
        f"training pixels hardly vary: their standard deviation is {max(deviation):.2g} of 255 grey levels; "
        "look at the images with `datasets describe`"
    ]


def alike_notice(names: Sequence[tuple[str, str]], all_compared: bool) -> list[str]:
    """Return a notice of near-duplicates across the store's own splits (folds divide otherwise).

    Args:
        names: Pairs of images that look the same.
        all_compared: Whether every pair was compared.
    """
    if not names and all_compared:
        return []
    more = " (`datasets describe` names more)" if len(names) > 3 else ""
    shown = ", ".join(f"{one} and {other}" for one, other in names[:3]) + more
    pairs = pluralize(len(names), "pair of images looks", "pairs of images look")
    count = pairs if all_compared else f"at least {pairs}"
    ending = f": {shown}" if names else ""
    partly = "" if all_compared else " (not all were compared)"
    return [f"{count} the same but lie in different splits of the store{partly}{ending}"]
