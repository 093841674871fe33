"""Images that look the same in two splits are found; those that differ are not."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datasets.custom.custom_images import find
from datasets.images.decode import decode
from datasets.store import comparison
from datasets.store.image_store import ImageStore, prepare
from datasets.store.near_duplicates import NearDuplicates, difference_hash, equal_pairs, find_across_splits, thumbnail
from datasets.store.statistics import describe, render_text
from datasets.synthetic.generated_images import draw
from tests.fixtures.archives import encoded

Pixels = NDArray[np.uint8]


def dish(number: int, side: int = 160) -> Pixels:
    return draw("churros", number, side=side, seed=3)


def compared(images: list[Pixels], splits: list[int], **limits: Any) -> NearDuplicates:
    thumbnails = np.stack([thumbnail(image) for image in images])
    hashes = np.array([difference_hash(small) for small in thumbnails], np.uint64)
    return find_across_splits(hashes, thumbnails, np.array(splits, np.uint8), **limits)


def test_the_hash_is_which_field_is_brighter_than_its_left_neighbour() -> None:
    columns = np.repeat(np.arange(9, dtype=np.uint8) * 20, 8)  # nine fields, each brighter: every bit set
    rising = np.broadcast_to(columns[None, :, None], (64, 72, 3)).astype(np.uint8)
    assert difference_hash(thumbnail(rising)) == np.uint64(2**64 - 1)
    assert difference_hash(thumbnail(rising[:, ::-1])) == np.uint64(0)


@pytest.mark.parametrize("change", ["smaller", "JPEG", "brighter"])
def test_a_copy_in_another_split_is_found(change: str) -> None:
    images = [dish(number) for number in range(12)]
    copy = {
        "smaller": lambda: cv2.resize(images[4], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        "JPEG": lambda: decode(encoded(images[4], "JPEG"), 512),
        "brighter": lambda: np.clip(images[4].astype(int) + 12, 0, 255).astype(np.uint8),
    }[change]()
    images.append(np.asarray(copy, np.uint8))
    assert compared(images, [0] * 12 + [2]) == NearDuplicates([(4, 12)], all_compared=True)


def test_copies_in_one_split_and_other_pictures_are_not_named() -> None:
    images = [dish(number) for number in range(60)] + [dish(0)]
    assert compared(images, [n % 3 for n in range(60)] + [0]) == NearDuplicates([], all_compared=True)


def test_even_surfaces_are_the_same_only_in_the_same_grey() -> None:
    images = [np.full((80, 80, 3), grey, np.uint8) for grey in (100, 101, 180)]
    assert compared(images, [0, 1, 2]).pairs == [(0, 1)]


def test_at_most_so_many_are_named() -> None:
    images, splits = [dish(0)] * 10, [0, 1] * 5
    found = compared(images, splits, most=7)
    assert len(found.pairs) == 7
    assert not found.all_compared
    assert compared(images, splits, most=25).all_compared  # which are all


def test_at_most_so_many_are_looked_at() -> None:
    """Even surfaces of many greys have one hash and are no pairs: 400 would be looked at."""
    images = [np.full((80, 80, 3), 6 * grey, np.uint8) for grey in range(40)]
    splits = [number % 2 for number in range(40)]
    assert compared(images, splits) == NearDuplicates([], all_compared=True)
    assert compared(images, splits, most_compared=399) == NearDuplicates([], all_compared=False)
    copies = [*images, images[0]]
    assert compared(copies, [*splits, 1], most_compared=21).pairs == [(0, 40)]  # the first one with all of the other 21
    assert compared(copies, [*splits, 1], most_compared=20).pairs == []


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    compared([dish(0), dish(1), dish(2)], [0, 1, 2], progress=lambda *step: told.append(step))
    # Of the splits 0 and 1, 0 and 2, 1 and 2.
    assert told == [("comparing images across splits", done, 3) for done in (1, 2, 3)]


def test_a_store_says_which_images_look_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split, first in (("train", 0), ("val", 10), ("test", 20)):
        for label in ("a", "b"):
            (tmp_path / "in" / split / label).mkdir(parents=True)
            for number in range(first, first + 4):
                image = encoded(dish(number + 50 * (label == "b")), "PNG")
                (tmp_path / "in" / split / label / f"{number}.png").write_bytes(image)
    copy = cv2.resize(dish(2), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    (tmp_path / "in" / "test" / "b" / "copy.png").write_bytes(encoded(np.asarray(copy, np.uint8), "PNG"))
    store = ImageStore.open(prepare(find(str(tmp_path / "in")), tmp_path))
    assert store.near_duplicates == (("train/a/2.png", "test/b/copy.png"),)
    (notice,) = store.notices
    assert notice == (
        "1 pair of images looks the same but lie in different splits of the store: train/a/2.png and test/b/copy.png"
    )
    assert render_text(describe(store)).endswith("\nlook the same: train/a/2.png and test/b/copy.png")
    few = functools.partial(find_across_splits, most_compared=0)
    monkeypatch.setattr(comparison, "find_across_splits", few)
    (notice,) = ImageStore.open(prepare(find(str(tmp_path / "in")), tmp_path / "few")).notices
    assert "at least 0 pairs" in notice
    assert "(not all were compared)" in notice


def test_equal_small_images_across_splits_and_classes_are_named(tmp_path: Path) -> None:
    """Below 64 px only equal pixels count; the file's format does not."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (40, 8, 8, 3), np.uint8)
    for place, picture in enumerate(small):
        split = ("train", "val", "test")[min(place // 16, 2)]
        folder = tmp_path / "in" / split / "ab"[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.png").write_bytes(encoded(picture, "PNG"))
    (tmp_path / "in/test/a/copy.tif").write_bytes(encoded(small[0], "TIFF"))  # of train/a/0.png
    (tmp_path / "in/train/a/copy.tif").write_bytes(encoded(small[3], "TIFF"))  # of train/b/3.png
    store = ImageStore.open(prepare(find(str(tmp_path / "in")), tmp_path))
    assert [set(pair) for pair in store.near_duplicates] == [{"train/a/0.png", "test/a/copy.tif"}]
    assert [set(pair) for pair in store.equal_in_two_classes] == [{"train/a/copy.tif", "train/b/3.png"}]
    assert len(store.notices) == 2
    described = render_text(describe(store))
    assert "test/a/copy.tif" in described
    assert "train/b/3.png" in described


def test_each_equal_image_is_named_once_and_no_more_than_asked() -> None:
    contents, kinds = ["x"] * 6 + ["y"], [0, 0, 1, 1, 2, 0, 1]
    assert equal_pairs(contents, kinds) == [(0, 2), (0, 3), (0, 4), (2, 5)]
    assert equal_pairs(contents, kinds, most=2) == [(0, 2), (0, 3)]
    assert equal_pairs(contents, [0] * 7) == []
