"""Which image is for training, validation or the test: decided by names alone, never by the file system's order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datasets.dataset import SPLITS, Counts, DataError, Dataset, SourceImage, Split

MINIMUM_PER_CLASS = 10  # below it a class has no split worth the name: 7 / 2 / 1 images


def assign_splits(
    dataset: Dataset, images: Sequence[SourceImage]
) -> tuple[list[tuple[SourceImage, Split]], tuple[str, ...]]:
    """The images that are used, each with its split, sorted by name; and notices of what differs from the counts.

    Images whose authors assigned a split keep it. Otherwise each class's sorted names are shuffled by
    np.random.default_rng(0), a fresh one per class, so that no class's split depends on the other classes, and
    `dataset.counts` are taken in the order train, val, test. Where the smallest class has fewer images than the
    counts need, the counts shrink in proportion, alike for every class.

    Raises DataError: no image, a name twice, a label that is no class, a class with fewer than 10 images.
    """
    by_class = _by_class(dataset, images)
    if any(image.split is not None for image in images):
        return _authors_split(dataset, images), ()
    if dataset.counts is None:
        raise DataError(
            f"counts of {dataset.name} is None, but its images carry no split of their own; give it counts per class"
        )
    counts, notices = _fitting_counts(dataset, dataset.counts, by_class)
    used: list[tuple[SourceImage, Split]] = []
    for members in by_class:
        order = np.random.default_rng(0).permutation(len(members))[: counts.total]
        bounds = (counts.train, counts.train + counts.val)
        for places, split in zip(np.split(order, bounds), SPLITS, strict=True):
            used += [(members[place], split) for place in places.tolist()]
    return sorted(used, key=lambda pair: pair[0].name), notices


def shrink(counts: Counts, available: int) -> Counts:
    """Counts in the same proportion that add up to `available` images; a split that had images keeps at least one.

    Validation and test are rounded, training takes the rest: 750 / 200 / 50 of 10 images are 7 / 2 / 1.
    """
    val = max(1, round(available * counts.val / counts.total)) if counts.val else 0
    test = max(1, round(available * counts.test / counts.total)) if counts.test else 0
    return Counts(train=available - val - test, val=val, test=test)


def _by_class(dataset: Dataset, images: Sequence[SourceImage]) -> list[list[SourceImage]]:
    if not images:
        raise DataError(f"{dataset.title} holds no image; check what --from names")
    by_class: list[list[SourceImage]] = [[] for _ in dataset.classes]
    previous = ""
    for image in sorted(images, key=lambda image: image.name):
        if image.name == previous:
            raise DataError(f"{dataset.title} has two images named {image.name!r}; names must be unique")
        if not 0 <= image.label < len(dataset.classes):
            raise DataError(
                f"the label of {image.name!r} is {image.label}, but {dataset.title} has {len(dataset.classes)} "
                f"classes; labels go from 0 to {len(dataset.classes) - 1}"
            )
        previous = image.name
        by_class[image.label].append(image)
    return by_class


def _authors_split(dataset: Dataset, images: Sequence[SourceImage]) -> list[tuple[SourceImage, Split]]:
    used: list[tuple[SourceImage, Split]] = []
    for image in sorted(images, key=lambda image: image.name):
        if image.split is None:
            raise DataError(
                f"{image.name!r} of {dataset.title} has no split while other images have one; assign all or none"
            )
        used.append((image, image.split))
    for split in SPLITS:
        if not any(assigned == split for _, assigned in used):
            raise DataError(f"{dataset.title} has no image in its {split} split; assign some to it")
    return used


def _fitting_counts(
    dataset: Dataset, counts: Counts, by_class: Sequence[Sequence[SourceImage]]
) -> tuple[Counts, tuple[str, ...]]:
    label = min(range(len(by_class)), key=lambda label: len(by_class[label]))  # the first of the smallest classes
    smallest, available = dataset.classes[label], len(by_class[label])
    if available >= counts.total:
        return counts, ()
    if available < MINIMUM_PER_CLASS:
        raise DataError(
            f"the class {smallest!r} of {dataset.title} has {available} images, but {counts.total} are needed "
            f"(at least {MINIMUM_PER_CLASS}, then all classes shrink in proportion); add images or name a fuller copy "
            "with --from"
        )
    fitting = shrink(counts, available)
    notice = (
        f"split scaled down from {_spell(counts)} to {_spell(fitting)} images a class (train / val / test): "
        f"the class {smallest!r} has only {available} of {counts.total} images"
    )
    return fitting, (notice,)


def _spell(counts: Counts) -> str:
    return f"{counts.train} / {counts.val} / {counts.test}"
