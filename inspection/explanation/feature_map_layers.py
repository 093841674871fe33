"""The blocks of a convolutional network, found in the network alone: where its feature maps are worth a look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inspection.loading.best_model import InspectionError

if TYPE_CHECKING:
    import keras

# How the networks that are trained from scratch name their layers; those of the backbones stand with them.
OWN_BLOCKS = r"(stem|end|block\d+|stage\d+_(unit\d+|inception\d+|down)|inception\d+[a-z])_"
HEAT_MAPS = 4  # by default: the last block of so many sizes of maps


def maps_layers(network: keras.Model) -> dict[str, tuple[int, int]]:
    """Layers that put out feature maps [B, h, w, C] after the first convolution, by name: (h, w), input to output."""
    found: dict[str, tuple[int, int]] = {}
    convolved: set[int] = set()  # tensors that a convolution has had a part in
    for layer in network.layers:
        outputs = layer.output if isinstance(layer.output, list) else [layer.output]
        inputs = getattr(layer, "input", None) if layer._inbound_nodes else None
        before = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if "Conv" not in type(layer).__name__ and not any(id(tensor) in convolved for tensor in before):
            continue
        convolved.update(map(id, outputs))
        shape = outputs[0].shape
        if len(outputs) == 1 and len(shape) == 4 and None not in shape[1:3]:
            found[layer.name] = (int(shape[1]), int(shape[2]))
    return found


def block_ends(network: keras.Model) -> dict[str, str]:
    """Return the last layer of every block by the block's name, from input to output.

    Blocks follow the layers' names ("block3_...", "conv2_block1_...", "mixed7"), by the naming scheme that fits the
    most layers. Without such names a block is a convolution with all layers up to the next one. A sum that only
    continues a block belongs to it.

    Raises:
        InspectionError: No layer has feature maps.
    """
    # Imports Keras, which inspection.loading.silence_tensorflow does silently before.
    from trainables.models.backbones.freeze_points import BLOCKS

    maps = maps_layers(network)
    if not maps:
        raise InspectionError(f"{network.name} has no convolution: there are no feature maps to look at")
    patterns = [OWN_BLOCKS, *(pattern for pattern, _ in BLOCKS.values())]
    by_name = [_by_name(pattern, maps) for pattern in patterns]
    named = max(by_name, key=lambda blocks: (sum(map(len, blocks.values())), len(blocks)))
    ends = {block: layers[-1] for block, layers in named.items()} if named else _by_convolution(network, maps)
    return {block: _continued(network, end, maps) for block, end in ends.items()}


def default_layers(network: keras.Model) -> list[str]:
    """Return the default layers of heat maps: the last block of each map size, the coarsest first.

    The last block is the choice of Selvaraju et al. (2017); finer ones show its parts. Maps of one pixel are left out.
    """
    maps = maps_layers(network)
    last: dict[tuple[int, int], str] = {}
    for end in block_ends(network).values():
        last[maps[end]] = end
    several = [end for size, end in last.items() if max(size) > 1]
    return several[::-1][:HEAT_MAPS]


def check_layers(network: keras.Model, names: list[str]) -> list[str]:
    """Return the names if all have feature maps.

    Args:
        network: The network.
        names: Names of layers.

    Raises:
        InspectionError: A layer has no feature maps; the message has the nearest match.
    """
    import difflib

    maps = maps_layers(network)
    for name in names:
        if name not in maps:
            nearest = difflib.get_close_matches(name, maps, n=1, cutoff=0.5)
            hint = f"; did you mean {nearest[0]}?" if nearest else "."
            raise InspectionError(
                f"{network.name} has no feature maps named {name!r}{hint} Its blocks end in "
                + ", ".join(block_ends(network).values()),
                argument="layers",
            )
    return names


def _by_name(pattern: str, maps: dict[str, tuple[int, int]]) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = {}
    for name in maps:
        if match := re.match(pattern, name):
            blocks.setdefault(match.group().rstrip("_"), []).append(name)
    return blocks if len(blocks) > 1 else {}  # one name for all of them tells nothing apart


def _by_convolution(network: keras.Model, maps: dict[str, tuple[int, int]]) -> dict[str, str]:
    ends: dict[str, str] = {}
    block = ""
    for name, size in maps.items():
        if "Conv" in type(network.get_layer(name)).__name__:
            block = name
        elif maps.get(ends.get(block, ""), size) != size:
            continue  # a pooling begins the next block
        ends[block] = name
    ends.pop("", None)
    return ends


def _continued(network: keras.Model, end: str, maps: dict[str, tuple[int, int]]) -> str:
    """Return the sum that is the only consumer of the block, if there is one (Xception's sums have Keras's names)."""
    while True:
        readers = [node.operation.name for node in network.get_layer(end)._outbound_nodes]
        if len(readers) != 1 or not re.fullmatch(r"add(_\d+)?", readers[0]) or readers[0] not in maps:
            return end
        end = readers[0]
