"""Images of more than 8 bits: one scale for a data set, the same for training and for a new picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.custom.custom_images import find
from datasets.store.image_store import ImageStore, prepare
from inspection.prediction.input_images import Preprocess


def content(values: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def store_of(folder: Path, levels: dict[str, float], kind: str, dtype: type) -> ImageStore:
    """Two classes of images around one level each, written as `kind`."""
    random = np.random.default_rng(0)
    for label, level in levels.items():
        (folder / "in" / label).mkdir(parents=True)
        for number in range(20):
            values = (level * (1 + random.normal(0, 0.002, (70, 70)))).astype(dtype)
            (folder / "in" / label / f"{number}.{kind.lower()}").write_bytes(content(values, kind))
    return ImageStore.open(prepare(find(str(folder / "in")), folder / "data"))


@pytest.mark.parametrize(
    ("kind", "dtype", "levels", "white"),
    [
        ("PNG", np.uint16, {"dark": 1000, "light": 1040}, 2047),
        ("TIFF", np.uint16, {"dark": 1000, "light": 4000}, 4095),
        ("TIFF", np.float32, {"dark": 0.2, "light": 0.9}, 1),
        ("TIFF", np.float32, {"dark": 200.0, "light": 900.0}, 1023),
    ],
)
def test_one_white_level_for_training_and_for_a_new_picture(
    kind: str, dtype: type, levels: dict[str, float], white: float, tmp_path: Path
) -> None:
    store = store_of(tmp_path, levels, kind, dtype)
    assert store.white_level == white
    assert any(f"{white:g} is shown as white" in notice for notice in store.notices)
    means = [np.mean([store.image(i).mean() for i in np.flatnonzero(store.labels == label)]) for label in (0, 1)]
    assert means == pytest.approx([level / white * 255 for level in levels.values()], rel=0.02)
    index = int(store.indices("test")[0])
    seen = Preprocess(max_side=512, white_level=store.white_level, side=70, fit="stretch")
    picture = (tmp_path / "in" / store.names[index]).read_bytes()
    np.testing.assert_array_equal(seen.square(picture), store.image(index))


def test_training_pixels_that_hardly_vary_are_named(tmp_path: Path) -> None:
    assert any(
        "hardly vary" in notice for notice in store_of(tmp_path, {"a": 1000, "b": 1040}, "PNG", np.uint16).notices
    )


def test_images_of_eight_bits_have_no_white_level(tmp_path: Path) -> None:
    store = store_of(tmp_path, {"dark": 50, "light": 200}, "PNG", np.uint8)
    assert store.white_level is None
    assert store.notices == ()
