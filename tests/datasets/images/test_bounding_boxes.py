"""Boxes: from pixels of the published image to shares of its sides, kept by the store, given out by the pipeline."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datasets.dataset import Box, Counts, DataError, Progress, SourceImage
from datasets.images.bounding_boxes import BoxError, relative
from datasets.images.decode import Size
from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import COUNTS, encoded, pixels

STRETCHED = InputConfig(image_size=16, fit="stretch")


@dataclass(frozen=True, kw_only=True)
class Boxed:
    """Twelve images of 40 x 100 pixels (height x width), each with its box."""

    boxes: tuple[Box | None, ...]
    upright: bool = True
    max_side: int = 50
    name: str = "boxed"
    title: str = "boxed images"
    classes: tuple[str, ...] = ("thing",)
    counts: Counts = COUNTS

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        read = partial(_encoded, self.upright)
        yield [
            SourceImage(name=f"{number:02d}.jpg", label=0, read=partial(read, number), box=box)
            for number, box in enumerate(self.boxes)
        ]


def _encoded(upright: bool, number: int) -> bytes:
    image = pixels(number, 40, 100)
    if upright:
        return encoded(image)
    turned = Image.fromarray(np.rot90(image).copy())  # stored lying on its side, with the tag that says so
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif)
    return file.getvalue()


def _boxes(count: int = 12) -> tuple[Box, ...]:
    return tuple((10.0 + number, 4.0, 60.0 + number, 30.0) for number in range(count))


def test_a_box_in_shares_of_the_sides() -> None:
    assert relative((49, 30, 349, 137), Size(height=160, width=400)) == (0.1225, 0.1875, 0.8725, 0.85625)


def test_what_lies_outside_is_cut_off() -> None:
    assert relative((-3, 0, 50, 41), Size(height=40, width=100)) == (0.0, 0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    "box", [(60, 4, 10, 30), (10, 30, 60, 4), (100, 4, 120, 30), (10, 4, 10, 30), (math.nan, 0, 1, 1)]
)
def test_a_box_of_nothing_is_refused(box: Box) -> None:
    with pytest.raises(BoxError, match="its box"):
        relative(box, Size(height=40, width=100))


edges = st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda pair: pair[1] - pair[0] > 1e-3)


@given(edges, edges, st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 9))
def test_shares_do_not_depend_on_the_scale(
    across: tuple[float, float], down: tuple[float, float], width: int, height: int, factor: int
) -> None:
    box = (across[0] * width, down[0] * height, across[1] * width, down[1] * height)
    larger = (box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor)
    one = relative(box, Size(height=height, width=width))
    assert one == pytest.approx(relative(larger, Size(height=height * factor, width=width * factor)))
    assert one == pytest.approx((across[0], down[0], across[1], down[1]))


@pytest.mark.parametrize("upright", [True, False])
def test_the_store_keeps_shares_of_the_published_image(tmp_path: Path, upright: bool) -> None:
    """Stored at half the size, and turned upright where a tag asks for it."""
    store = ImageStore.open(prepare(Boxed(boxes=_boxes(), upright=upright), tmp_path))
    assert store.image(0).shape[:2] == (20, 50)
    assert store.boxes is not None
    assert (store.boxes.dtype, store.boxes.shape) == (np.float32, (10, 4))  # 7 / 2 / 1 of 12
    for name, box in zip(store.names, store.boxes, strict=True):
        number = int(name[:2])
        np.testing.assert_allclose(box, np.array(_boxes()[number]) / (100, 40, 100, 40), rtol=1e-6)


def test_targets_follow_the_images_order(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Boxed(boxes=_boxes()), tmp_path))
    train = SplitBatches(store, "train", STRETCHED, target="box")
    assert store.boxes is not None
    np.testing.assert_array_equal(train.targets, store.boxes[train.indices])
    order = train.batch_indices(2, 5, 0)
    for positions, (images, targets) in zip(order, train.training_batches(2, 5, 0, threads=1), strict=True):
        assert images.shape == (2, 16, 16, 3)
        np.testing.assert_array_equal(targets, train.targets[positions])
    np.testing.assert_array_equal(SplitBatches(store, "train", STRETCHED).targets, train.labels)


def test_boxes_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    moved = tuple((x1 + 1, y1, x2 + 1, y2) for x1, y1, x2, y2 in _boxes())
    prints = {
        ImageStore.open(prepare(Boxed(boxes=boxes), tmp_path)).fingerprint
        for boxes in (_boxes(), moved, (None,) * len(moved))
    }
    assert len(prints) == 3


def test_a_box_of_nothing_is_a_broken_image(tmp_path: Path) -> None:
    boxes = (*_boxes(11), (60.0, 4.0, 10.0, 30.0))
    store = ImageStore.open(prepare(Boxed(boxes=boxes, counts=replace(COUNTS, train=9)), tmp_path))
    assert list(store.broken) == ["11.jpg"]
    assert "x1 below x2" in store.broken["11.jpg"]
    assert store.boxes is not None
    assert len(store.boxes) == len(store) == 11


def test_some_boxes_are_not_enough(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="of boxed images have no box"):
        prepare(Boxed(boxes=(*_boxes(6), *[None] * 6)), tmp_path)


def test_a_store_of_classes_has_no_boxes(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Boxed(boxes=(None,) * 12), tmp_path))
    assert store.boxes is None
    with pytest.raises(DataError, match="has no boxes, only classes"):
        SplitBatches(store, "train", STRETCHED, target="box")


@pytest.mark.parametrize(
    "view",
    [replace(STRETCHED, fit="center_crop"), replace(STRETCHED, augmentation="live"), replace(STRETCHED, crops=10)],
)
def test_views_that_would_move_what_a_box_surrounds_are_refused(tmp_path: Path, view: InputConfig) -> None:
    store = ImageStore.open(prepare(Boxed(boxes=_boxes()), tmp_path))
    with pytest.raises(DataError, match="would move what boxes surround"):
        SplitBatches(store, "train", view, target="box")
