"""Drawn scenes: the same everywhere, and a box that surrounds the dish and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets import dishes
from datasets.dataset import Counts, DataError, silent
from datasets.drawing import Brush
from datasets.generated_scenes import GeneratedScenes, draw

SCENES = GeneratedScenes(
    name="scenes", title="scenes", classes=("churros",), counts=Counts(train=3, val=1, test=1), side=64
)


def test_a_scene_is_determined_by_its_number_and_seed() -> None:
    one, other = draw("churros", 3, side=64, seed=1), draw("churros", 3, side=64, seed=1)
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1] == other[1]
    assert draw("churros", 3, side=64, seed=2)[1] != one[1]


def test_the_box_surrounds_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dish that is one square: its corners are known wherever it lies."""
    drawn: list[tuple[int, int, int, int]] = []

    def square(brush: Brush) -> None:
        brush.canvas[20:31, 24:40] = 255 - brush.canvas[20:31, 24:40]
        drawn.append((24, 20, 40, 31))

    monkeypatch.setitem(dishes.DISHES, "churros", square)  # type: ignore[arg-type]
    for number in range(5):
        assert draw("churros", number, side=64, seed=0)[1] == drawn[number]


def test_boxes_lie_inside_and_differ_in_place_size_and_shape() -> None:
    found = np.array([draw("churros", number, side=64, seed=0)[1] for number in range(40)])
    sizes = np.array([draw("churros", number, side=64, seed=0)[0].shape[1::-1] for number in range(40)])
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= sizes).all()
    assert ((found[:, 2:] - found[:, :2]) >= 8).all()
    shares = found / np.tile(sizes, 2)
    assert (shares.std(axis=0) > 0.1).all()


def test_as_a_data_set(tmp_path: Path) -> None:
    with SCENES.images(None, tmp_path, silent) as images:
        assert [image.name for image in images] == [f"churros/{number:05d}.png" for number in range(5)]
        assert all(image.box is not None and image.read()[:4] == b"\x89PNG" for image in images)


def test_no_origin(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is drawn by the program"), SCENES.images("here", tmp_path, silent):
        pass
