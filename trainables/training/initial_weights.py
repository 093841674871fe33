"""The state before training, of every variable of a network, for any seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from trainables.models.parts.built_network import Network

# Where Keras's layers name the initializer of a variable otherwise than "<variable>_initializer".
_INITIALIZERS = {"kernel": "depthwise_initializer", "depthwise_kernel": "depthwise_initializer"}
_INITIALIZERS |= {"pointwise_kernel": "pointwise_initializer"}


class InitialState:
    """Knows what each variable is before training: from a file, a constant, or drawn anew by (seed, its place).

    The place is the variable's number within the network, not its name: Keras numbers the names of layers by what the
    process has built before. A network just built and one that has trained a hundred trials go through the same
    `restore`, and so start from the same numbers.
    """

    def __init__(self, network: Network) -> None:
        """network: just built, its pre-trained weights loaded."""
        self._variables = list(network.model.variables)
        self._values = [np.asarray(variable) for variable in self._variables]
        self._initializers = _random_initializers(network)
        # What each variable holds now: the seed it was drawn by, "constant", or None once it may have been trained.
        self._held: list[int | str | None] = [
            None if self._is_drawn(index) else "constant" for index in range(len(self._variables))
        ]
        self._index = {id(variable): index for index, variable in enumerate(self._variables)}

    def restore(self, seed: int, about_to_train: Iterable[keras.Layer]) -> None:
        """Set every variable to the value that a seed determines.

        Args:
            seed: The trial's seed.
            about_to_train: Layers whose variables will change from now on.
        """
        for index, variable in enumerate(self._variables):
            wanted = seed if self._is_drawn(index) else "constant"
            if self._held[index] != wanted:
                # TensorFlow's own spec: Keras's checks shape and type, at four times the cost.
                variable.value.assign(self._drawn(index, seed) if self._is_drawn(index) else self._values[index])
                self._held[index] = wanted
        for layer in about_to_train:
            for variable in layer.variables:
                self._held[self._index[id(variable)]] = None

    def digest(self, layers: Iterable[keras.Layer]) -> str | None:
        """SHA-256 of these layers' first weights; None where a seed draws some of them."""
        total = hashlib.sha256()
        for layer in layers:
            for weight in layer.weights:
                index = self._index[id(weight)]
                if self._is_drawn(index):
                    return None
                total.update(np.ascontiguousarray(self._values[index]).tobytes())
        return total.hexdigest()

    def _is_drawn(self, index: int) -> bool:
        return index in self._initializers or _is_random_state(self._variables[index])

    def _drawn(self, index: int, seed: int) -> Any:
        variable = self._variables[index]
        own_seed = int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:4], "big") & 0x7FFFFFFF
        if index not in self._initializers:
            return np.array([own_seed, 0], self._values[index].dtype)  # as keras.random.SeedGenerator(own_seed) begins
        initializer = self._initializers[index]
        seeded = type(initializer).from_config({**initializer.get_config(), "seed": own_seed})
        return seeded(variable.shape, dtype=variable.dtype)


def _is_random_state(variable: Any) -> bool:
    return str(variable.path).endswith("seed_generator_state")


def _random_initializers(network: Network) -> dict[int, Any]:
    """Return the initializers of randomly drawn variables, by number; pre-trained ones have none."""
    number = {id(variable): index for index, variable in enumerate(network.model.variables)}
    pretrained = set(network.pretrained)
    found: dict[int, Any] = {}
    for layer in network.model.layers:
        if layer in pretrained:
            continue
        random = {
            name
            for name, value in vars(layer).items()
            if name.endswith("_initializer") and "seed" in value.get_config()
        }
        for name in ("kernel", "depthwise_kernel", "pointwise_kernel", "bias", "gamma", "beta"):
            for initializer in (f"{name}_initializer", _INITIALIZERS.get(name, "")):
                variable = getattr(layer, name, None)
                if initializer in random and variable is not None:
                    found[number[id(variable)]] = getattr(layer, initializer)
                    random.discard(initializer)
        if random and layer.weights:
            raise NotImplementedError(f"layer {layer.name} draws weights by {', '.join(random)}: name them here")
    return found
