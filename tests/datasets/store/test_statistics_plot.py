"""The picture of a data set, whatever its classes are called and its pixels are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.custom.custom_images import find
from datasets.store.image_store import ImageStore, prepare
from datasets.store.statistics import describe, render_text
from datasets.store.statistics_plot import draw_statistics
from tests.fixtures.archives import encoded


def test_black_and_white_images_in_classes_of_odd_names(tmp_path: Path) -> None:
    for name in ("$\\frac{", "$5 and $10", "花", "long " * 48):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(10):
            black_or_white = np.random.default_rng([number, len(name)]).integers(0, 2, (20, 30, 1)) * 255
            image = encoded(black_or_white.repeat(3, axis=2).astype(np.uint8), "PNG")
            (tmp_path / "in" / name / f"{number}.png").write_bytes(image)
    store = ImageStore.open(prepare(find(str(tmp_path / "in")), tmp_path / "data"))
    statistics = describe(store)
    assert max(map(len, render_text(statistics).splitlines())) <= 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_statistics(statistics, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.width == 1200
