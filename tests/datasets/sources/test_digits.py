"""scikit-learn's digits, as they are, split in shares."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets.sources.digits import Digits
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import refusal


@pytest.mark.slow
def test_every_digit_is_there_as_it_is(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    store = ImageStore.open(prepare(Digits(), tmp_path))
    found = load_digits()
    assert len(store) == 1797
    assert store.labels.tolist() == found.target.tolist()
    pixels = np.stack([store.image(index) for index in range(len(store))])
    assert pixels.shape == (1797, 8, 8, 3)
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])
    np.testing.assert_array_equal(np.rint(pixels[..., 1] / 255 * 16), found.images)
    assert (pixels.min(), pixels.max()) == (0, 255)
    of_class = Counter(found.target.tolist())
    counted = Counter(zip(store.labels.tolist(), store.splits.tolist(), strict=True))
    for label, count in of_class.items():
        assert [counted[label, split] for split in (1, 2)] == [round(0.2 * count)] * 2


def test_it_comes_from_nowhere_else(tmp_path: Path) -> None:
    assert "come with scikit-learn, but data is" in refusal(Digits(), tmp_path, tmp_path / "data")
