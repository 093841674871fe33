"""Squares out of images: fits and crops by hand, and what holds of any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.dataset import Counts, DataError
from datasets.images.resize import center_crop, crop_source_side, resize_to_square, ten_crops
from datasets.input_config import InputConfig, key_fit
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import Pictures


def test_centre_crop_by_hand() -> None:
    image = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
    np.testing.assert_array_equal(center_crop(image, 2), image[1:3, 2:4])
    np.testing.assert_array_equal(center_crop(image, 3), image[1:4, 1:4])
    padded = center_crop(image, 8)  # 1 row above, 2 below; 1 column on either side
    np.testing.assert_array_equal(padded[1:6, 1:7], image)
    assert padded.sum() == image.sum()


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40))
def test_centre_crop_keeps_the_middle(height: int, width: int, side: int) -> None:
    image = np.full((height, width, 3), 9, np.uint8)
    cropped = center_crop(image, side)
    assert cropped.shape == (side, side, 3)
    assert (cropped == 9).all(axis=-1).sum() == min(height, side) * min(width, side)
    assert cropped[side // 2, side // 2].tolist() == [9, 9, 9] or min(height, width) == 1


def test_the_three_fits_by_hand() -> None:
    """6 x 10 pixels: columns 0 to 9 are 0, 10, ..., 90."""
    image = np.broadcast_to((np.arange(10, dtype=np.uint8) * 10)[None, :, None], (6, 10, 3)).copy()
    assert resize_to_square(image, 4, "center_crop")[0, :, 0].tolist() == [30, 40, 50, 60]
    # The shorter side, 6, becomes 3: columns are pairs, 5, 25, 45, 65, 85; the middle three are kept.
    assert resize_to_square(image, 3, "shorter_side")[0, :, 0].tolist() == [25, 45, 65]
    # 10 columns become 5, 6 rows become 5.
    assert resize_to_square(image, 5, "stretch")[0, :, 0].tolist() == [5, 25, 45, 65, 85]
    assert resize_to_square(image, 6, "shorter_side")[0, :, 0].tolist() == [20, 30, 40, 50, 60, 70]  # fits already


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from(["center_crop", "shorter_side", "stretch"]),
)
def test_every_fit_gives_the_square(height: int, width: int, side: int, fit: Any) -> None:
    image = np.full((height, width, 3), 9, np.uint8)
    seen = resize_to_square(image, side, fit)
    assert (seen.shape, seen.dtype) == ((side, side, 3), np.uint8)
    if fit != "center_crop":
        assert (seen == 9).all()  # nothing is padded


def test_a_line_stays_where_one_side_shrinks_and_the_other_grows() -> None:
    """40 x 400 pixels, stretched: a bright column, wherever it is, keeps its share of the brightness."""
    for column in range(195, 205):
        image = np.zeros((40, 400, 3), np.uint8)
        image[:, column] = 255
        assert resize_to_square(image, 64, "stretch")[32, :, 0].sum() == pytest.approx(255 * 64 / 400, abs=2)


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
    assert [crop_source_side(side) for side in (227, 64, 1)] == [256, 72, 1]


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from(["shorter_side", "stretch", "center_crop"]),
)
def test_crops_lie_in_the_fitted_square(height: int, width: int, side: int, fit: Any) -> None:
    image = np.random.default_rng(height * 40 + width).integers(0, 256, (height, width, 3), np.uint8)
    crops = ten_crops(image, side, fit)
    assert (crops.shape, crops.dtype) == ((10, side, side, 3), np.uint8)
    whole = resize_to_square(image, crop_source_side(side), fit)
    np.testing.assert_array_equal(crops[0], whole[:side, :side])
    np.testing.assert_array_equal(crops[2], whole[-side:, -side:])


def test_crop_batches_are_the_ten_crops_of_every_image_in_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    dataset = Pictures(per_class=10, counts=Counts(train=5, val=2, test=3))
    store = ImageStore.open(prepare(dataset, tmp_path_factory.mktemp("data")))
    view = InputConfig(image_size=16, fit="shorter_side", crops=10)
    images = SplitBatches(store, "test", view, opened_by="to judge its crops")
    batches = list(images.crop_batches(4))
    assert [batch.shape for batch in batches] == [(4, 10, 16, 16, 3), (2, 10, 16, 16, 3)]
    expected = [ten_crops(store.image(index), 16, "shorter_side") for index in store.indices("test").tolist()]
    np.testing.assert_array_equal(np.concatenate(batches), np.stack(expected))
    assert [batch.shape for batch in images.batches(4)] == [(4, 16, 16, 3), (2, 16, 16, 3)]
    plain = SplitBatches(store, "test", InputConfig(image_size=16), opened_by="to judge its crops")
    with pytest.raises(DataError, match=r"crops is 1, .*crops=10"):
        next(plain.crop_batches(4))
    with pytest.raises(DataError, match="batch_size is 0"):
        next(images.crop_batches(0))


def test_crops_are_one_or_ten() -> None:
    for crops in (0, 5, -1):
        with pytest.raises(DataError, match=f"crops is {crops}, .* 1 or 10"):
            InputConfig(image_size=16, crops=crops)


def test_the_former_word_for_a_fit_is_read_and_stays_in_keys() -> None:
    view = InputConfig(image_size=16, fit="window")  # type: ignore[arg-type]  # as old studies recorded it
    assert view == InputConfig(image_size=16)
    assert (view.fit, key_fit(view)) == ("center_crop", "window")
    assert key_fit(InputConfig(image_size=16, fit="stretch")) == "stretch"
