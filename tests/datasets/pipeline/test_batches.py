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
from datasets.images.resize import center_crop
from datasets.images.thread_map import ordered
from datasets.input_config import InputConfig, parse_augmentation
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import Pictures

PLAIN = InputConfig(image_size=16)
LIVE = InputConfig(image_size=16, augmentation="live")


def fixed(views: int) -> InputConfig:
    return InputConfig(image_size=16, augmentation="views", views=views)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    dataset = Pictures(per_class=20, counts=Counts(train=15, val=4, test=1))
    return ImageStore.open(prepare(dataset, tmp_path_factory.mktemp("data")))


def test_epochs_of_so_many_images_go_on_where_the_last_one_stopped(store: ImageStore) -> None:
    """Three epochs of 20 of 30 images are two passes."""
    images = SplitBatches(store, "train", InputConfig(image_size=16, epoch_images=20))
    assert (len(images), images.steps(5)) == (30, 4)
    orders = [images.batch_indices(5, seed=3, epoch=epoch) for epoch in range(3)]
    assert [order.shape for order in orders] == [(4, 5)] * 3
    shown = np.concatenate([order.reshape(-1) for order in orders])
    assert sorted(shown[:30].tolist()) == sorted(shown[30:].tolist()) == list(range(30))
    assert shown[:30].tolist() != shown[30:].tolist()
    np.testing.assert_array_equal(images.batch_indices(5, seed=3, epoch=1), orders[1])  # whatever was asked before
    assert not np.array_equal(images.batch_indices(5, seed=4, epoch=1), orders[1])


def test_an_epoch_may_be_longer_than_a_pass(store: ImageStore) -> None:
    images = SplitBatches(store, "train", InputConfig(image_size=16, epoch_images=70))
    order = images.batch_indices(10, seed=0, epoch=2)
    assert order.shape == (7, 10)
    assert np.bincount(order.reshape(-1), minlength=30).sum() == 70


def test_looks_at_validation_images_take_turns(store: ImageStore) -> None:
    images = SplitBatches(store, "val", InputConfig(image_size=16, check_images=4))
    looks = [images.validation_subset(epoch).tolist() for epoch in range(4)]
    assert sorted(looks[0] + looks[1]) == list(range(8))
    assert looks[2] == looks[0]
    assert {0, 1} == set(images.labels[looks[0]].tolist()) | set(images.labels[looks[1]].tolist())
    np.testing.assert_array_equal(
        np.concatenate(list(images.batches(3, images.validation_subset(1)))),
        np.concatenate(list(images.batches(8)))[looks[1]],
    )
    everything = SplitBatches(store, "val", InputConfig(image_size=16))
    assert everything.validation_subset(5).tolist() == list(range(8))


def test_batches_hold_every_image_once_in_order(store: ImageStore) -> None:
    images = SplitBatches(store, "val", PLAIN)
    batches = list(images.batches(3))
    assert [batch.shape for batch in batches] == [(3, 16, 16, 3), (3, 16, 16, 3), (2, 16, 16, 3)]
    expected = [center_crop(store.image(index), 16) for index in store.indices("val").tolist()]
    np.testing.assert_array_equal(np.concatenate(batches), np.stack(expected))
    assert images.labels.tolist() == [0] * 4 + [1] * 4
    assert images.labels.dtype == np.int64
    assert (len(images), images.num_classes) == (8, 2)


def test_training_batches_are_shuffled_whole_and_labelled(store: ImageStore) -> None:
    images = SplitBatches(store, "train", PLAIN)
    of_epoch = [list(images.training_batches(8, seed=1, epoch=epoch, threads=1)) for epoch in (0, 0, 1)]
    for batches in of_epoch:
        assert [labels.shape for _, labels in batches] == [(8,)] * 3  # 6 of 30 are dropped
    known = {center_crop(store.image(i), 16).tobytes(): int(store.labels[i]) for i in store.indices("train").tolist()}
    seen = [
        (image.tobytes(), label) for batch, labels in of_epoch[0] for image, label in zip(batch, labels, strict=True)
    ]
    assert all(known[image] == label for image, label in seen)
    assert len({image for image, _ in seen}) == 24
    first, again, other = (np.concatenate([labels for _, labels in batches]).tolist() for batches in of_epoch)
    assert first == again
    assert first != other


def test_fewer_images_than_a_batch_make_one_batch(store: ImageStore) -> None:
    ((batch, labels),) = SplitBatches(store, "train", PLAIN).training_batches(64, seed=0, epoch=0, threads=1)
    assert batch.shape == (30, 16, 16, 3)
    assert sorted(labels.tolist()) == [0] * 15 + [1] * 15


def test_the_order_is_the_one_the_batches_come_in(store: ImageStore) -> None:
    images = SplitBatches(store, "train", PLAIN)
    order = images.batch_indices(8, seed=1, epoch=2)
    assert order.shape == (3, 8)
    assert order.dtype == np.int64
    batches = list(images.training_batches(8, seed=1, epoch=2, threads=1))
    whole = np.concatenate(list(images.batches(30)))
    for positions, (batch, labels) in zip(order, batches, strict=True):
        np.testing.assert_array_equal(batch, whole[positions])
        np.testing.assert_array_equal(labels, images.labels[positions])


@given(st.integers(1, 40), st.integers(0, 2**31 - 1), st.integers(0, 500))
def test_the_order_holds_every_image_at_most_once(store: ImageStore, batch_size: int, seed: int, epoch: int) -> None:
    images = SplitBatches(store, "train", PLAIN)
    order = images.batch_indices(batch_size, seed, epoch)
    size = min(batch_size, 30)
    assert order.shape == (30 // size, size)
    flat = order.reshape(-1).tolist()
    assert len(set(flat)) == len(flat)
    assert set(flat) <= set(range(30))
    np.testing.assert_array_equal(order, images.batch_indices(batch_size, seed, epoch))


@given(st.integers(1, 12), st.integers(0, 2**31 - 1), st.integers(0, 500))
def test_every_image_shows_every_view_equally_often(store: ImageStore, views: int, seed: int, start: int) -> None:
    """In any row of as many epochs as there are views: each view of each image once."""
    images = SplitBatches(store, "train", fixed(views))
    shown = np.stack([images.variant_indices(seed, epoch) for epoch in range(start, start + views)])
    assert shown.shape == (views, 30)
    np.testing.assert_array_equal(np.sort(shown, axis=0), np.tile(np.arange(views)[:, None], 30))
    np.testing.assert_array_equal(images.variant_indices(seed, start), shown[0])


@pytest.mark.parametrize("view", [LIVE, fixed(3)], ids=["live", "views"])
def test_images_to_validate_on_come_in_no_variants(store: ImageStore, view: InputConfig) -> None:
    images, plain = SplitBatches(store, "val", view), SplitBatches(store, "val", PLAIN)
    np.testing.assert_array_equal(
        np.concatenate(list(images.view_batches(4))), np.concatenate(list(plain.batches(batch_size=4)))
    )
    seen, shown = (list(one.training_batches(4, seed=0, epoch=1, threads=1)) for one in (images, plain))
    np.testing.assert_array_equal([batch for batch, _ in seen], [batch for batch, _ in shown])


def test_views_are_mixed_within_an_epoch_and_by_the_seed(store: ImageStore) -> None:
    images = SplitBatches(store, "train", fixed(4))
    assert set(images.variant_indices(seed=0, epoch=0).tolist()) == {0, 1, 2, 3}  # 30 images miss one with 7e-4
    assert (images.variant_indices(seed=0, epoch=0) != images.variant_indices(seed=1, epoch=0)).any()


def test_without_fixed_views_there_is_one(store: ImageStore) -> None:
    for view in (PLAIN, LIVE):
        images = SplitBatches(store, "train", view)
        assert images.variant_indices(seed=3, epoch=5).tolist() == [0] * 30
        for ours, plain in zip(images.view_batches(3), images.batches(3), strict=True):
            np.testing.assert_array_equal(ours, plain)


@pytest.mark.slow
def test_fixed_views_are_the_same_for_every_seed_and_thread(store: ImageStore) -> None:
    """What is computed once from view_batches is what trials of any seed are shown."""
    images = SplitBatches(store, "train", fixed(3))
    batches = list(images.view_batches(16, threads=1))
    assert [len(batch) for batch in batches] == [16] * 5 + [10]
    every = np.concatenate(batches)
    np.testing.assert_array_equal(every, np.concatenate(list(images.view_batches(7, threads=3))))
    one, two = (every[number * 30 : (number + 1) * 30] for number in (0, 1))
    assert (one != two).any(axis=(1, 2, 3)).all()
    for seed, epoch in ((0, 0), (5, 1), (5, 2)):
        rows = (
            images.batch_indices(8, seed, epoch)
            + images.variant_indices(seed, epoch)[images.batch_indices(8, seed, epoch)] * 30
        )
        for expected, (batch, _) in zip(
            rows, images.training_batches(8, seed=seed, epoch=epoch, threads=2), strict=True
        ):
            np.testing.assert_array_equal(batch, every[expected])


@pytest.mark.slow
def test_augmented_batches_do_not_depend_on_threads(store: ImageStore) -> None:
    images = SplitBatches(store, "train", LIVE)
    runs = [
        np.concatenate([batch for batch, _ in images.training_batches(8, seed=3, epoch=epoch, threads=threads)])
        for epoch, threads in ((0, 1), (0, 4), (1, 4))
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_an_abandoned_iterator_leaves_no_thread(store: ImageStore) -> None:
    before = threading.active_count()
    batches = SplitBatches(store, "train", LIVE).training_batches(2, seed=0, epoch=0, threads=3)
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
            SplitBatches(store, "test", PLAIN, opened_by=reason)
    assert len(SplitBatches(store, "test", PLAIN, opened_by="confirmed models meet it")) == 2


def test_images_pickle_small(store: ImageStore) -> None:
    images = SplitBatches(store, "train", PLAIN)
    list(images.batches(8))
    content = pickle.dumps(images)
    assert len(content) < 3000
    np.testing.assert_array_equal(next(pickle.loads(content).batches(4)), next(images.batches(4)))


def test_impossible_settings(store: ImageStore) -> None:
    with pytest.raises(DataError, match="image_size is 0"):
        SplitBatches(store, "train", InputConfig(image_size=0))
    images = SplitBatches(store, "train", InputConfig(image_size=8, augmentation="live", recipe="food11"))
    with pytest.raises(DataError, match="batch_size is 0"):
        next(images.batches(0))
    with pytest.raises(DataError, match=r"unknown augmentation recipe 'food11'; did you mean food10"):
        next(images.training_batches(4, seed=0, epoch=0, threads=1))
    with pytest.raises(DataError, match="batch_size is 0"):
        images.batch_indices(0, seed=0, epoch=0)


def test_an_augmentation_in_words() -> None:
    assert parse_augmentation("none") == ("none", 1)
    assert parse_augmentation("live") == ("live", 1)
    assert parse_augmentation("views=1") == ("views", 1)
    assert parse_augmentation("views=100") == ("views", 100)
    for text in ("", "views", "views=", "views=-1", "views=2.5", "none=1", "Live", "views=101"):
        with pytest.raises(DataError, match="views=K with K from 1 to 100") as raised:
            parse_augmentation(text)
        assert repr(text) in str(raised.value)
