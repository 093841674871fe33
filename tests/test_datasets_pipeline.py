"""Every image once, in the order asked for, the same pixels for the same seed, and no thread left behind."""

from __future__ import annotations

import itertools
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.dataset import Counts, DataError
from datasets.parallel import ordered
from datasets.pipeline import Images, centre_crop
from datasets.store import ImageStore, prepare
from datasets.view import View
from tests.fixtures import Pictures

PLAIN = View(image_size=16)
LIVE = View(image_size=16, augmentation="live")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    dataset = Pictures(per_class=20, counts=Counts(train=15, val=4, test=1))
    return ImageStore.open(prepare(dataset, tmp_path_factory.mktemp("data")))


def test_centre_crop_by_hand() -> None:
    image = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
    np.testing.assert_array_equal(centre_crop(image, 2), image[1:3, 2:4])
    np.testing.assert_array_equal(centre_crop(image, 3), image[1:4, 1:4])
    padded = centre_crop(image, 8)  # 1 row above, 2 below; 1 column on either side
    np.testing.assert_array_equal(padded[1:6, 1:7], image)
    assert padded.sum() == image.sum()


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40))
def test_centre_crop_keeps_the_middle(height: int, width: int, side: int) -> None:
    image = np.full((height, width, 3), 9, np.uint8)
    cropped = centre_crop(image, side)
    assert cropped.shape == (side, side, 3)
    assert (cropped == 9).all(axis=-1).sum() == min(height, side) * min(width, side)
    assert cropped[side // 2, side // 2].tolist() == [9, 9, 9] or min(height, width) == 1


def test_batches_hold_every_image_once_in_order(store: ImageStore) -> None:
    images = Images(store, "val", PLAIN)
    batches = list(images.batches(3))
    assert [batch.shape for batch in batches] == [(3, 16, 16, 3), (3, 16, 16, 3), (2, 16, 16, 3)]
    expected = [centre_crop(store.image(index), 16) for index in store.indices("val").tolist()]
    np.testing.assert_array_equal(np.concatenate(batches), np.stack(expected))
    assert images.labels.tolist() == [0] * 4 + [1] * 4
    assert images.labels.dtype == np.int64
    assert (len(images), images.num_classes) == (8, 2)


def test_training_batches_are_shuffled_whole_and_labelled(store: ImageStore) -> None:
    images = Images(store, "train", PLAIN)
    of_epoch = [list(images.training_batches(8, seed=1, epoch=epoch, threads=1)) for epoch in (0, 0, 1)]
    for batches in of_epoch:
        assert [labels.shape for _, labels in batches] == [(8,)] * 3  # 6 of 30 are dropped
    known = {centre_crop(store.image(i), 16).tobytes(): int(store.labels[i]) for i in store.indices("train").tolist()}
    seen = [
        (image.tobytes(), label) for batch, labels in of_epoch[0] for image, label in zip(batch, labels, strict=True)
    ]
    assert all(known[image] == label for image, label in seen)
    assert len({image for image, _ in seen}) == 24
    first, again, other = (np.concatenate([labels for _, labels in batches]).tolist() for batches in of_epoch)
    assert first == again
    assert first != other


def test_fewer_images_than_a_batch_make_one_batch(store: ImageStore) -> None:
    ((batch, labels),) = Images(store, "train", PLAIN).training_batches(64, seed=0, epoch=0, threads=1)
    assert batch.shape == (30, 16, 16, 3)
    assert sorted(labels.tolist()) == [0] * 15 + [1] * 15


@pytest.mark.slow
def test_augmented_batches_do_not_depend_on_threads(store: ImageStore) -> None:
    images = Images(store, "train", LIVE)
    runs = [
        np.concatenate([batch for batch, _ in images.training_batches(8, seed=3, epoch=epoch, threads=threads)])
        for epoch, threads in ((0, 1), (0, 4), (1, 4))
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()
    assert images.augmented
    assert not Images(store, "train", PLAIN).augmented


def test_validation_images_are_never_augmented(store: ImageStore) -> None:
    plain, live = (np.concatenate(list(Images(store, "val", view).batches(4))) for view in (PLAIN, LIVE))
    np.testing.assert_array_equal(plain, live)


def test_an_abandoned_iterator_leaves_no_thread(store: ImageStore) -> None:
    before = threading.active_count()
    batches = Images(store, "train", LIVE).training_batches(2, seed=0, epoch=0, threads=3)
    next(batches)
    assert threading.active_count() > before
    del batches
    assert threading.active_count() == before


def test_work_ahead_is_bounded_and_errors_come_in_turn() -> None:
    started: list[int] = []

    def work(item: int) -> int:
        started.append(item)
        if item == 12:
            raise ValueError("twelve")
        return item * item

    before = threading.active_count()
    results = ordered(work, itertools.count(), threads=2, ahead=4)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert max(started) <= 3 + 4
    assert [next(results) for _ in range(9)] == [n * n for n in range(3, 12)]
    with pytest.raises(ValueError, match="twelve"):
        next(results)
    assert threading.active_count() == before


def test_the_test_split_needs_a_reason(store: ImageStore) -> None:
    for reason in ("", "  "):
        with pytest.raises(DataError, match="opens only with a reason"):
            Images(store, "test", PLAIN, opened_by=reason)
    assert len(Images(store, "test", PLAIN, opened_by="confirmed models meet it")) == 2


def test_images_pickle_small(store: ImageStore) -> None:
    images = Images(store, "train", PLAIN)
    list(images.batches(8))
    content = pickle.dumps(images)
    assert len(content) < 3000
    np.testing.assert_array_equal(next(pickle.loads(content).batches(4)), next(images.batches(4)))


def test_impossible_settings(store: ImageStore) -> None:
    with pytest.raises(DataError, match="image_size is 0"):
        Images(store, "train", View(image_size=0))
    images = Images(store, "train", View(image_size=8, augmentation="live", recipe="food11"))
    with pytest.raises(DataError, match="batch_size is 0"):
        next(images.batches(0))
    with pytest.raises(DataError, match=r"recipe is 'food11'.*did you mean food10"):
        next(images.training_batches(4, seed=0, epoch=0, threads=1))
