"""Squares out of images: ten crops by hand, and what holds of any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.dataset import Counts, DataError
from datasets.fitting import fitted, ten_crops, whole_side
from datasets.pipeline import Images
from datasets.store import ImageStore, prepare
from datasets.view import View
from tests.fixtures import Pictures


def test_ten_crops_by_hand() -> None:
    """227 of 256 pixels, each of which says where it is: red its row, green its column."""
    rows, columns = np.mgrid[0:256, 0:256]
    image = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    crops = ten_crops(image, 227, "shorter_side")
    assert crops.shape == (10, 227, 227, 3)
    # Top left, top right, bottom right, bottom left, centre: 29 pixels are left over, 14 of them before the centre.
    assert crops[:5, 0, 0, :2].tolist() == [[0, 0], [0, 29], [29, 29], [29, 0], [14, 14]]
    assert crops[:5, -1, -1, :2].tolist() == [[226, 226], [226, 255], [255, 255], [255, 226], [240, 240]]
    for crop, mirror in zip(crops[:5], crops[5:], strict=True):
        np.testing.assert_array_equal(mirror, crop[:, ::-1])


def test_other_sizes_are_in_proportion() -> None:
    assert [whole_side(side) for side in (227, 64, 1)] == [256, 72, 1]


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.sampled_from(["shorter_side", "stretch", "window"])
)
def test_crops_lie_in_the_fitted_square(height: int, width: int, side: int, fit: Any) -> None:
    image = np.random.default_rng(height * 40 + width).integers(0, 256, (height, width, 3), np.uint8)
    crops = ten_crops(image, side, fit)
    assert (crops.shape, crops.dtype) == ((10, side, side, 3), np.uint8)
    whole = fitted(image, whole_side(side), fit)
    np.testing.assert_array_equal(crops[0], whole[:side, :side])
    np.testing.assert_array_equal(crops[2], whole[-side:, -side:])


def test_crop_batches_are_the_ten_crops_of_every_image_in_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    dataset = Pictures(per_class=10, counts=Counts(train=5, val=2, test=3))
    store = ImageStore.open(prepare(dataset, tmp_path_factory.mktemp("data")))
    view = View(image_size=16, fit="shorter_side", crops=10)
    images = Images(store, "test", view, opened_by="to judge its crops")
    batches = list(images.crop_batches(4))
    assert [batch.shape for batch in batches] == [(4, 10, 16, 16, 3), (2, 10, 16, 16, 3)]
    expected = [ten_crops(store.image(index), 16, "shorter_side") for index in store.indices("test").tolist()]
    np.testing.assert_array_equal(np.concatenate(batches), np.stack(expected))
    assert [batch.shape for batch in images.batches(4)] == [(4, 16, 16, 3), (2, 16, 16, 3)]
    plain = Images(store, "test", View(image_size=16), opened_by="to judge its crops")
    with pytest.raises(DataError, match="crops is 1, but ten crops are of a view with crops=10"):
        next(plain.crop_batches(4))
    with pytest.raises(DataError, match="batch_size is 0"):
        next(images.crop_batches(0))


def test_crops_are_one_or_ten() -> None:
    for crops in (0, 5, -1):
        with pytest.raises(DataError, match=f"crops is {crops}, but must be 1 or 10"):
            View(image_size=16, crops=crops)
