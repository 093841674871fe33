"""Drawn tables with one dish somewhere among other things, and the box around it: for samples of tasks about boxes."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import Box
from datasets.synthetic import canvas, food_shapes
from datasets.synthetic.generated_images import SMALLEST_SHARE, GeneratedPictures, distract

RADIUS = (0.14, 0.3)  # of the dish, in shares of the scene's longest side
HEAPS = (3, 7)  # of up to four things each that lie about, least and most


@dataclass(frozen=True, kw_only=True)
class GeneratedScenes(GeneratedPictures):
    """One dish a scene, anywhere, of any size and turned at will, among leaves, sauces, crumbs and forks.

    A box surrounds the dish alone.
    """

    def drawn(self, dish: str, number: int) -> tuple[NDArray[np.uint8], Box | None]:
        """Draw a scene; see GeneratedPictures.

        Args:
            dish: Name of the dish.
            number: Number of the scene.

        Returns:
            uint8 [H, W, 3], RGB, and the box.
        """
        return draw(dish, number, side=self.side, seed=self.seed)


def draw(dish: str, number: int, *, side: int, seed: int) -> tuple[NDArray[np.uint8], Box]:
    """Draw a scene with one dish; the pixels are the same in every run, process and thread.

    Objects in front may hide a part of the dish; the box surrounds all of it that lies inside the scene.

    Args:
        dish: Name of the dish.
        number: Number of the scene.
        side: Side in pixels.
        seed: Seed of the data set.

    Returns:
        uint8 [H, W, 3], RGB, and the box around the dish (x1, y1, x2, y2 in pixels).
    """
    random = np.random.default_rng((seed, zlib.crc32(dish.encode()), number))
    height, width = (int(length) for length in random.integers(math.ceil(SMALLEST_SHARE * side), side + 1, 2))
    painted = canvas.background(side, random)[:height, :width].copy()
    for _ in range(int(random.integers(HEAPS[0], HEAPS[1] + 1))):
        at = (random.uniform(0, width), random.uniform(0, height))
        radius = random.uniform(*RADIUS) * side
        heap = canvas.Brush(painted, random, centre=at, radius=radius, angle=random.uniform(-math.pi, math.pi))
        distract(heap, behind=True)
    radius = random.uniform(*RADIUS) * side
    centre = (random.uniform(radius, width - radius), random.uniform(radius, height - radius))
    brush = canvas.Brush(painted, random, centre=centre, radius=radius, angle=random.uniform(-math.pi, math.pi))
    before = painted.copy()
    food_shapes.DISHES[dish](brush)
    rows, columns = np.nonzero((painted != before).any(axis=-1))
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    distract(brush, behind=False)
    return canvas.photograph(canvas.light(painted, random), random), box
