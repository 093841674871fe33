"""Built and traced networks, kept warm from one trial of a worker to the next."""

from __future__ import annotations

import gc
import hashlib
import json
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from trainables import devices, targets
from trainables.models.family_registry import model_family
from trainables.models.parts.built_network import BuildSpec, Network
from trainables.models.parts.model_graph import Part, multiply_adds
from trainables.targets import TargetType
from trainables.training.initial_weights import InitialState
from trainables.training.optimizers import OptimizerKey
from trainables.training.train_step import GradientStep, OptimizerStep, PredictStep, WarmNetwork, frozen_prefix
from trainables.trial_spec import TrainingSpec

PREFIX_BATCH = 32  # images a pass of the frozen prefix takes at a time
GRAPHS = ("gradients", "update", "prediction", "prefix")  # what holds much memory of what a network keeps
Made = TypeVar("Made")


class CachedModel(WarmNetwork):
    """One built network, with every graph that was ever traced on it. One trial at a time uses it."""

    def __init__(self, network: Network, target: TargetType = targets.CLASSES) -> None:
        """Wrap a network; raise ValueError if it does not fit the target."""
        super().__init__(network, target)
        self.initial_state = InitialState(network)
        self._made: dict[tuple[str, Any], Any] = {}  # by kind, and by what determines it

    def _memo(self, kind: str, key: Any, make: Callable[[], Made]) -> Made:
        """Return what was made of that kind for that key, or make it now."""
        if (kind, key) not in self._made:
            self._made[kind, key] = make()
        made: Made = self._made[kind, key]
        return made

    def gradients(self, cut: int, batch_size: int, *, from_images: bool, dropout: bool) -> GradientStep:
        """Return the traced forward and backward pass after a cut.

        Args:
            cut: Number of frozen blocks.
            batch_size: Images a batch.
            from_images: Whether images come in, with the prefix computed in every step.
            dropout: Whether the network's adjustable dropout is used.
        """
        return self._memo(
            "gradients",
            (cut, batch_size, from_images and cut > 0, dropout),
            lambda: GradientStep(self, cut, batch_size, from_images=from_images, dropout=dropout),
        )

    def update(self, cut: int, kind: OptimizerKey, variables: Sequence[tf.Variable]) -> OptimizerStep:
        """Return the traced optimizer for the variables after a cut.

        Args:
            cut: Number of frozen blocks.
            kind: Kind of optimizer.
            variables: The variables.
        """
        return self._memo("update", (cut, kind), lambda: OptimizerStep(kind, variables))

    def prediction(self, cut: int) -> PredictStep:
        """Return the traced prediction from features at a cut; with 0, from images."""
        return self._memo("prediction", cut, lambda: PredictStep(self._tail(cut)))

    def boundary_tensors(self, cut: int) -> tuple[Any, ...]:
        """Return the symbolic tensors that cross the cut."""
        return self._tail(cut).inputs

    def _tail(self, cut: int) -> Part:
        return self._memo("tail", cut, lambda: self.graph.after(self.cut_tensor(cut), self.graph.output))

    def prefix(self, cuts: Sequence[int]) -> Callable[[np.ndarray], list[np.ndarray]]:
        """Return a function that computes the features at several cuts in one pass over images.

        Returns:
            Function from uint8 [B, S, S, 3] to one array for each tensor, cut by cut.
        """
        ends = [tensor for cut in cuts for tensor in self.boundary_tensors(cut)]
        make = partial(frozen_prefix, self.graph.before(ends), PREFIX_BATCH)
        return self._memo("prefix", tuple(cuts), make)  # training images, then validation images

    def prefix_multiply_adds(self, cut: int) -> int:
        """For one image."""
        return self._memo(
            "multiply_adds", cut, lambda: multiply_adds(self.graph.before(self.boundary_tensors(cut))) if cut else 0
        )

    def prefix_identity(self, cut: int) -> str | None:
        """Return a digest of the frozen prefix: layers, connections, weights.

        None means that a seed draws some of the weights.
        """

        def make() -> str | None:
            part = self.graph.before(self.boundary_tensors(cut))
            weights = self.initial_state.digest(part.layers)
            return weights and _digest([weights, _structure(part.calls, part.outputs)])

        return self._memo("identity", cut, make)

    def drop_graphs(self) -> bool:
        """Let go of every graph and of optimizers' memory. Returns whether more than one trial's were held."""
        kinds = Counter(kind for kind, _ in self._made)
        self._made = {made: value for made, value in self._made.items() if made[0] not in GRAPHS}
        gc.collect()
        return kinds["gradients"] > 1 or kinds["update"] > 1

    def reset(self, seed: int, dropout: float, cut: int, class_weights: np.ndarray | None = None) -> None:
        """Begin a trial after a cut: set every variable as seed and configuration determine.

        Args:
            seed: The trial's seed.
            dropout: Dropout rate.
            cut: Number of frozen blocks.
            class_weights: float32 [C], see trainables/training/class_weights.py; None weighs all alike.
        """
        self.initial_state.restore(seed, self._tail(cut).layers)
        self.rate.assign(dropout)
        self.class_weights.assign(tf.ones_like(self.class_weights) if class_weights is None else class_weights)
        for layer in self.network.dropout:
            layer.rate = dropout  # for the saved model; training reads the variable


class ModelCache:
    """The warm networks of this process, the least recently used dropped where memory is short."""

    def __init__(self) -> None:
        self._networks: OrderedDict[str, CachedModel] = OrderedDict()

    def get(self, spec: TrainingSpec, statistics: Mapping[str, Sequence[float]]) -> CachedModel:
        """Return the network of a specification, built if none is warm.

        Args:
            spec: Specification of the training.
            statistics: channel_mean and channel_std of the training images (see the families' `build`).

        Raises:
            Fatal: The family is unknown or weights are missing.
            ValueError: The network cannot be built.
        """
        family = model_family(spec.model)
        structure = {name: spec.config[name] for name in family.STRUCTURE if name in spec.config}
        size = spec.view.image_size
        determined_by = (spec.num_classes, spec.target, spec.precision, str(spec.weights), statistics)
        key = _digest([spec.model, structure, size, *determined_by])
        if key in self._networks:
            self._networks.move_to_end(key)
            return self._networks[key]
        self._make_room(spec.memory_bytes)
        keras.config.set_dtype_policy(spec.precision)
        asked = BuildSpec(structure, (size, size, 3), spec.num_classes, weights=spec.weights, **statistics)
        network = family.build(asked)
        self._networks[key] = CachedModel(network, targets.find(spec.target))
        return self._networks[key]

    def drop_others(self, keep: CachedModel | None) -> bool:
        """Let go of every network but one. Returns whether there was any other."""
        others = [key for key, network in self._networks.items() if network is not keep]
        for key in others:
            del self._networks[key]
        gc.collect()
        return bool(others)

    def _make_room(self, memory_bytes: int) -> None:
        """Drop networks, several hundred MB each, until the process is below half of its memory."""
        while self._networks and devices.resident_bytes() > memory_bytes / 2:
            self._networks.popitem(last=False)
            gc.collect()  # models, layers and graphs point at each other in circles
            devices.give_memory_back()


MODEL_CACHE = ModelCache()  # of this process: a worker serves one trial at a time


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
