"""Ten crops of an image vote by their mean probability."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import Pictures
from trainables.ten_crop import ten_crop_metrics

VIEW = InputConfig(image_size=8, fit="center_crop", crops=10)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore.open(prepare(Pictures(), tmp_path_factory.mktemp("data")))


def brightness(batches: Iterable[np.ndarray]) -> np.ndarray:
    """Says "second" as surely as a crop is bright."""
    bright = np.concatenate([batch.mean(axis=(1, 2, 3)) for batch in batches]) / 255
    return np.stack([1 - bright, bright], axis=1)


def test_the_mean_of_ten_probabilities_decides(store: ImageStore) -> None:
    images = SplitBatches(store, "train", VIEW)
    assert len(images) == 14  # no multiple of the images taken at a time
    right = 0
    for label, (crops,) in zip(images.labels, images.crop_batches(1), strict=True):
        right += int(brightness([crops]).mean(axis=0).argmax() == label)
    assert 0 < right < 14
    assert ten_crop_metrics(brightness, images) == {"ten_crop_accuracy": right / 14}


def test_without_crops_there_is_no_such_metric(store: ImageStore) -> None:
    assert ten_crop_metrics(brightness, SplitBatches(store, "train", replace(VIEW, crops=1))) == {}
