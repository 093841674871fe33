"""Built and traced networks, kept warm from one trial of a worker to the next."""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import pkgutil
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from errors import unknown_name
from trainables import devices, targets
from trainables import models as model_families
from trainables.compiled import Gradients, Prediction, Prefix, Update
from trainables.graph import Graph, Part, multiply_adds
from trainables.initial_state import InitialState
from trainables.learner import Assignment, Fatal
from trainables.models.network import Network
from trainables.optimizers import Kind
from trainables.targets import TargetKind

PREFIX_BATCH = 32  # images a pass of the frozen prefix takes at a time


class WarmNetwork:
    """One built network, with every graph that was ever traced on it. One trial at a time uses it."""

    def __init__(self, network: Network, target: TargetKind = targets.CLASSES) -> None:
        """Raises ValueError (one line) for a network that cannot answer what is asked."""
        target.check(int(network.model.outputs[0].shape[-1]))
        self.network = network
        self._target = target
        self.graph = Graph(network.model)
        self.initial_state = InitialState(network)
        self._rate = tf.Variable(0.0, trainable=False)
        self._class_weights = tf.Variable(tf.ones(network.model.outputs[0].shape[-1]), trainable=False)
        self._gradients: dict[tuple[int, int, bool, bool], Gradients] = {}
        self._updates: dict[tuple[int, Kind], Update] = {}
        self._predictions: dict[int, Prediction] = {}
        self._prefixes: dict[tuple[int, ...], Prefix] = {}
        self._tails: dict[int, Part] = {}
        self._identities: dict[int, str | None] = {}
        self._multiply_adds: dict[int, int] = {}

    def end(self, cut: int) -> Any | None:
        """The symbolic tensor in which a prefix of that many frozen blocks ends; None where nothing is frozen."""
        return self.network.blocks[cut - 1].end if cut else None

    def gradients(self, cut: int, batch_size: int, *, from_images: bool, dropout: bool) -> Gradients:
        """The forward and backward graph of what learns after that cut."""
        key = (cut, batch_size, from_images and cut > 0, dropout)
        if key not in self._gradients:
            self._gradients[key] = Gradients(
                self.network,
                self.end(cut),
                batch_size=batch_size,
                from_images=from_images,
                rate=self._rate if dropout else None,
                class_weights=self._class_weights,
                target=self._target,
            )
        return self._gradients[key]

    def update(self, cut: int, kind: Kind, variables: Sequence[tf.Variable]) -> Update:
        """That kind of optimizer for the variables that learn after the cut."""
        if (cut, kind) not in self._updates:
            self._updates[cut, kind] = Update(kind, variables)
        return self._updates[cut, kind]

    def prediction(self, cut: int) -> Prediction:
        """What the network says, from what crosses the cut; with 0, from images."""
        if cut not in self._predictions:
            self._predictions[cut] = Prediction(self._tail(cut))
        return self._predictions[cut]

    def crossing(self, cut: int) -> tuple[Any, ...]:
        """The symbolic tensors that cross the cut."""
        return self._tail(cut).inputs

    def _tail(self, cut: int) -> Part:
        if cut not in self._tails:
            self._tails[cut] = self.graph.after(self.end(cut), self.graph.output)
        return self._tails[cut]

    def prefix(self, cuts: Sequence[int]) -> Prefix:
        """What crosses each of these cuts, one after the other, in one pass over the images."""
        key = tuple(cuts)
        if key not in self._prefixes:  # training images, then validation images
            ends = [tensor for cut in cuts for tensor in self.crossing(cut)]
            self._prefixes[key] = Prefix(self.graph.before(ends), PREFIX_BATCH)
        return self._prefixes[key]

    def prefix_multiply_adds(self, cut: int) -> int:
        """For one image."""
        if cut not in self._multiply_adds:
            self._multiply_adds[cut] = multiply_adds(self.graph.before(self.crossing(cut))) if cut else 0
        return self._multiply_adds[cut]

    def prefix_identity(self, cut: int) -> str | None:
        """A digest of the frozen prefix: its layers, how they are joined, their weights.

        None where a seed draws some of the weights.
        """
        if cut not in self._identities:
            part = self.graph.before(self.crossing(cut))
            weights = self.initial_state.digest(part.layers)
            self._identities[cut] = weights and _digest([weights, _structure(part.calls, part.outputs)])
        return self._identities[cut]

    def drop_graphs(self) -> bool:
        """Let go of every graph and of optimizers' memory. Returns whether more than one trial's were held."""
        several = len(self._gradients) > 1 or len(self._updates) > 1
        for graphs in (self._gradients, self._updates, self._predictions, self._prefixes):
            graphs.clear()
        gc.collect()
        return several

    def start(self, seed: int, dropout: float, cut: int, class_weights: np.ndarray | None = None) -> None:
        """Begin a trial of what comes after the cut: every variable as seed and configuration determine.

        class_weights: float32 [C], see trainables/class_weights.py; None weighs all alike.
        """
        self.initial_state.restore(seed, self._tail(cut).layers)
        self._rate.assign(dropout)
        self._class_weights.assign(tf.ones_like(self._class_weights) if class_weights is None else class_weights)
        for layer in self.network.dropout:
            layer.rate = dropout  # for the saved model; training reads the variable


class Workbench:
    """The warm networks of this process, the least recently used dropped where memory is short."""

    def __init__(self) -> None:
        self._networks: OrderedDict[str, WarmNetwork] = OrderedDict()

    def take(self, assignment: Assignment, statistics: Mapping[str, Sequence[float]]) -> WarmNetwork:
        """The network this assignment trains, built where none is warm.

        statistics: channel_mean and channel_std of the training images (see the models' `build`).
        Raises Fatal for an unknown architecture or missing weights, ValueError for what cannot be built.
        """
        family = model_family(assignment.model)
        structure = {name: assignment.config[name] for name in family.STRUCTURE if name in assignment.config}
        size = assignment.view.image_size
        asked = (assignment.num_classes, assignment.target)
        determined_by = (*asked, assignment.precision, str(assignment.weights), statistics)
        key = _digest([assignment.model, structure, size, *determined_by])
        if key in self._networks:
            self._networks.move_to_end(key)
            return self._networks[key]
        self._make_room(assignment.memory_bytes)
        keras.config.set_dtype_policy(assignment.precision)
        network = family.build(
            structure, (size, size, 3), assignment.num_classes, weights=assignment.weights, **statistics
        )
        self._networks[key] = WarmNetwork(network, targets.find(assignment.target))
        return self._networks[key]

    def drop_others(self, keep: WarmNetwork | None) -> bool:
        """Let go of every network but one. Returns whether there was any other."""
        others = [key for key, network in self._networks.items() if network is not keep]
        for key in others:
            del self._networks[key]
        gc.collect()
        return bool(others)

    def _make_room(self, memory_bytes: int) -> None:
        """A network with its graphs is several hundred MB: go below half of what this worker may use."""
        while self._networks and devices.resident_bytes() > memory_bytes / 2:
            self._networks.popitem(last=False)
            gc.collect()  # models, layers and graphs point at each other in circles
            devices.give_memory_back()


WORKBENCH = Workbench()  # of this process: a worker serves one trial at a time


def model_family(name: str) -> Any:
    """The module of trainables/models with that name and a `build`. Raises Fatal (one line, nearest match)."""
    known = sorted(module.name for module in pkgutil.iter_modules(model_families.__path__))
    if name in known:
        module = importlib.import_module(f"{model_families.__name__}.{name}")
        if hasattr(module, "build") and hasattr(module, "STRUCTURE"):
            return module
    raise Fatal(unknown_name("model", name, known))


def _structure(calls: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
    """Every layer's kind and settings and what it reads, without the names that Keras numbers by chance."""
    number = {id(tensor): index for index, call in enumerate(calls) for tensor in call.outputs}
    described: list[Any] = []
    for call in calls:
        read = [number.get(id(tensor), -1) for tensor in call.input_tensors]
        described.append([type(call.operation).__name__, _nameless(call.operation.get_config()), read])
    return [*described, [number.get(id(tensor), -1) for tensor in outputs]]


def _nameless(config: Any) -> Any:
    if isinstance(config, dict):
        naming = ("name", "inbound_nodes", "input_layers", "output_layers")
        return {key: _nameless(value) for key, value in config.items() if key not in naming}
    return [_nameless(value) for value in config] if isinstance(config, (list, tuple)) else config


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
