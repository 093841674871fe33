"""Painting of generated pictures: a brush with a random pose, backgrounds, lighting, camera faults.

Everything that touches pixels is OpenCV on uint8 (fixed-point and bit-exact) or NumPy on integers: floating-point
filters differ between processors, and a picture must have the same bytes everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255
Point = tuple[float, float]  # in units of the dish's radius around its centre
Pixels = NDArray[np.uint8]

SUBPIXEL_BITS = 4  # OpenCV's fixed-point coordinates: 1/16 of a pixel
SUBPIXELS = 1 << SUBPIXEL_BITS


class Brush:
    """Draws in the coordinates of one dish: the unit circle around its centre, turned, scaled, mirrored and shifted."""

    def __init__(
        self, canvas: Pixels, random: np.random.Generator, *, centre: tuple[float, float], radius: float, angle: float
    ) -> None:
        """Centre and radius in pixels, angle in radians; a fair coin decides whether the dish is mirrored."""
        self.canvas = canvas
        self.random = random
        self._centre = (centre[0] * SUBPIXELS, centre[1] * SUBPIXELS)
        self._radius = radius
        self._turn = (radius * SUBPIXELS * math.cos(angle), radius * SUBPIXELS * math.sin(angle))
        self._mirror = -1.0 if random.random() < 0.5 else 1.0
        self._shadow = (float(random.uniform(-0.06, 0.06)), float(random.uniform(0.02, 0.09)))

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon.

        Args:
            points: Corners.
            colour: Colour.
        """
        import cv2

        cv2.fillPoly(self.canvas, [self._pixels(points)], colour, cv2.LINE_AA, SUBPIXEL_BITS)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float, closed: bool = False) -> None:
        """Draw a line through the points.

        Args:
            points: Corners.
            colour: Colour.
            width: Width in units of the dish's radius, at least a pixel.
            closed: Whether the line returns to its start.
        """
        import cv2

        thickness = max(1, round(width * self._radius))
        cv2.polylines(self.canvas, [self._pixels(points)], closed, colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def solid(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon with a shadow beneath, a darker edge and a lighter middle.

        Args:
            points: Corners.
            colour: Colour.
        """
        across, down = self._shadow
        self.polygon([(x + across, y + down) for x, y in points], shade(colour, 35))
        self.polygon(points, colour)
        middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
        lit = [(x + 0.35 * (middle[0] - x) - across / 2, y + 0.35 * (middle[1] - y) - down / 2) for x, y in points]
        self.polygon(lit, shade(colour, 112))
        self.stroke(points, shade(colour, 70), 0.02, closed=True)

    def disc(self, at: Point, radius: float, colour: Colour, *, solid: bool = False) -> None:
        """Draw a circle.

        Args:
            at: Centre.
            radius: Radius.
            colour: Colour.
            solid: Whether it has shadow and edge.
        """
        (self.solid if solid else self.polygon)(blob(at, (radius, radius), 0.0, corners=16), colour)

    def specks(self, middle: Point, spread: float, count: int, size: float, colours: Sequence[Colour]) -> None:
        """Draw many small grains of random colour, place and direction.

        Args:
            middle: Centre of the grains.
            spread: Largest distance from it.
            count: Number.
            size: Size of a grain.
            colours: Colours to choose from.
        """
        import cv2

        reach, direction = spread * np.sqrt(self.random.random(count)), 2 * math.pi * self.random.random(count)
        angle = math.pi * self.random.random(count)
        starts = np.stack([middle[0] + reach * np.cos(direction), middle[1] + reach * np.sin(direction)], axis=-1)
        ends = starts + size * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        lines = self._pixels(np.stack([starts, ends], axis=1))
        shades = [shade(colour, percent) for colour in colours for percent in (78, 95, 112)]
        of_shade = self.random.integers(len(shades), size=count)
        thickness = max(1, round(size / 3 * self._radius))
        for number, colour in enumerate(shades):  # one call a shade: grain by grain took half of all drawing time
            cv2.polylines(self.canvas, lines[of_shade == number], False, colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def pick(self, colours: Sequence[Colour]) -> Colour:
        """One of them, each as likely."""
        return colours[int(self.random.integers(len(colours)))]

    def between(self, low: float, high: float) -> float:
        """Return a uniform random number.

        Args:
            low: Lower end.
            high: Upper end.
        """
        return float(self.random.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """Return a uniform random whole number, both ends included.

        Args:
            low: Lower end.
            high: Upper end.
        """
        return int(self.random.integers(low, high + 1))

    def _pixels(self, points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.int32]:
        """Convert points [..., 2] from the dish's units to 1/16 pixels."""
        places = np.asarray(points, np.float64)
        cosine, sine = self._turn
        x, y = self._mirror * places[..., 0], places[..., 1]
        placed = np.empty_like(places)
        placed[..., 0] = x * cosine - y * sine + self._centre[0]
        placed[..., 1] = x * sine + y * cosine + self._centre[1]
        return np.rint(placed).astype(np.int32)


def blob(
    at: Point,
    radii: tuple[float, float],
    angle: float,
    *,
    corners: int = 20,
    wobble: float = 0.0,
    random: np.random.Generator | None = None,
) -> list[Point]:
    """Return the outline of an ellipse with irregular corners.

    Args:
        at: Centre.
        radii: Half axes.
        angle: Rotation in degrees.
        corners: Number of corners.
        wobble: Largest share by which a corner moves in or out.
        random: Generator of the irregularity.
    """
    pushes = random.uniform(1 - wobble, 1 + wobble, corners).tolist() if random is not None else [1.0] * corners
    cosine, sine = math.cos(angle), math.sin(angle)
    points = []
    for corner, push in enumerate(pushes):
        turn = 2 * math.pi * corner / corners
        x, y = push * radii[0] * math.cos(turn), push * radii[1] * math.sin(turn)
        points.append((at[0] + x * cosine - y * sine, at[1] + x * sine + y * cosine))
    return points


def bar(at: Point, length: float, width: float, angle: float) -> list[Point]:
    """Return the outline of a rectangle.

    Args:
        at: Centre.
        length: Length.
        width: Width.
        angle: Rotation in degrees.
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    corners = ((-length, -width), (length, -width), (length, width), (-length, width))
    return [(at[0] + (x * cosine - y * sine) / 2, at[1] + (x * sine + y * cosine) / 2) for x, y in corners]


def shade(colour: Colour, percent: int) -> Colour:
    """Return a darker or lighter colour.

    Args:
        colour: The colour.
        percent: Below 100 darker, above lighter.
    """
    red, green, blue = (min(255, channel * percent // 100) for channel in colour)
    return red, green, blue


def vary(colour: Colour, random: np.random.Generator, by: int) -> Colour:
    """Return a colour near another one.

    Args:
        colour: The colour.
        random: Random generator.
        by: Largest change of a channel.
    """
    red, green, blue = (
        min(255, max(0, channel + move))
        for channel, move in zip(colour, random.integers(-by, by + 1, 3).tolist(), strict=True)
    )
    return red, green, blue


def background(side: int, random: np.random.Generator) -> Pixels:
    """Paint a table: wood, checked cloth, marble or plain, in any muted colour.

    Args:
        side: Side in pixels.
        random: Random generator.
    """
    import cv2

    base = vary(shade((150, 132, 112), int(random.integers(30, 161))), random, 30)
    other = vary(shade(base, int(random.integers(70, 131))), random, 15)
    kind = int(random.integers(4))
    if kind == 0:  # wood: long grains
        grains = random.integers(0, 256, (side, 6), dtype=np.uint8)
        mask = grains if random.random() < 0.5 else grains.T.copy()
    elif kind == 1:  # cloth: checks
        step = int(random.integers(6, 26))
        rows = (np.arange(side) + int(random.integers(step))) // step % 2
        mask = ((rows[:, None] + rows[None, :]) * 127).astype(np.uint8)
    elif kind == 2:  # marble: blotches
        cells = int(random.integers(3, 12))
        mask = random.integers(0, 256, (cells, cells), dtype=np.uint8)
    else:
        mask = np.full((side, side), int(random.integers(256)), np.uint8)
    mask = cv2.resize(mask, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)  # what has that size stays as it is
    weight = mask.astype(np.int32)[..., None]
    mixed = (np.array(base, np.int32) * weight + np.array(other, np.int32) * (255 - weight)) // 255
    return np.asarray(mixed, np.uint8)


def light(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Change the lighting: overall level, tint, and a fall-off from one side to the other.

    Args:
        picture: uint8 [H, W, 3].
        random: Random generator.
    """
    height, width = picture.shape[:2]
    side = max(height, width)
    level = int(random.integers(60, 125))
    tint = random.integers(86, 115, 3, dtype=np.int32)
    slope = random.integers(-40, 41, 2)
    ramp = np.arange(side, dtype=np.int32) * 2 - side
    field = 100 + (ramp[:height, None] * int(slope[0]) + ramp[None, :width] * int(slope[1])) // side
    lit = picture.astype(np.int32) * field[..., None] // 100 * tint * level // 10_000
    shown: Pixels = np.clip(lit, 0, 255).astype(np.uint8)
    return shown


def photograph(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Add the faults of a cheap camera: up to 2 pixels out of focus, sensor noise.

    Args:
        picture: uint8 [H, W, 3].
        random: Random generator.
    """
    import cv2

    focus = (1, 3, 3, 5)[int(random.integers(4))]
    if focus > 1:
        picture = cv2.blur(picture, (focus, focus)).astype(np.uint8)
    strength = int(random.integers(2, 16))
    noise = random.integers(-strength, strength + 1, (2, *picture.shape), dtype=np.int16).sum(axis=0, dtype=np.int16)
    grainy: Pixels = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return grainy
