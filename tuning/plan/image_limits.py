"""Values of parameters that need larger images than an arm has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from errors import arg
from search_spaces.parameters import CategoricalParameter
from search_spaces.space import Space
from trainables.models.backbones import registry
from tuning.plan.settings import UsageError

# By parameter: the smallest side in pixels at which one of its values works.
SMALLEST_SIDE: Mapping[str, Callable[[Any], int]] = {
    "backbone": lambda name: registry.find(name).minimum_side,
    "conv_blocks": lambda blocks: 2 ** int(blocks),  # every block of small_resnet halves the side
    "pooled_side": int,
}


def drop_values_for_larger_images(arm: str, space: Space, image_size: int) -> Space:
    """Return the space without the values that cannot work at this image size.

    Args:
        arm: Name of the arm, for the error message.
        space: The arm's space.
        image_size: Side of the arm's images in pixels.

    Raises:
        UsageError: No value of a parameter works.
    """
    for name, smallest_side in SMALLEST_SIDE.items():
        sides = {value: smallest_side(value) for value in space.choices(name)}
        possible = tuple(value for value, side in sides.items() if side <= image_size)
        if sides and not possible:
            least = min(sides, key=lambda value: sides[value])
            raise UsageError(
                f"{arm} sees {image_size} pixels, but {name} {least} needs at least {sides[least]}",
                remedy=f"give larger images with {arg.image_size}",
            )
        if len(possible) < len(sides):
            parameter = space.parameter(name)
            if isinstance(parameter, CategoricalParameter):
                space = space.with_parameter(replace(parameter, values=possible))
    return space
