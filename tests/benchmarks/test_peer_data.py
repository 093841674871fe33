"""The images of the peers: what they train on is what this project trains on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.workloads import find
from datasets.pipeline.augmentation import Augmenter

if TYPE_CHECKING:
    from benchmarks.peers.data import Data

pytestmark = pytest.mark.slow  # imports TensorFlow
SIZES = ((40, 30), (24, 40), (40, 40), (33, 21), (40, 12))


@pytest.fixture
def data() -> Data:
    """Five pictures of several sizes in squares of 40 px."""
    from benchmarks.peers.data import Data

    random, squares = np.random.default_rng(0), np.zeros((len(SIZES), 40, 40, 3), np.uint8)
    for square, (height, width) in zip(squares, SIZES, strict=True):
        top, left = (40 - height) // 2, (40 - width) // 2
        square[top : top + height, left : left + width] = random.integers(1, 256, (height, width, 3))
    labels = np.arange(len(SIZES))
    return Data(
        train_images=squares,
        train_labels=labels,
        train_sizes=np.array(SIZES, np.int64),
        val_images=squares,
        val_labels=labels,
    )


def test_live_augmentation_is_this_projects_own_for_each_epoch(data: Data) -> None:
    from benchmarks.peers.data import training

    workload = replace(find("W3-quick"), image_size=40, batch_size=2)
    batches, augment = training(workload, data, seed=7, threads=2), Augmenter("food10", 40)
    for epoch in range(2):
        seen = list(batches.as_numpy_iterator())
        assert [len(labels) for _, labels in seen] == [2, 2]  # whole batches alone
        for images, labels in seen:
            for image, label in zip(images, labels.tolist(), strict=True):
                height, width = SIZES[label]
                top, left = (40 - height) // 2, (40 - width) // 2
                picture = data.train_images[label, top : top + height, left : left + width]
                np.testing.assert_array_equal(image, augment(picture, seed=7, epoch=epoch, index=label))


def test_without_augmentation_every_image_comes_once_an_epoch(data: Data) -> None:
    from benchmarks.peers.data import training, validation

    workload = replace(find("W2-quick"), image_size=40, batch_size=5)
    [(images, labels)] = training(workload, data, seed=7, threads=2).as_numpy_iterator()
    np.testing.assert_array_equal(images, data.train_images[labels])
    assert sorted(labels.tolist()) == [0, 1, 2, 3, 4]
    [(images, _)] = validation(data).as_numpy_iterator()
    np.testing.assert_array_equal(images, data.val_images)
