"""Drawn scenes: the same everywhere, and a box that surrounds the dish and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.dataset import Counts, DataError, silent
from datasets.synthetic import food_shapes
from datasets.synthetic.canvas import Brush
from datasets.synthetic.generated_scenes import GeneratedScenes, draw
from tests.fixtures.pictures import assert_like_reference

SCENES = GeneratedScenes(
    name="scenes", title="scenes", classes=("churros",), counts=Counts(train=3, val=1, test=1), side=64
)
FIRST_BOX = (5, 16, 36, 48)  # of the first dish, in pixels


def test_a_scene_looks_the_same_on_every_machine() -> None:
    scenes = [draw(dish, 0, side=64, seed=0) for dish in food_shapes.DISHES]
    assert_like_reference("scenes", [scene for scene, _ in scenes])
    assert scenes[0][1] == pytest.approx(FIRST_BOX)


def test_another_seed_is_another_scene() -> None:
    assert draw("churros", 3, side=64, seed=2)[1] != draw("churros", 3, side=64, seed=1)[1]


def test_the_box_surrounds_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dish that is one square: its corners are known wherever it lies."""
    drawn: list[tuple[int, int, int, int]] = []

    def square(brush: Brush) -> None:
        brush.canvas[20:31, 24:40] = 255 - brush.canvas[20:31, 24:40]
        drawn.append((24, 20, 40, 31))

    monkeypatch.setitem(food_shapes.DISHES, "churros", square)  # type: ignore[arg-type]
    for number in range(5):
        assert draw("churros", number, side=64, seed=0)[1] == drawn[number]


def test_boxes_lie_inside_and_differ_in_place_size_and_shape() -> None:
    drawn = [draw("churros", number, side=64, seed=0) for number in range(40)]
    found = np.array([box for _, box in drawn])
    sizes = np.array([scene.shape[1::-1] for scene, _ in drawn])
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
