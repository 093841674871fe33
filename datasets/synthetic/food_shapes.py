"""Dishes for datasets/synthetic/generated_images.py.

Arrangement, outline and texture tell them apart; they share their colours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from datasets.synthetic.canvas import Brush, Colour, Point, bar, blob, shade, vary

CREAM: Colour = (238, 228, 205)
GOLD: Colour = (214, 160, 76)
CRUST: Colour = (160, 98, 46)
COCOA: Colour = (74, 46, 34)
RED: Colour = (186, 44, 46)
PINK: Colour = (202, 106, 104)
GREEN: Colour = (78, 128, 54)
YELLOW: Colour = (236, 196, 70)
ORANGE: Colour = (222, 122, 42)
WHITE: Colour = (240, 238, 232)

POOL: Sequence[Colour] = (CREAM, GOLD, CRUST, COCOA, RED, PINK, YELLOW, ORANGE)
OWN_COLOUR = 0.8  # how often a dish has its usual colour; else any of the pool, so that colour alone decides nothing


def _colour(brush: Brush, usual: Colour) -> Colour:
    chosen = usual if brush.random.random() < OWN_COLOUR else brush.pick(POOL)
    return vary(chosen, brush.random, 28)


def _around(brush: Brush, reach: float) -> Point:
    """Return a random place within `reach` of the centre."""
    distance, direction = reach * math.sqrt(brush.between(0, 1)), brush.between(0, 2 * math.pi)
    return distance * math.cos(direction), distance * math.sin(direction)


def leaf(brush: Brush, at: Point, length: float, colour: Colour) -> None:
    """Draw a pointed leaf with a rib, the garnish of any dish.

    Args:
        brush: The brush.
        at: Base of the leaf.
        length: Length.
        colour: Colour.
    """
    angle = brush.between(0, 2 * math.pi)
    outline = blob(at, (length, length * 0.4), angle, corners=8)
    brush.polygon(outline, colour)
    brush.stroke([outline[0], outline[4]], shade(colour, 130), 0.02)


def beef_carpaccio(brush: Brush) -> None:
    """Draw thin slices fanned around the plate, streaked with fat, leaves in the middle."""
    colour, slices = _colour(brush, RED), brush.count(6, 10)
    for slice_number in range(slices):
        turn = 2 * math.pi * slice_number / slices
        at = (0.52 * math.cos(turn), 0.52 * math.sin(turn))
        brush.solid(blob(at, (0.42, 0.3), turn, wobble=0.12, random=brush.random), vary(colour, brush.random, 14))
        for _ in range(brush.count(3, 5)):
            start = (at[0] + brush.between(-0.2, 0.2), at[1] + brush.between(-0.2, 0.2))
            bend = (start[0] + brush.between(-0.2, 0.2), start[1] + brush.between(-0.2, 0.2))
            brush.stroke([start, bend, (bend[0] + brush.between(-0.15, 0.15), bend[1] + 0.1)], shade(colour, 165), 0.03)
    for _ in range(brush.count(3, 8)):
        leaf(brush, _around(brush, 0.3), 0.2, vary(GREEN, brush.random, 25))


def bibimbap(brush: Brush) -> None:
    """Draw a bowl in sectors, each of another ingredient, with an egg in the middle."""
    brush.disc((0, 0), 1.0, vary(brush.pick((COCOA, CREAM, CRUST)), brush.random, 20), solid=True)
    sectors, start = brush.count(4, 7), brush.between(0, 2 * math.pi)
    for sector in range(sectors):
        colour = vary(brush.pick((*POOL, GREEN, WHITE)), brush.random, 25)
        turns = [start + 2 * math.pi * (sector + part / 4) / sectors for part in range(5)]
        brush.polygon([(0, 0), *((0.86 * math.cos(turn), 0.86 * math.sin(turn)) for turn in turns)], colour)
        middle = (0.55 * math.cos(turns[2]), 0.55 * math.sin(turns[2]))
        brush.specks(middle, 0.26, 16, 0.16, [shade(colour, 75), shade(colour, 125)])
    brush.solid(blob((0, 0), (0.36, 0.32), 0, wobble=0.15, random=brush.random), vary(WHITE, brush.random, 15))
    brush.disc(_around(brush, 0.08), 0.17, vary(_colour(brush, YELLOW), brush.random, 12), solid=True)


def cheese_plate(brush: Brush) -> None:
    """Draw wedges with holes, cubes, a bunch of grapes."""
    for wedge in range(brush.count(2, 4)):
        colour, turn = _colour(brush, YELLOW), wedge * 1.9 + brush.between(-0.4, 0.4)
        at = (0.45 * math.cos(turn), 0.45 * math.sin(turn))
        tip, size = brush.between(0, 2 * math.pi), brush.between(0.45, 0.65)
        corners = [(at[0] + size * math.cos(tip + bend), at[1] + size * math.sin(tip + bend)) for bend in (0, 2.2, 4.1)]
        brush.solid(corners, colour)
        for _ in range(brush.count(3, 6)):
            near = brush.between(0, 0.55)
            corner = corners[brush.count(0, 2)]
            hole = (at[0] + near * (corner[0] - at[0]), at[1] + near * (corner[1] - at[1]))
            brush.disc(hole, brush.between(0.03, 0.08), shade(colour, 62))
    middle, colour = _around(brush, 0.6), vary(brush.pick((GREEN, RED, COCOA)), brush.random, 25)
    for _ in range(brush.count(5, 9)):
        offset = _around(brush, 0.24)
        brush.disc((middle[0] + offset[0], middle[1] + offset[1]), 0.1, colour, solid=True)
    for _ in range(brush.count(1, 4)):
        brush.solid(bar(_around(brush, 0.7), 0.22, 0.22, brush.between(0, 1.5)), _colour(brush, CREAM))


def _layers(brush: Brush, left: float, right: float, colours: Sequence[Colour], lean: float) -> None:
    """Draw a slice of cake from the side, layer upon layer, leaning to one side."""
    height = 1.1 / len(colours)
    for layer, colour in enumerate(colours):
        low, high = 0.6 - layer * height, 0.6 - (layer + 1) * height
        edges = [(left + lean * (0.6 - low), low), (right + lean * (0.6 - low), low)]
        top = [(right + lean * (0.6 - high), high), (left + lean * (0.6 - high), high)]
        brush.polygon([*edges, *top], colour)
        brush.specks(
            ((left + right) / 2 + lean * layer * height, (low + high) / 2), height / 2, 6, 0.05, [shade(colour, 80)]
        )


def chocolate_cake(brush: Brush) -> None:
    """Draw a slice from the side: thick layers, thin filling, icing, a berry on top."""
    cake, filling = _colour(brush, COCOA), _colour(brush, CREAM)
    width, lean = brush.between(0.5, 0.8), brush.between(-0.3, 0.3)
    _layers(brush, -width, width, [cake, cake, filling, cake, cake, filling, cake, cake][: brush.count(5, 8)], lean)
    icing, drips = shade(_colour(brush, COCOA), 85), brush.count(4, 7)
    shift = 1.1 * lean
    brush.solid(bar((shift, -0.52), 2 * width + 0.1, 0.22, 0), icing)
    for drip in range(drips):
        x = shift - width + 2 * width * (drip + 0.5) / drips
        brush.stroke([(x, -0.45), (x, brush.between(-0.38, 0.05))], icing, 0.1)
    brush.disc((shift + brush.between(-0.4, 0.4), -0.72), 0.14, _colour(brush, RED), solid=True)


def churros(brush: Brush) -> None:
    """Draw long ridged sticks side by side, sugar on them, a cup to dip them into."""
    colour, sticks = _colour(brush, GOLD), brush.count(3, 6)
    for stick in range(sticks):
        across = (stick - (sticks - 1) / 2) * 0.3
        angle, length = brush.between(-0.15, 0.15), brush.between(1.3, 1.9)
        middle = (brush.between(-0.15, 0.15), across)
        shown = vary(colour, brush.random, 14)
        brush.solid(blob(middle, (length / 2, 0.13), angle, corners=14), shown)
        for ridge in (-0.07, -0.02, 0.03, 0.08):
            line = bar((middle[0], middle[1] + ridge), length * 0.86, 0, angle)
            brush.stroke(line[:2], shade(shown, 68), 0.02)
        brush.specks(middle, 0.1, 5, 0.04, [WHITE])
    if brush.random.random() < 0.5:
        at = (brush.between(-0.6, 0.6), (0.8 if brush.random.random() < 0.5 else -0.8))
        brush.disc(at, 0.32, vary(WHITE, brush.random, 20), solid=True)
        brush.disc(at, 0.24, _colour(brush, COCOA))


def dumplings(brush: Brush) -> None:
    """Half-moons with pleats along the round edge, laid out in a ring or a heap."""
    colour, pieces = _colour(brush, CREAM), brush.count(4, 7)
    for piece in range(pieces):
        turn = 2 * math.pi * piece / pieces + brush.between(-0.2, 0.2)
        at = (0.58 * math.cos(turn), 0.58 * math.sin(turn))
        facing = turn + brush.between(-0.5, 0.5)
        arc = [facing - 1.7 + 3.4 * step / 12 for step in range(13)]
        outline = [(at[0] + 0.38 * math.cos(bend), at[1] + 0.38 * math.sin(bend)) for bend in arc]
        shown = vary(colour, brush.random, 12)
        brush.solid(outline, shown)
        for bend in arc[1:-1]:
            inner = (at[0] + 0.25 * math.cos(bend), at[1] + 0.25 * math.sin(bend))
            outer = (at[0] + 0.37 * math.cos(bend + 0.06), at[1] + 0.37 * math.sin(bend + 0.06))
            brush.stroke([inner, outer], shade(shown, 66), 0.025)
    brush.disc(_around(brush, 0.15), 0.2, _colour(brush, COCOA), solid=True)


def fish_and_chips(brush: Brush) -> None:
    """Draw a heap of straight chips with a crumbed fillet across it."""
    colour = _colour(brush, YELLOW)
    for _ in range(brush.count(12, 20)):
        brush.solid(
            bar(_around(brush, 0.8), brush.between(0.5, 0.8), 0.12, brush.between(0, math.pi)),
            vary(colour, brush.random, 16),
        )
    crumb, at, angle = _colour(brush, CRUST), _around(brush, 0.3), brush.between(0, math.pi)
    brush.solid(blob(at, (0.75, 0.27), angle, wobble=0.1, random=brush.random), crumb)
    brush.specks(at, 0.26, 40, 0.05, [shade(crumb, 70), shade(crumb, 135)])
    brush.solid(blob(_around(brush, 0.8), (0.2, 0.12), angle, corners=8), _colour(brush, YELLOW))


def french_toast(brush: Brush) -> None:
    """Draw slices of bread with a crust, overlapping, syrup running over them, a pat of butter."""
    crumb = _colour(brush, GOLD)
    slices = brush.count(2, 3)
    for slice_number in range(slices):
        at = ((slice_number - (slices - 1) / 2) * 0.5 + brush.between(-0.1, 0.1), brush.between(-0.25, 0.25))
        angle, shown = brush.between(-0.4, 0.4), vary(crumb, brush.random, 12)
        corners = bar(at, 1.0, 0.95, angle)
        softened = [
            (x + 0.13 * (at[0] - x) * cut, y + 0.13 * (at[1] - y) * (1 - cut)) for x, y in corners for cut in (0, 1)
        ]
        brush.solid(softened, shown)
        brush.stroke(softened, shade(shown, 62), 0.09, closed=True)
        brush.specks(at, 0.36, 28, 0.05, [shade(shown, 80), shade(shown, 118)])
    syrup = shade(_colour(brush, CRUST), 75)
    brush.polygon(blob(_around(brush, 0.25), (0.4, 0.28), 0.3, wobble=0.35, random=brush.random), syrup)
    brush.solid(bar(_around(brush, 0.2), 0.26, 0.24, brush.between(0, 1.5)), vary(YELLOW, brush.random, 30))


def fried_rice(brush: Brush) -> None:
    """Draw a mound of grains with diced vegetables."""
    grain = _colour(brush, CREAM)
    brush.solid(blob((0, 0), (0.9, 0.8), 0, wobble=0.08, random=brush.random), shade(grain, 70))
    brush.specks((0, 0), 0.85, 230, 0.11, [grain, shade(grain, 88), shade(grain, 112)])
    for _ in range(brush.count(14, 26)):
        size = brush.between(0.08, 0.14)
        colour = vary(brush.pick((GREEN, ORANGE, PINK, YELLOW, RED)), brush.random, 25)
        brush.polygon(bar(_around(brush, 0.78), size, size, brush.between(0, 1.5)), colour)


def strawberry_shortcake(brush: Brush) -> None:
    """Draw two biscuits with cream between and on top, seeded heart-shaped berries over and beside them."""
    biscuit, cream, width = _colour(brush, GOLD), _colour(brush, WHITE), brush.between(0.6, 0.85)
    for height in (0.45, -0.05):
        brush.solid(blob((0, height), (width, 0.2), 0, wobble=0.08, random=brush.random), biscuit)
        for puff in range(5):
            x = (puff - 2) * width * 0.36
            brush.disc((x, height - 0.2 + brush.between(-0.04, 0.04)), 0.17, vary(cream, brush.random, 8), solid=True)
    berry = _colour(brush, RED)
    for number in range(brush.count(3, 5)):
        at = ((number - 2) * 0.36 + brush.between(-0.08, 0.08), brush.between(-0.6, -0.3) if number else 0.75)
        heart = [(0.0, 0.24), (-0.19, -0.02), (-0.14, -0.15), (0.0, -0.1), (0.14, -0.15), (0.19, -0.02)]
        brush.solid([(at[0] + x, at[1] + y) for x, y in heart], vary(berry, brush.random, 12))
        for x, y in ((-0.07, -0.04), (0.07, -0.04), (0.0, 0.05), (-0.03, 0.13), (0.05, 0.11)):
            brush.disc((at[0] + x, at[1] + y), 0.02, shade(YELLOW, 105))
        leaf(brush, (at[0], at[1] - 0.15), 0.1, vary(GREEN, brush.random, 25))


def donuts(brush: Brush) -> None:
    """Draw two to four rings, iced, sprinkles on them."""
    pieces = brush.count(2, 4)
    for piece in range(pieces):
        turn = 2 * math.pi * piece / pieces + brush.between(-0.3, 0.3)
        at = (0.48 * math.cos(turn), 0.48 * math.sin(turn))
        dough, icing = _colour(brush, GOLD), _colour(brush, PINK)
        brush.disc(at, 0.42, dough, solid=True)
        brush.disc(at, 0.35, icing)
        brush.specks(at, 0.3, 14, 0.05, [WHITE, YELLOW, GREEN])
        brush.disc(at, 0.13, shade(dough, 60))


def pizza(brush: Brush) -> None:
    """Draw a round base with a rim, cut into slices, with round and leafy toppings."""
    brush.disc((0, 0), 0.95, _colour(brush, GOLD), solid=True)
    brush.disc((0, 0), 0.8, _colour(brush, RED))
    brush.specks((0, 0), 0.75, 60, 0.14, [CREAM, YELLOW])
    for _ in range(brush.count(6, 11)):
        brush.disc(_around(brush, 0.65), brush.between(0.09, 0.14), vary(RED, brush.random, 25), solid=True)
    for _ in range(brush.count(2, 5)):
        leaf(brush, _around(brush, 0.6), 0.16, vary(GREEN, brush.random, 25))
    cuts, first = brush.count(3, 4), brush.between(0, math.pi)
    for cut in range(cuts):
        line = bar((0, 0), 1.9, 0, first + math.pi * cut / cuts)
        brush.stroke(line[:2], shade(COCOA, 80), 0.03)


def ravioli(brush: Brush) -> None:
    """Draw square pillows with a pressed rim, sauce under them."""
    brush.polygon(blob((0, 0), (0.85, 0.7), 0, wobble=0.2, random=brush.random), _colour(brush, RED))
    dough = _colour(brush, CREAM)
    for _ in range(brush.count(5, 8)):
        at, angle, shown = _around(brush, 0.6), brush.between(0, math.pi / 2), vary(dough, brush.random, 12)
        square = bar(at, 0.48, 0.48, angle)
        brush.solid(square, shown)
        brush.stroke(square, shade(shown, 70), 0.03, closed=True)
        brush.disc(at, 0.13, shade(shown, 112), solid=True)


def sushi(brush: Brush) -> None:
    """Draw rolls from above in rows: a dark rim, rice, a filling."""
    rim, rice = _colour(brush, COCOA), _colour(brush, WHITE)
    columns, rows = brush.count(2, 3), 2
    for column in range(columns):
        for row in range(rows):
            at = ((column - (columns - 1) / 2) * 0.58, (row - 0.5) * 0.62 + brush.between(-0.05, 0.05))
            brush.disc(at, 0.27, rim, solid=True)
            brush.disc(at, 0.22, vary(rice, brush.random, 10))
            brush.specks(at, 0.19, 16, 0.04, [shade(rice, 88)])
            filling = vary(brush.pick((ORANGE, GREEN, RED, YELLOW)), brush.random, 20)
            brush.polygon(blob(at, (0.1, 0.07), brush.between(0, math.pi), corners=7), filling)


# fmt: off
_ALL = (
    beef_carpaccio, bibimbap, cheese_plate, chocolate_cake, churros, dumplings, fish_and_chips, french_toast,
    fried_rice, strawberry_shortcake, donuts, pizza, ravioli, sushi,
)
# fmt: on
DISHES: Mapping[str, Callable[[Brush], None]] = {dish.__name__: dish for dish in _ALL}
