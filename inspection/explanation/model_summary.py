"""The layers of a network: index, type, shape, parameters, and where a frozen prefix may end."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from inspection.loading.silence_tensorflow import start_tensorflow
from search_spaces.formatting import format_config
from search_spaces.known_names import whole_numbers
from trainables.models.family_registry import family_names

if TYPE_CHECKING:
    from trainables.models.backbones.registry import Backbone
    from trainables.models.parts.built_network import Network

NUMPY_NETWORK = "numpy_network"  # the only model with layers that is not Keras's


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer, and the place it has."""

    index: int | None  # in Keras's model.layers; None for what is put before a backbone and not counted there
    name: str
    kind: str  # its class, with the kernel, units or rate
    shape: tuple[int | None, ...]  # of its output, without the batch
    parameters: int
    reads: tuple[str, ...] = ()  # names of the layers that it reads
    block: int | None = None  # the first of a backbone's blocks, from 0, whose end needs it; None where none does
    ends_block: bool = False
    prefix: int | None = None  # where a frozen prefix may end with it: how many of the backbone's layers it holds


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A network as `layers` shows it."""

    title: str
    layers: tuple[Layer, ...]
    backbone_layers: int = 0  # what frozen_fraction is a fraction of; 0 where nothing can be frozen
    frozen_blocks: int = 0  # of the backbone's, by the arm's own configuration

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    def fraction(self, prefix: int) -> float:
        """Return the frozen_fraction that freezes so many layers."""
        return prefix / self.backbone_layers


def has_layers(model: str) -> bool:
    """Whether `of_arm` can list it. Imports no framework."""
    return model == NUMPY_NETWORK or model in family_names()


def of_backbone(name: str, image_size: int | None = None) -> Listing:
    """List the layers of a backbone without its top.

    Args:
        name: A name of the catalogue.
        image_size: Side in pixels; None takes the size it was trained at.

    Raises:
        Fatal: The name is unknown.
        ValueError: The image is too small.
    """
    start_tensorflow()
    from trainables.models.backbones import builder
    from trainables.models.families.fine_tuned import freezable_blocks
    from trainables.models.parts.built_network import Network

    backbone = builder.find(name)
    side = image_size or backbone.image_size
    body = builder.build(backbone, (side, side, 3), weights="random")
    blocks = freezable_blocks(backbone, body, body.output)
    network = Network(model=body, blocks=blocks, layers=backbone.layers)
    return _listing(network, f"{backbone.name} without its top, {side} px", backbone)


def of_arm(title: str, model: str, config: Mapping[str, Any], image_size: int, num_classes: int) -> Listing:
    """List the layers of the network that a trial of this configuration trains, with random weights.

    Args:
        title: First line of the listing; the settings that shape the network follow it.
        model: Name of the model family.
        config: The configuration.
        image_size: Side in pixels.
        num_classes: Number of classes.

    Raises:
        Fatal: The network cannot be built.
        ValueError: The image is too small.
    """
    ends = f"{image_size} px, {num_classes} {'class' if num_classes == 1 else 'classes'}"
    if model == NUMPY_NETWORK:
        layers = _dense_layers(config, image_size, num_classes)
        return Listing(title=f"{title}: hidden_layers {config['hidden_layers']}, {ends}", layers=layers)
    start_tensorflow()
    from trainables.models.backbones import builder
    from trainables.models.family_registry import model_family
    from trainables.models.parts.built_network import BuildSpec, frozen_blocks

    family = model_family(model)
    structure = {name: config[name] for name in family.STRUCTURE if name in config}
    weights = "random" if "backbone" in config else None
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # of the training images; they shape nothing
    network = family.build(BuildSpec(structure, (image_size, image_size, 3), num_classes, mean, std, weights))
    where = ": ".join([title, ", ".join(filter(None, [format_config(structure), ends]))])
    listing = _listing(network, where, builder.find(config["backbone"]) if "backbone" in config else None)
    return replace(listing, frozen_blocks=frozen_blocks(network, config) if network.blocks else 0)


def layers_text(listing: Listing) -> str:
    """Return the listing as a table with an explanation of its columns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    freezes = listing.backbone_layers > 0
    for heading in ("Index", "Layer", "Type", "Output shape", "Parameters", *["Freeze to here"] * freezes):
        table.add_column(heading, justify="right" if heading in ("Index", "Parameters") else "left", no_wrap=True)
    for layer in listing.layers:
        index = "" if layer.index is None else f"{layer.index}"
        cells = [index, layer.name, layer.kind, shape_text(layer.shape), f"{layer.parameters:,}"]
        if freezes and layer.prefix is not None:
            cells.append(f"frozen_layers={layer.prefix} ({listing.fraction(layer.prefix):.3f})")
        table.add_row(*cells)
    printed = io.StringIO()
    Console(file=printed, width=200, no_color=True).print(table)
    notes = [f"{len(listing.layers)} layers, {listing.parameters:,} parameters."]
    if listing.frozen_blocks:
        frozen = [layer for layer in listing.layers if layer.block is not None and layer.block < listing.frozen_blocks]
        last = next(layer.name for layer in reversed(frozen) if layer.prefix is not None)
        learns = listing.parameters - sum(layer.parameters for layer in frozen)
        notes.append(f"As this arm is configured, what comes after {last} learns: {learns:,} parameters.")
    if freezes:
        notes += [
            f"Freeze to here: --set frozen_layers=N, of {listing.backbone_layers}, or frozen_fraction (in brackets).",
            "N is the index of the first layer that learns; what is asked for snaps to the nearest of these places.",
        ]
    if any(layer.index is None for layer in listing.layers):
        notes.append("Without an index: put before the backbone here, not counted by keras.applications.")
    return "\n".join([listing.title, *(line.rstrip() for line in printed.getvalue().splitlines()), *notes])


def shape_text(shape: Sequence[int | None]) -> str:
    """32 x 32 x 64, whatever stands for an open side."""
    return " x ".join("?" if side is None else str(side) for side in shape)


def _listing(network: Network, title: str, backbone: Backbone | None) -> Listing:
    from inspection.explanation.feature_map_layers import block_ends
    from trainables.models.parts.model_graph import Graph

    graph = Graph(network.model)
    calls = {call.operation: call for call in graph.before([graph.output]).calls}
    ends = {block.end._keras_history.operation: block.layers for block in network.blocks}
    tensors = [block.end for block in network.blocks]
    if backbone is not None and not tensors:  # as it comes: nothing of it can be frozen, and still it has blocks
        tensors = [network.model.get_layer(name).output for name in block_ends(network.model).values()]
    prefixes = [set(graph.before([tensor]).layers) for tensor in tensors]
    ending = {tensor._keras_history.operation for tensor in tensors}
    layers = []
    for layer, index in zip(network.model.layers, _indices(network.model.layers, backbone), strict=True):
        call = calls.get(layer)  # the input is not called
        output = network.model.inputs[0] if call is None else call.outputs[0]
        layers.append(
            Layer(
                index=index,
                name=layer.name,
                kind=_kind(layer),
                shape=tuple(output.shape[1:]),
                parameters=int(layer.count_params()),
                reads=tuple(tensor._keras_history.operation.name for tensor in call.input_tensors) if call else (),
                block=next((number for number, held in enumerate(prefixes) if layer in held), None),
                ends_block=layer in ending,
                prefix=ends.get(layer),
            )
        )
    return Listing(title=title, layers=tuple(layers), backbone_layers=network.layers if network.blocks else 0)


def _indices(layers: Sequence[Any], backbone: Backbone | None) -> list[int | None]:
    """Return layer numbers as in keras.applications, then as in model.layers for the head."""
    import keras

    from trainables.models.backbones.builder import OWN_LAYERS

    indices: list[int | None] = []
    index = 0
    for layer in layers:
        if backbone is not None and layer.name in OWN_LAYERS:
            indices.append(None)
            continue
        indices.append(index)
        index += 1
        if backbone is not None and backbone.family == "EfficientNet" and isinstance(layer, keras.layers.Normalization):
            index += 1  # weights="imagenet" has one Rescaling more there, see backbones._square_variance
    return indices


def _kind(layer: Any) -> str:
    kind = type(layer).__name__
    kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if kernel is not None:
        stride = max(layer.strides)
        return f"{kind} {'x'.join(map(str, kernel))}" + (f" /{stride}" if stride > 1 else "")
    if hasattr(layer, "units"):
        return f"{kind} {layer.units}"
    return f"{kind} {layer.rate:g}" if hasattr(layer, "rate") else kind


def _dense_layers(config: Mapping[str, Any], image_size: int, num_classes: int) -> tuple[Layer, ...]:
    sizes = (image_size**2, *whole_numbers("hidden_layers", config["hidden_layers"]), num_classes)
    layers = [Layer(index=0, name="pixels", kind="grey, standardised", shape=(sizes[0],), parameters=0)]
    for number, units in enumerate(sizes[1:], start=1):
        last = number == len(sizes) - 1
        layers.append(
            Layer(
                index=number,
                name="probabilities" if last else f"hidden_{number}",
                kind=f"Dense {units}, {'softmax' if last else 'ReLU'}",
                shape=(units,),
                parameters=(sizes[number - 1] + 1) * units,
                reads=(layers[-1].name,),
            )
        )
    return tuple(layers)
