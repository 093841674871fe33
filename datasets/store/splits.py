"""Assignment of images to splits, by names alone, never by the file system's order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from datasets.dataset import SPLITS, Counts, DataError, Dataset, HoldOutShares, Shares, SourceImage, Split
from datasets.store.stratified_groups import stratified_group_split
from errors import arg, pluralize

MINIMUM_PER_CLASS = 10  # below it a class has no split worth the name: 7 / 2 / 1 images
FOLDS = 7  # groups are dealt into so many: one for validation, one for the test, each about 14 % of every class

Members = Sequence[SourceImage]
Assigned = list[tuple[SourceImage, Split]]


def assign_splits(dataset: Dataset, images: Members) -> tuple[Assigned, tuple[str, ...]]:
    """Return the used images with their splits, sorted by name, and notices of differences from the counts.

    Images whose authors assigned a split keep it; where they left out validation or test, a part of each class's
    training images takes its place: 15 %, or as `dataset.counts` says. Otherwise each class's sorted names are
    shuffled by np.random.default_rng(0), a fresh one per class, so that no class's split depends on the others, and
    `dataset.counts` are taken in the order train, val, test. Where the smallest class has too few images, the counts
    shrink in proportion for every class. Images of one group stay in one split.

    Args:
        dataset: The data set.
        images: Its images.

    Raises:
        DataError: There is no image, a name occurs twice, a label is no class, or a class has fewer than 10 images.
    """
    by_class = _by_class(dataset, images)
    if any(image.split is not None for image in images):
        return _authors_split(dataset, images)
    counts, notices = dataset.counts, tuple[str, ...]()
    if counts is None or isinstance(counts, HoldOutShares):
        raise DataError(
            f"counts of {dataset.name} is {counts}, but its images carry no split of their own; give it counts a class"
        )
    if isinstance(counts, Counts):
        counts, notices = _fitting_counts(dataset, counts, by_class)
    return sorted(_divided(dataset, by_class, counts), key=_name), notices


def scale_counts(counts: Counts | Shares, available: int) -> Counts:
    """Return counts in the same proportion that add up to `available` images.

    Validation and test are rounded, training takes the rest: 750 / 200 / 50 of 10 images are 7 / 2 / 1. A split that
    had images keeps at least one.

    Args:
        counts: Counts or shares.
        available: Number of images.
    """
    val = max(1, round(available * counts.val / counts.total)) if counts.val else 0
    test = max(1, round(available * counts.test / counts.total)) if counts.test else 0
    return Counts(train=available - val - test, val=val, test=test)


def _name(pair: tuple[SourceImage, Split]) -> str:
    return pair[0].name


def _by_class(dataset: Dataset, images: Members) -> list[list[SourceImage]]:
    if not images:
        raise DataError(f"{dataset.title} holds no image; check what {arg.data} names")
    by_class: list[list[SourceImage]] = [[] for _ in dataset.classes]
    previous = ""
    for image in sorted(images, key=lambda image: image.name):
        if image.name == previous:
            raise DataError(
                f"{dataset.title} has two images named {image.name!r}, but names must be unique; take one of them "
                "away, or a second copy of all of them"
            )
        if not 0 <= image.label < len(dataset.classes):
            raise DataError(
                f"the label of {image.name!r} is {image.label}, but {dataset.title} has {len(dataset.classes)} "
                f"classes; labels go from 0 to {len(dataset.classes) - 1}"
            )
        previous = image.name
        by_class[image.label].append(image)
    return by_class


def _divided(
    dataset: Dataset, by_class: Sequence[Members], counts: Counts | Shares, others: Assigned | None = None
) -> Assigned:
    """Return each class's images in these numbers or proportions.

    others: images that have a split already, where only those for training are divided; None where all are.
    """
    for label, members in enumerate(by_class):
        if isinstance(counts, Shares) and len(members) < MINIMUM_PER_CLASS:
            raise DataError(_too_few(dataset, label, len(members), counts, others))
    if any(image.group for members in by_class for image in members):
        return _divided_by_group(dataset, by_class, counts, "images" if others is None else "training images")
    used: Assigned = []
    for members in by_class:
        wanted = scale_counts(counts, len(members)) if isinstance(counts, Shares) else counts
        order = np.random.default_rng(0).permutation(len(members))[: wanted.total]
        bounds = (wanted.train, wanted.train + wanted.val)
        for places, split in zip(np.split(order, bounds), SPLITS, strict=True):
            used += [(members[place], split) for place in places.tolist()]
    return used


def _too_few(dataset: Dataset, label: int, count: int, shares: Shares, others: Assigned | None) -> str:
    """Return the message for a class of which so few images are to be divided."""
    of_class = f"the class {dataset.classes[label]!r} of {dataset.title}"
    if others is None:
        return (
            f"{of_class} has {pluralize(count, 'image', 'images')}, but at least {MINIMUM_PER_CLASS} are needed to "
            "split them; add images or leave the class out"
        )
    elsewhere = Counter(split for image, split in others if image.label == label)
    listed = ", ".join(f"{elsewhere[split]} {split}" for split in SPLITS if elsewhere[split])
    absent = " and ".join(split for split, share in (("val", shares.val), ("test", shares.test)) if share)
    return (
        f"{of_class} has {pluralize(count + elsewhere.total(), 'image', 'images')}, but only {count} of them in its "
        f"train split{f' ({listed})' if listed else ''}, of which some are taken for {absent}, so that at least "
        f"{MINIMUM_PER_CLASS} are needed; add images to it, assign some to {absent}, or leave the class out"
    )


def _divided_by_group(dataset: Dataset, by_class: Sequence[Members], counts: Counts | Shares, what: str) -> Assigned:
    """Whole groups, dealt so that every split has each class in nearly the same proportion."""
    members = [image for of_class in by_class for image in of_class]
    labels = np.array([image.label for image in members])
    number_of: dict[str, int] = {}
    groups = np.array([number_of.setdefault(image.group or image.name, len(number_of)) for image in members])
    number = len(number_of)
    folds = min(FOLDS, number, max(map(len, by_class)))
    parts = scale_counts(counts, folds)
    needed = len([count for count in (counts.train, counts.val, counts.test) if count])
    if parts.train < 1 or number < needed:
        raise DataError(
            f"the {what} of {dataset.title} form {pluralize(number, 'group', 'groups')}, such as "
            f"{next(iter(number_of))!r}, but a group is never divided, so that there must be at least {needed}; group "
            "them otherwise or not at all"
        )
    fold_of = stratified_group_split(labels, groups, folds)
    in_fold = np.zeros((folds, len(by_class)), np.int64)
    np.add.at(in_fold, (fold_of, labels), 1)

    def badness(held_out: tuple[int, ...]) -> tuple[int, float]:
        """Return how many classes are missing in a split, then how far the splits are from their shares."""
        val, test = in_fold[list(held_out[: parts.val])].sum(0), in_fold[list(held_out[parts.val :])].sum(0)
        parted = ((in_fold.sum(0) - val - test, counts.train), (val, counts.val), (test, counts.test))
        asked = [(have, share) for have, share in parted if share]
        missing = sum(int((have == 0).sum()) for have, _ in asked)
        return missing, sum(abs(have.sum() / len(members) - share / counts.total) for have, share in asked)

    # A class with fewer groups than folds is in some folds only: they are looked for.
    held_out = min(permutations(range(folds), parts.val + parts.test), key=badness)
    held: dict[int, Split] = {fold: "val" if place < parts.val else "test" for place, fold in enumerate(held_out)}
    split_of_fold = [held.get(fold, "train") for fold in range(folds)]
    splits = [split_of_fold[fold] for fold in fold_of]
    for split in dict.fromkeys(split_of_fold):
        present = {label for label, own in zip(labels.tolist(), splits, strict=True) if own == split}
        for label in sorted(set(labels.tolist()) - present):
            raise DataError(
                f"the class {dataset.classes[label]!r} of {dataset.title} has no image in its {split} split, since its "
                f"{what} form too few groups, which are never divided; group them otherwise or add images"
            )
    return list(zip(members, splits, strict=True))


def _authors_split(dataset: Dataset, images: Members) -> tuple[Assigned, tuple[str, ...]]:
    """Return the authors' split; what is missing beside training is taken from their training images."""
    used: Assigned = []
    for image in sorted(images, key=lambda image: image.name):
        if image.split is None:
            raise DataError(
                f"{image.name!r} of {dataset.title} has no split while other images have one; assign all or none"
            )
        used.append((image, image.split))
    split_of_group: dict[str, Split] = {}
    divided = sorted(
        {one.group for one, split in used if one.group and split_of_group.setdefault(one.group, split) != split}
    )
    notices = []
    if divided:
        lie = pluralize(len(divided), "group lies", "groups lie")
        notices.append(f"{lie} in two splits as they came, such as {divided[0]!r}")
    present = {split for _, split in used}
    if "train" not in present:
        raise DataError(f"{dataset.title} has no image in its train split; assign some to it")
    absent: list[Split] = [split for split in SPLITS if split not in present]
    if not absent:
        return used, tuple(notices)
    carved_of = dataset.counts if isinstance(dataset.counts, HoldOutShares) else HoldOutShares()
    parts: dict[Split, int] = {split: carved_of.val if split == "val" else carved_of.test for split in absent}
    shares = Shares(train=100 - sum(parts.values()), val=parts.get("val", 0), test=parts.get("test", 0))
    training = _by_class(dataset, [image for image, split in used if split == "train"])
    others = [pair for pair in used if pair[1] != "train"]
    carved = others + _divided(dataset, training, shares, others)
    (first, part), *more = parts.items()
    spelled = f"{part} % of each class's training images are for {first}" + "".join(f", {n} % for {s}" for s, n in more)
    notices.append(f"no {' and no '.join(absent)} split of its own: {spelled}")
    return sorted(carved, key=_name), tuple(notices)


def _fitting_counts(dataset: Dataset, counts: Counts, by_class: Sequence[Members]) -> tuple[Counts, tuple[str, ...]]:
    label = min(range(len(by_class)), key=lambda label: len(by_class[label]))  # the first of the smallest classes
    smallest, available = dataset.classes[label], len(by_class[label])
    if available >= counts.total:
        return counts, ()
    if available < MINIMUM_PER_CLASS:
        raise DataError(
            f"the class {smallest!r} of {dataset.title} has {available} images, but {counts.total} are needed "
            f"(at least {MINIMUM_PER_CLASS}, then all classes shrink in proportion); add images or name a fuller copy "
            f"with {arg.data}"
        )
    fitting = scale_counts(counts, available)
    notice = (
        f"split scaled down from {_spell(counts)} to {_spell(fitting)} images a class (train / val / test): "
        f"the class {smallest!r} has only {available} of {counts.total} images"
    )
    return fitting, (notice,)


def _spell(counts: Counts) -> str:
    return f"{counts.train} / {counts.val} / {counts.test}"
