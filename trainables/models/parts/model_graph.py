"""A Keras network as its calls in order: to be run whole, up to a cut, or from a cut on.

Keras can make models of a part too, but calls every layer of it once more to do so, and offers no way to say how a
layer is to be called. Here a part is a list of the calls that the network is made of anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

Call = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]  # layer, arguments, keywords -> its output


@dataclass(frozen=True)
class Part:
    """Some calls of a network in an order in which they can be made."""

    calls: tuple[Any, ...]  # Keras's nodes
    inputs: tuple[Any, ...]  # symbolic tensors that go in
    outputs: tuple[Any, ...]  # symbolic tensors that come out

    @cached_property
    def layers(self) -> tuple[Any, ...]:
        """Every layer called, once, in order."""
        return tuple(dict.fromkeys(call.operation for call in self.calls))

    def run(self, inputs: Sequence[Any], call: Call) -> list[Any]:
        """Return the outputs for these inputs.

        Args:
            inputs: One for each input of the part.
            call: Calls a layer.
        """
        values = {id(tensor): value for tensor, value in zip(self.inputs, inputs, strict=True)}
        for node in self.calls:
            arguments, keywords = node.arguments.fill_in(values)
            result = call(node.operation, arguments, keywords)
            for tensor, value in zip(node.outputs, keras.tree.flatten(result), strict=True):
                values[id(tensor)] = value
        return [values[id(tensor)] for tensor in self.outputs]


class Graph:
    """The calls of a functional model with one input."""

    def __init__(self, model: keras.Model) -> None:
        self.input = model.inputs[0]
        self.output = model.outputs[0]
        by_depth = model._nodes_by_depth  # Keras's own order of execution; there is no public way to it
        self._calls = tuple(
            node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth] if not node.is_input
        )
        self._maker = {id(tensor): node for node in self._calls for tensor in node.outputs}

    @property
    def logits(self) -> Any:
        """Input of the softmax at the end, or the output where there is none.

        Cross-entropy on logits is exact: log(softmax(x)) clips everything below 1e-7.
        """
        last = self._maker[id(self.output)]
        return last.input_tensors[0] if isinstance(last.operation, keras.layers.Softmax) else self.output

    def before(self, ends: Iterable[Any]) -> Part:
        """Everything that these tensors depend on, from the input on; they are its outputs."""
        ends = tuple(ends)
        needed = self._ancestors(ends)
        return Part(tuple(node for node in self._calls if id(node) in needed), (self.input,), ends)

    def after(self, end: Any | None, output: Any) -> Part:
        """Return the part that computes `output` from the tensors that cross the cut.

        Args:
            end: Symbolic tensor at the cut; None cuts before the first layer.
            output: Symbolic output.
        """
        frozen = self._ancestors(()) if end is None else self._ancestors((end,))
        needed = self._ancestors((output,)) - frozen
        calls = tuple(node for node in self._calls if id(node) in needed)
        made = {id(tensor) for node in calls for tensor in node.outputs}
        wanted = [tensor for node in calls for tensor in node.input_tensors if id(tensor) not in made]
        return Part(calls, tuple({id(tensor): tensor for tensor in wanted}.values()), (output,))

    def _ancestors(self, ends: Iterable[Any]) -> set[int]:
        """Ids of the calls that make these tensors."""
        found: set[int] = set()
        waiting = [self._maker[id(end)] for end in ends if id(end) in self._maker]
        while waiting:
            node = waiting.pop()
            if id(node) not in found:
                found.add(id(node))
                waiting += [self._maker[id(tensor)] for tensor in node.input_tensors if id(tensor) in self._maker]
        return found

    def layers_before(self, end: Any) -> int:
        """Return how many layers `end` depends on, its own and the input included."""
        return len(self._ancestors((end,))) + 1


def multiply_adds(part: Part) -> int:
    """Multiplications of one image's way through the convolutions and dense layers of a part.

    All else is smaller by orders of magnitude.
    """
    total = 0
    for node in part.calls:
        layer = node.operation
        kernels = [
            weight
            for name in ("kernel", "depthwise_kernel", "pointwise_kernel")
            if (weight := getattr(layer, name, None)) is not None
        ]
        places = math.prod(int(side) for side in node.outputs[0].shape[1:-1])  # 1 for a dense layer
        total += sum(places * math.prod(int(side) for side in kernel.shape) for kernel in kernels)
    return total
