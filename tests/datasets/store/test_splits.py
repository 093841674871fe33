"""Splits follow from names alone, exactly as counted, alike for every class."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.dataset import Counts, DataError, HoldOutShares, Shares, SourceImage
from datasets.store.splits import assign_splits, scale_counts
from tests.fixtures.archives import Pictures


def images(per_class: tuple[int, ...], **fields: Any) -> list[SourceImage]:
    return [
        SourceImage(name=f"{label}/{number:04d}", label=label, read=bytes, **fields)
        for label, count in enumerate(per_class)
        for number in range(count)
    ]


def test_exact_counts_when_every_class_has_enough() -> None:
    used, notices = assign_splits(Pictures(counts=Counts(train=7, val=2, test=1)), images((10, 13)))
    counted = Counter((image.label, split) for image, split in used)
    expected = {(label, split): n for label in (0, 1) for split, n in (("train", 7), ("val", 2), ("test", 1))}
    assert counted == expected
    assert notices == ()
    assert [image.name for image, _ in used] == sorted(image.name for image, _ in used)


def test_the_split_is_the_documented_permutation() -> None:
    used, _ = assign_splits(Pictures(counts=Counts(train=7, val=2, test=1)), images((10, 10)))
    order = np.random.default_rng(0).permutation(10).tolist()
    assert {int(i.name[-4:]) for i, split in used if split == "train" and i.label == 1} == set(order[:7])
    assert {int(i.name[-4:]) for i, split in used if split == "test" and i.label == 1} == {order[9]}


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_source_does_not_matter(shuffler: Any) -> None:
    given_images = images((12, 11))
    shuffled = list(given_images)
    shuffler.shuffle(shuffled)
    dataset = Pictures(counts=Counts(train=7, val=2, test=1))
    assert assign_splits(dataset, shuffled) == assign_splits(dataset, given_images)


def test_a_small_copy_shrinks_in_proportion_and_says_so() -> None:
    used, notices = assign_splits(Pictures(counts=Counts(train=750, val=200, test=50)), images((20, 31)))
    counted = Counter((image.label, split) for image, split in used)
    assert counted == {(label, s): n for label in (0, 1) for s, n in (("train", 15), ("val", 4), ("test", 1))}
    (notice,) = notices
    assert "750 / 200 / 50 to 15 / 4 / 1" in notice
    assert "'first' has only 20 of 1000" in notice


def test_too_few_images_are_refused() -> None:
    with pytest.raises(DataError, match=r"'second' of Pictures has 9 images, .*1000"):
        assign_splits(Pictures(counts=Counts(train=750, val=200, test=50)), images((20, 9)))


def test_few_images_suffice_where_few_are_asked_for() -> None:
    used, notices = assign_splits(Pictures(counts=Counts(train=2, val=1, test=1)), images((4, 4)))
    assert len(used) == 8
    assert notices == ()


@given(st.integers(10, 999), st.integers(1, 800), st.integers(1, 300), st.integers(0, 100))
def test_shrunk_counts(available: int, train: int, val: int, test: int) -> None:
    counts = Counts(train=train + 3 * (val + test), val=val, test=test)
    smaller = scale_counts(counts, available)
    assert smaller.total == available
    assert smaller.train >= 1
    assert smaller.val >= 1
    assert (smaller.test >= 1) == (test >= 1)
    assert smaller.val == max(1, round(available * val / counts.total))


def test_shares_follow_each_class_s_own_size() -> None:
    used, notices = assign_splits(Pictures(counts=Shares(train=70, val=15, test=15)), images((20, 101)))
    counted = Counter((image.label, split) for image, split in used)
    # 15 % of 20 is 3; of 101 it is 15.15, rounded 15; training takes the rest.
    expected = {(0, "train"): 14, (0, "val"): 3, (0, "test"): 3, (1, "train"): 71, (1, "val"): 15, (1, "test"): 15}
    assert counted == expected
    assert notices == ()
    with pytest.raises(DataError, match=r"'second' of Pictures has 9 images, .* 10"):
        assign_splits(Pictures(counts=Shares()), images((20, 9)))


@pytest.mark.parametrize(("present", "absent"), [(("train", "test"), ["val"]), (("train",), ["val", "test"])])
def test_what_the_authors_left_out_is_carved_from_training(present: tuple[Any, ...], absent: list[str]) -> None:
    given_images = [
        SourceImage(name=f"{split}/{label}/{n:03d}", label=label, read=bytes, split=split)
        for split in present
        for label, count in ((0, 40), (1, 20))
        for n in range(count)
    ]
    used, (notice,) = assign_splits(Pictures(counts=None), given_images)
    counted = Counter((image.label, split) for image, split in used if image.split == "train")
    for split in absent:  # 15 % of 40 and of 20
        assert (counted[0, split], counted[1, split]) == (6, 3)
        assert f"no {split}" in notice
    assert "15 % of each class's training images" in notice
    assert all(split == "test" for image, split in used if image.split == "test")
    assert len(used) == len(given_images)


def test_a_data_set_says_how_much_is_carved() -> None:
    given_images = [
        SourceImage(name=f"{split}/{label}/{n:03d}", label=label, read=bytes, split=split)
        for split in ("train", "val")
        for label in (0, 1)
        for n in range(50)
    ]
    used, notices = assign_splits(Pictures(counts=HoldOutShares(test=20)), given_images)
    counted = Counter((image.label, split, image.split) for image, split in used)
    assert counted == {
        (label, split, came_as): count
        for label in (0, 1)
        for split, came_as, count in (("train", "train", 40), ("test", "train", 10), ("val", "val", 50))
    }
    assert notices == ("no test split of its own: 20 % of each class's training images are for test",)
    alone = [replace(image, split=None) for image in given_images]
    with pytest.raises(DataError, match="no split of their own"):
        assign_splits(Pictures(counts=HoldOutShares(test=20)), alone)


def grouped(sizes: list[list[int]]) -> list[SourceImage]:
    """Images of each class in groups of these sizes."""
    return [
        SourceImage(name=f"{label}/{group}/{n}", label=label, read=bytes, group=f"{label}/{group}")
        for label, of_class in enumerate(sizes)
        for group, size in enumerate(of_class)
        for n in range(size)
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(1, 6), min_size=25, max_size=40), min_size=2, max_size=2))
def test_groups_stay_whole_and_every_split_has_every_class(sizes: list[list[int]]) -> None:
    given_images = grouped(sizes)
    used, _ = assign_splits(Pictures(counts=Shares()), given_images)
    assert len(used) == len(given_images)
    splits_of_group: dict[str, set[str]] = {}
    for image, split in used:
        splits_of_group.setdefault(image.group, set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of_group.values())
    assert {(image.label, split) for image, split in used} == {
        (label, split) for label in (0, 1) for split in ("train", "val", "test")
    }
    share = sum(split == "train" for _, split in used) / len(used)
    assert 0.6 < share < 0.8


def test_groups_that_are_too_few_for_a_class() -> None:
    with pytest.raises(DataError, match=r"class 'second' of Pictures has no image in its (train|val|test) split"):
        assign_splits(Pictures(counts=Shares()), grouped([[2] * 40, [10, 10]]))


def test_the_authors_split_is_kept() -> None:
    given_images = [
        SourceImage(name=f"{n}", label=n % 2, read=bytes, split=("train", "val", "test")[n % 3]) for n in range(9)
    ]
    used, notices = assign_splits(Pictures(counts=None), given_images)
    assert all(image.split == split for image, split in used)
    assert len(used) == 9
    assert notices == ()


def test_what_cannot_be_split() -> None:
    mixed = [*images((10, 10), split="train"), SourceImage(name="x", label=0, read=bytes)]
    for dataset, given_images, message in (
        (Pictures(), [], "holds no image"),
        (Pictures(counts=None), images((10, 10)), "counts of pictures is None"),
        (Pictures(), images((10, 10)) + images((1, 0)), "two images named '0/0000'"),
        (Pictures(), images((10, 10, 10)), "labels go from 0 to 1"),
        (Pictures(), images((10, 0)), "'second' of Pictures has 0 images"),
        (Pictures(), mixed, "'x' of Pictures has no split"),
        (Pictures(), images((10, 10), split="test"), "no image in its train split"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            assign_splits(dataset, given_images)
        assert "\n" not in str(caught.value)
