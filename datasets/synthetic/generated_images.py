"""Pictures drawn by the program, for samples that need no network: small, the same everywhere, and not easy."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import Box, Counts, DataError, Progress, SourceImage
from datasets.synthetic import canvas, food_shapes
from errors import arg

SMALLEST_SHARE = 0.75  # of `side`: the sides of a picture lie between, so that cropping is not for nothing


@dataclass(frozen=True, kw_only=True)
class GeneratedPictures:
    """Drawn dishes. A dish's place, size, turn, colours, table, lamp, focus and what lies in front of it are random.

    classes: names of dishes in datasets/synthetic/food_shapes.py.
    counts: images per class in each split; as many are drawn.
    side: in pixels; each side of a picture is between 3/4 of it and all of it.
    seed: another seed is another data set of the same kind.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    counts: Counts
    side: int = 128
    seed: int = 0

    @property
    def max_side(self) -> int:
        return self.side

    @contextmanager
    def images(self, origin: str | None, data_dir: Path, progress: Progress) -> Iterator[Sequence[SourceImage]]:
        """Yield the images (interface: datasets.dataset.Dataset).

        Args:
            origin: Must be None: the pictures are drawn here.
            data_dir: Folder of stores and downloads.
            progress: Reports progress.

        Raises:
            DataError: An origin is given, or a class cannot be drawn.
        """
        if origin is not None:
            remedy = f"leave out {arg.data} or {arg.sample}"
            raise DataError(f"{self.title} is drawn by the program, but {arg.data} is {origin!r}; {remedy}")
        unknown = next((name for name in self.classes if name not in food_shapes.DISHES), None)
        if unknown is not None:
            known = ", ".join(food_shapes.DISHES)
            raise DataError(f"the class {unknown!r} of {self.title} cannot be drawn; known are {known}")
        images: list[SourceImage] = []
        total = len(self.classes) * self.counts.total
        for label, name in enumerate(self.classes):
            for number in range(self.counts.total):
                picture, box = self.drawn(name, number)
                # Drawn once and kept (10 to 30 KB each), since a store reads every image twice: size, then pixels.
                read = partial(bytes, encode(picture))
                images.append(SourceImage(name=f"{name}/{number:05d}.png", label=label, read=read, box=box))
                progress(f"drawing {self.name}", len(images), total)
        yield images

    def drawn(self, dish: str, number: int) -> tuple[NDArray[np.uint8], Box | None]:
        """Draw a picture.

        Args:
            dish: Name of the dish.
            number: Number of the picture.

        Returns:
            uint8 [H, W, 3], RGB, and the box to find in it, if there is one.
        """
        return draw(dish, number, side=self.side, seed=self.seed), None


def draw(dish: str, number: int, *, side: int, seed: int) -> NDArray[np.uint8]:
    """Draw a picture of a dish; the pixels are the same in every run, process and thread.

    Args:
        dish: Name of the dish.
        number: Number of the picture.
        side: Side in pixels.
        seed: Seed of the data set.

    Returns:
        uint8 [H, W, 3], RGB.
    """
    random = np.random.default_rng((seed, zlib.crc32(dish.encode()), number))
    smallest = math.ceil(SMALLEST_SHARE * side)
    height, width = (int(length) for length in random.integers(smallest, side + 1, 2))
    painted = canvas.background(side, random)
    centre = (side / 2 + random.uniform(-0.1, 0.1) * side, side / 2 + random.uniform(-0.1, 0.1) * side)
    radius = random.uniform(0.26, 0.46) * side
    brush = canvas.Brush(painted, random, centre=centre, radius=radius, angle=random.uniform(-math.pi, math.pi))
    if random.random() < 0.7:
        brush.disc((0, 0), brush.between(1.05, 1.3), canvas.vary((205, 205, 200), random, 50), solid=True)
    distract(brush, behind=True)
    food_shapes.DISHES[dish](brush)
    distract(brush, behind=False)
    picture = canvas.photograph(canvas.light(painted, random), random)
    top, left = (side - height) // 2, (side - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def distract(brush: canvas.Brush, *, behind: bool) -> None:
    """Draw table clutter: leaves, sauce, crumbs, a fork.

    Args:
        brush: The brush.
        behind: Whether it lies behind the dish; in front it hides part of it.
    """
    for _ in range(brush.count(1, 4) if behind else brush.count(0, 2)):
        direction, reach = brush.between(0, 2 * math.pi), brush.between(0.7, 1.4)
        at = (reach * math.cos(direction), reach * math.sin(direction))
        colour = canvas.vary(brush.pick((*food_shapes.POOL, food_shapes.GREEN, food_shapes.WHITE)), brush.random, 30)
        kind = brush.count(0, 4)
        if kind == 0:
            food_shapes.leaf(brush, at, brush.between(0.15, 0.35), colour)
        elif kind == 1:
            brush.polygon(canvas.blob(at, (0.3, 0.22), direction, wobble=0.3, random=brush.random), colour)
        elif kind == 2:
            brush.disc(at, brush.between(0.1, 0.35), colour, solid=True)
        elif kind == 3:
            brush.specks(at, 0.4, 14, 0.07, [colour])
        else:
            brush.solid(canvas.bar(at, brush.between(0.8, 1.6), 0.1, direction + math.pi / 2), colour)


def encode(picture: NDArray[np.uint8]) -> bytes:
    """Encode a picture as PNG, so that generated pictures are read like photographs.

    Args:
        picture: uint8 [H, W, 3].

    Raises:
        DataError: The picture cannot be encoded.
    """
    import cv2

    done, encoded = cv2.imencode(".png", picture[..., ::-1])
    if not done:
        raise DataError("a generated picture could not be encoded as PNG; reinstall opencv-python-headless")
    return encoded.tobytes()
