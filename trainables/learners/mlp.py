"""Dense network with its own back-propagation in NumPy (deep-learning report, multi-class from scratch).

A network is the list of its parameters: weights [in, out] and biases [out] of each layer from input to output. Every
hidden layer has a ReLU, the last one a softmax with cross-entropy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
SCALE = 0.1  # deep-learning report: weights and biases drawn from N(0, 1), times 0.1
ACCUMULATED = 1e-8  # deep-learning report: what AdaGrad's sums of squares begin with, so that nothing is divided by 0


def draw(sizes: Sequence[int], random: np.random.Generator, dtype: type[np.floating] = np.float64) -> list[Array]:
    """Draw the initial parameters.

    Args:
        sizes: Inputs, units of each hidden layer, classes.
        random: Random generator.
        dtype: Floating-point type.
    """
    parameters: list[Array] = []
    for before, units in itertools.pairwise(sizes):
        weights, biases = random.standard_normal((before, units)), random.standard_normal(units)
        parameters += [(SCALE * weights).astype(dtype), (SCALE * biases).astype(dtype)]
    return parameters


def probabilities(parameters: Sequence[Array], inputs: Array) -> Array:
    """Return class probabilities [B, classes]; rows sum to 1.

    Args:
        parameters: Weights and biases.
        inputs: [B, D].
    """
    exponentials = np.exp(_log_probabilities(_activations(parameters, inputs)[-1]))
    return np.asarray(exponentials)


def loss_and_gradients(
    parameters: Sequence[Array], inputs: Array, labels: NDArray[np.integer]
) -> tuple[float, int, list[Array]]:
    """Return mean cross-entropy in nats, number of right predictions, and gradients by parameter.

    Args:
        parameters: Weights and biases.
        inputs: [B, D].
        labels: [B], 0 to classes - 1.
    """
    *activations, logits = _activations(parameters, inputs)
    log_probabilities = _log_probabilities(logits)
    rows = np.arange(len(labels))
    loss = -float(log_probabilities[rows, labels].mean())
    hits = int((logits.argmax(axis=1) == labels).sum())

    # The derivative by the logits: probabilities, less one for the true class.
    delta = np.exp(log_probabilities)
    delta[rows, labels] -= 1
    delta /= len(labels)
    gradients: list[Array] = []
    for layer in range(len(activations) - 1, -1, -1):
        gradients = [activations[layer].T @ delta, delta.sum(axis=0), *gradients]
        if layer:  # on to the layer before; its ReLU let through what is above 0
            delta = (delta @ parameters[2 * layer].T) * (activations[layer] > 0)
    return loss, hits, gradients


class AdaGrad:
    """Duchi et al., 2011: each number's steps shrink with the root of its own squared gradients so far."""

    def __init__(self, parameters: Sequence[Array]) -> None:
        """parameters: changed in place by every step."""
        self._parameters = list(parameters)
        self._squares = [np.full_like(parameter, ACCUMULATED) for parameter in parameters]

    def step(self, gradients: Sequence[Array], learning_rate: float) -> None:
        """Take one step down the gradients.

        Args:
            gradients: One for each parameter.
            learning_rate: Step size.
        """
        for parameter, squares, gradient in zip(self._parameters, self._squares, gradients, strict=True):
            squares += gradient**2
            parameter -= learning_rate * gradient / np.sqrt(squares)


def _activations(parameters: Sequence[Array], inputs: Array) -> list[Array]:
    """Return the input of each layer, and the logits at the end."""
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    found = [inputs]
    for number, (weights, biases) in enumerate(layers, start=1):
        sums = found[-1] @ weights + biases
        found.append(np.maximum(sums, 0) if number < len(layers) else sums)
    return found


def _log_probabilities(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)  # else a large logit would overflow
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
