"""Optimizers by the names a configuration uses, one fused operation a variable.

The arithmetic is Keras 3's, which a test holds. Keras itself spells an Adam step out in about 40 graph operations for
each variable; TensorFlow's fused kernels take one, and read learning rate, momentum and the rest as inputs of the graph
rather than constants of its trace. EfficientNetLite0 with half of it frozen (80 variables that learn): 3,436 operations
instead of 6,311, traced in 2.4 s of processor time instead of 4.3, and a process that builds one model after another no
longer grows by 100 MB a model (Keras's optimizer keeps the graph alive).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from errors import unknown_name
from search_spaces.known_names import OPTIMIZERS

EPSILON = 1e-7  # the default of Keras's Adam and RMSprop
BETA_1, BETA_2 = 0.9, 0.999  # Kingma and Ba, 2015; Keras's defaults
RHO = 0.9  # of RMSprop, Keras's default
WEIGHT_DECAY = 0.004  # Keras's default for AdamW


@dataclass(frozen=True, kw_only=True)
class OptimizerKey:
    """Part of an optimizer that shapes its graph; trials that differ in numbers only share one graph."""

    name: str
    has_momentum: bool = False
    nesterov: bool = False
    decays: bool = False


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """An optimizer as a configuration asks for it, checked."""

    kind: OptimizerKey
    learning_rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0


class Optimizer(ABC):
    """State for a fixed list of variables, and one step on them."""

    def __init__(self, kind: OptimizerKey, variables: Sequence[tf.Variable]) -> None:
        self._kind, self._variables = kind, variables
        self.learning_rate, self._momentum, self._weight_decay = (
            tf.Variable(0.0, trainable=False, dtype=tf.float32) for _ in range(3)
        )
        self.state: list[tf.Variable] = []  # what its steps have brought about: moments, and their number

    def start(self, settings: OptimizerConfig) -> None:
        """Take these numbers and forget every step: a new trial begins. The settings' kind must be the optimizer's."""
        self.learning_rate.assign(settings.learning_rate)
        self._momentum.assign(settings.momentum)
        self._weight_decay.assign(settings.weight_decay)
        for variable in self.state:
            variable.assign(tf.zeros(variable.shape, variable.dtype))

    @abstractmethod
    def apply(self, gradients: Sequence[Any]) -> None:
        """One step; a gradient for each variable, in their order. May be traced."""

    def _zeros(self) -> list[tf.Variable]:
        return [tf.Variable(tf.zeros(each.shape, each.dtype), trainable=False) for each in self._variables]


def settings(config: Mapping[str, Any]) -> OptimizerConfig:
    """Return the optimizer that a configuration asks for, with Keras's defaults.

    Args:
        config: optimizer (default "adam"), learning_rate (required, above 0), momentum (sgd and rmsprop; default 0),
            nesterov (sgd; default False), weight_decay (adamw; default 0.004; decoupled, Loshchilov and Hutter, 2019;
            as in Keras it decays every trainable variable).

    Raises:
        ValueError: The name is unknown or a value out of range.
    """
    name = str(config.get("optimizer", "adam")).lower()
    if name not in OPTIMIZERS:
        raise ValueError(unknown_name("optimizer", config["optimizer"], OPTIMIZERS))
    if "learning_rate" not in config:
        raise ValueError(f"learning_rate is missing, but {name} needs one, such as 1e-3")
    learning_rate = _within(config, "learning_rate", 0.0, above=True, example="1e-3")
    momentum = _within(config, "momentum", 0.0, below=1.0, example="0.9") if name in ("sgd", "rmsprop") else 0.0
    decay = _within(config, "weight_decay", WEIGHT_DECAY, example="1e-4") if name == "adamw" else 0.0
    # RMSprop's kernel keeps a velocity anyway; SGD without momentum needs none.
    has_momentum = name == "sgd" and momentum > 0
    nesterov = has_momentum and bool(config.get("nesterov", False))
    kind = OptimizerKey(name=name, has_momentum=has_momentum, nesterov=nesterov, decays=decay > 0)
    return OptimizerConfig(kind=kind, learning_rate=learning_rate, momentum=momentum, weight_decay=decay)


def make(kind: OptimizerKey, variables: Sequence[tf.Variable]) -> Optimizer:
    """Make an optimizer of that kind, outside any graph, where variables may be made.

    Args:
        kind: The kind.
        variables: The variables it updates.
    """
    return {"sgd": SGD, "rmsprop": RMSprop}.get(kind.name, Adam)(kind, variables)


def _within(
    config: Mapping[str, Any], name: str, default: float, *, above: bool = False, below: float = math.inf, example: str
) -> float:
    value = float(config.get(name, default))
    if not (value > 0 if above else value >= 0) or not value < below:
        lower = "above 0" if above else "at least 0"
        upper = "finite" if below == math.inf else f"below {below:g}"
        raise ValueError(f"{name} is {value:g}, but must be {lower} and {upper}, such as {example}")
    return value


class SGD(Optimizer):
    """With momentum, plain or Nesterov's (Sutskever et al., 2013), as keras.optimizers.SGD."""

    def __init__(self, kind: OptimizerKey, variables: Sequence[tf.Variable]) -> None:
        super().__init__(kind, variables)
        self.state = self._zeros() if kind.has_momentum else []  # velocities

    def apply(self, gradients: Sequence[Any]) -> None:
        rate, momentum = self.learning_rate.read_value(), self._momentum.read_value()
        if not self._kind.has_momentum:
            for variable, gradient in zip(self._variables, gradients, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
            return
        for variable, velocity, gradient in zip(self._variables, self.state, gradients, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=velocity.handle,
                lr=rate,
                grad=gradient,
                momentum=momentum,
                use_nesterov=self._kind.nesterov,
            )


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton, 2012) with momentum, as keras.optimizers.RMSprop."""

    def __init__(self, kind: OptimizerKey, variables: Sequence[tf.Variable]) -> None:
        super().__init__(kind, variables)
        self._squares, self._velocities = self._zeros(), self._zeros()
        self.state = [*self._squares, *self._velocities]

    def apply(self, gradients: Sequence[Any]) -> None:
        rate, momentum = self.learning_rate.read_value(), self._momentum.read_value()
        rho, epsilon = tf.constant(RHO), tf.constant(EPSILON)
        for variable, square, velocity, gradient in zip(
            self._variables, self._squares, self._velocities, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable.handle,
                ms=square.handle,
                mom=velocity.handle,
                lr=rate,
                rho=rho,
                momentum=momentum,
                epsilon=epsilon,
                grad=gradient,
            )


class Adam(Optimizer):
    """Kingma and Ba, 2015, as keras.optimizers.Adam; with a weight decay it is AdamW, as keras.optimizers.AdamW."""

    def __init__(self, kind: OptimizerKey, variables: Sequence[tf.Variable]) -> None:
        super().__init__(kind, variables)
        self._steps = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._means, self._squares = self._zeros(), self._zeros()
        self.state = [self._steps, *self._means, *self._squares]

    def apply(self, gradients: Sequence[Any]) -> None:
        rate = self.learning_rate.read_value()
        step = tf.cast(self._steps.assign_add(1), tf.float32)
        beta_1, beta_2, epsilon = tf.constant(BETA_1), tf.constant(BETA_2), tf.constant(EPSILON)
        power_1, power_2 = tf.pow(beta_1, step), tf.pow(beta_2, step)
        if self._kind.decays:
            kept = 1.0 - rate * self._weight_decay.read_value()
            for variable in self._variables:
                variable.assign(variable * kept)  # before the step, as Keras does
        for variable, mean, square, gradient in zip(
            self._variables, self._means, self._squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=rate,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=epsilon,
                grad=gradient,
            )
