"""Folds: where images are few, every one outside the test split validates once, a part of them at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import SPLITS, DataError
from datasets.store.stratified_groups import stratified_group_split

TRAIN, VAL, TEST = (np.uint8(SPLITS.index(split)) for split in SPLITS)


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One of `of` divisions of the images outside the test split: part `number` (from 0) validates, the others train.

    The test split is the same in all of them.
    """

    number: int
    of: int


def apply_fold(
    fold: Fold,
    splits: NDArray[np.uint8],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    classes: tuple[str, ...],
) -> NDArray[np.uint8]:
    """Return the splits of one fold: a fixed shuffle, stratified by class.

    Args:
        fold: The fold and the number of folds.
        splits: Positions in dataset.SPLITS, uint8 [N].
        labels: int64 [N].
        groups: int64 [N]; equal numbers stay together, -1 is an image on its own.
        classes: Class names.

    Returns:
        uint8 [N].

    Raises:
        DataError: A class has fewer images, or groups, outside the test split than there are folds.
    """
    places = np.flatnonzero(splits != TEST)
    own = np.where(groups < 0, len(groups) + np.arange(len(groups)), groups)  # numbers no group has
    part = _parts(fold.of, labels[places].tobytes(), own[places].tobytes(), bool((groups[places] >= 0).any()), classes)
    changed = splits.copy()
    changed[places] = np.where(part == fold.number, VAL, TRAIN)
    return changed


@lru_cache(maxsize=4)  # a process opens one store again for each trial: 0.5 s for 100,000 images, then milliseconds
def _parts(of: int, labels: bytes, groups: bytes, grouped: bool, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the part of each image outside the test split.

    Args:
        of: Number of parts.
        labels: int64 array as bytes, which can be hashed.
        groups: int64 array as bytes.
        grouped: Whether there are groups.
        classes: Class names.
    """
    label, group = np.frombuffer(labels, np.int64), np.frombuffer(groups, np.int64)
    numbers, own = np.unique(group, return_inverse=True)
    units = np.bincount(np.unique(label * len(numbers) + own) // max(1, len(numbers)), minlength=len(classes))
    fewest = int(units.argmin())
    if units[fewest] < of:
        what = "groups of images" if grouped else "images"
        remedy = f"ask for at most {units[fewest]} folds" if units[fewest] > 1 else "add images or leave the class out"
        raise DataError(
            f"the class {classes[fewest]!r} has {units[fewest]} {what} outside the test split",
            argument="folds",
            value=of,
            remedy=remedy,
        )
    part = stratified_group_split(label, own, of)
    validates = np.zeros((of, len(classes)), bool)
    validates[part, label] = True
    if not validates.all():  # groups that hold several classes cannot always be dealt evenly
        number, missing = np.argwhere(~validates)[0].tolist()
        raise DataError(
            f"then fold {number + 1} validates no image of the class {classes[missing]!r}, since "
            "groups are never divided",
            argument="folds",
            value=of,
            remedy="ask for fewer folds",
        )
    part.flags.writeable = False  # shared by every store of this process
    return part
