"""Images that look the same and lie in different splits: what is tested on them was seen in training."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import Progress, silent
from datasets.images.opencv import opencv

HASH_DISTANCE = 3  # bits of 64 that may differ: a smaller copy or another JPEG quality changes 0 to 2
CORRELATION = 0.98  # of grey levels at 32 x 32, for pairs whose hashes are near: two photographs of one scene reach 0.9
SIDE = 32
SMALLEST = 64  # pixels: on smaller ones, such as digits, different images look the same to both measures
MOST = 1000  # pairs that are named; whoever has more has read enough
# Pairs with near hashes that are looked at. Nearly even images all have near hashes: 10,000 of them are 10^7 pairs.
MOST_COMPARED = 1_000_000
_AT_ONCE = 2**22  # distances in one piece: 32 MB
_THUMBNAILS_AT_ONCE = 2**12  # pairs of them in one piece: 32 MB as float32


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs (positions) that look the same, and whether they are all that there are."""

    pairs: list[tuple[int, int]]
    all_compared: bool


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey levels of 32 x 32 fields.

    Args:
        pixels: uint8 [H, W, 3], RGB.

    Returns:
        uint8 [1024].
    """
    cv2 = opencv()
    small: NDArray[np.uint8] = cv2.resize(
        cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )
    return small.reshape(-1)


def difference_hash(thumbnail: NDArray[np.uint8]) -> np.uint64:
    """Return the difference hash of a thumbnail (Krawetz, 2013: dHash).

    Each of its 64 bits tells whether one of 8 x 8 fields is brighter than its left neighbour.

    Args:
        thumbnail: uint8 [1024].
    """
    cv2 = opencv()
    small = cv2.resize(thumbnail.reshape(SIDE, SIDE), (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    return np.uint64(int.from_bytes(bits.tobytes(), "big"))


def equal_pairs(contents: Sequence[Hashable], kinds: Sequence[Hashable], *, most: int = MOST) -> list[tuple[int, int]]:
    """Find images of equal content and different kind.

    Args:
        contents: Digest of each image's pixels, or whatever is equal for equal images.
        kinds: Split or class of each image.
        most: Largest number of pairs returned.

    Returns:
        Positions: each such image once, after the first one of another kind.
    """
    pairs: list[tuple[int, int]] = []
    first: dict[Hashable, dict[Hashable, int]] = {}
    for place, (content, kind) in enumerate(zip(contents, kinds, strict=True)):
        seen = first.setdefault(content, {})
        pairs += [(other, place) for of, other in seen.items() if of != kind][:1]
        seen.setdefault(kind, place)
    return pairs[:most]


def find_across_splits(
    hashes: NDArray[np.uint64],
    thumbnails: NDArray[np.uint8],
    splits: NDArray[np.uint8],
    *,
    most: int = MOST,
    most_compared: int = MOST_COMPARED,
    progress: Progress = silent,
) -> NearDuplicates:
    """Find pairs of images in different splits that look the same.

    Every hash of one split is compared with every hash of another; of pairs with near hashes the thumbnails are
    compared.

    Args:
        hashes: Of `difference_hash`, [N].
        thumbnails: Of `thumbnail`, [N, 1024].
        splits: [N].
        most: Largest number of pairs returned.
        most_compared: Largest number of thumbnail comparisons.
        progress: Reports progress.
    """
    pairs: list[tuple[int, int]] = []
    room = most_compared
    for first, second in _near(hashes, splits, progress):
        for start in range(0, min(len(first), room), _THUMBNAILS_AT_ONCE):
            chosen = slice(start, min(start + _THUMBNAILS_AT_ONCE, room))
            ones, others = first[chosen], second[chosen]
            same = _look_the_same(thumbnails[ones], thumbnails[others])
            pairs += zip(ones[same].tolist(), others[same].tolist(), strict=True)
            if len(pairs) > most:
                return NearDuplicates(pairs[:most], all_compared=False)
        room -= len(first)
        if room < 0:
            return NearDuplicates(pairs, all_compared=False)
    return NearDuplicates(pairs, all_compared=True)


def _near(
    hashes: NDArray[np.uint64], splits: NDArray[np.uint8], progress: Progress
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions of images in two splits whose hashes are near, many at a time."""
    pieces = [
        (np.flatnonzero(splits == one), np.flatnonzero(splits == other))
        for one, other in combinations(np.unique(splits).tolist(), 2)
    ]
    total = sum(len(members) for members, _ in pieces)
    done = 0
    for members, others in pieces:
        rows = max(1, _AT_ONCE // len(others))
        for start in range(0, len(members), rows):
            chosen = members[start : start + rows]
            distances = np.bitwise_count(hashes[chosen, None] ^ hashes[None, others])
            row, column = np.nonzero(distances <= HASH_DISTANCE)
            done += len(chosen)
            progress("comparing images across splits", done, total)
            yield chosen[row], others[column]


def _look_the_same(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Compare pairs of thumbnails [P, 1024]; return bool [P]."""
    one, other = ones.astype(np.float32), others.astype(np.float32)
    one -= one.mean(axis=1, keepdims=True)
    other -= other.mean(axis=1, keepdims=True)
    product, one_squared, other_squared = (
        np.einsum("pi,pi->p", *two) / SIDE**2 for two in ((one, other), (one, one), (other, other))
    )
    spread = np.sqrt(one_squared * other_squared)
    same: NDArray[np.bool_] = product >= CORRELATION * spread
    even = spread < 1.0  # two nearly even surfaces: nothing to correlate
    same[even] = np.abs(ones[even].astype(np.int16) - others[even]).max(axis=1, initial=0) <= 2
    return same
