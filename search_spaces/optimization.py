"""Axes of gradient descent, shared by every network: optimizer, momentum, schedule.

Ranges stated by a report are in the file of its task; ranges that it only implies are here.
"""

from __future__ import annotations

from search_spaces.known_names import OPTIMIZERS, SCHEDULES
from search_spaces.parameters import CategoricalParameter, Condition, FloatParameter


def learning_rate(low: float, high: float, source: str) -> FloatParameter:
    """Return the axis of the initial learning rate, logarithmic.

    Args:
        low: Lower end.
        high: Upper end.
        source: Source of the range.
    """
    return FloatParameter(name="learning_rate", low=low, high=high, log=True, source=source)


def optimizer(*names: str, source: str) -> CategoricalParameter:
    """Return the axis of optimizers, searched over `names`; `--set` and `--space` may ask for any other known one."""
    return CategoricalParameter(name="optimizer", values=names, allowed=OPTIMIZERS, source=source)


def schedule(*names: str, source: str) -> CategoricalParameter:
    """Return the axis of schedules, searched over `names`; `--set` and `--space` may ask for any other known one."""
    return CategoricalParameter(name="schedule", values=names, allowed=SCHEDULES, source=source)


def momentum(source: str, low: float = 0.8, high: float = 0.95) -> FloatParameter:
    """Return the axis of SGD's momentum, absent with every other optimizer.

    Args:
        source: Source of the range.
        low: Lower end.
        high: Upper end.
    """
    return FloatParameter(name="momentum", low=low, high=high, when=_of("sgd"), source=source)


def nesterov(source: str) -> CategoricalParameter:
    """Whether SGD looks ahead (Sutskever et al., 2013); absent with every other optimizer."""
    return CategoricalParameter(name="nesterov", values=(False, True), when=_of("sgd"), source=source)


def weight_decay(source: str) -> FloatParameter:
    """Decoupled weight decay (Loshchilov and Hutter, 2019), AdamW's alone: drawn with `--space optimizer=adamw`."""
    return FloatParameter(name="weight_decay", low=1e-5, high=1e-1, log=True, when=_of("adamw"), source=source)


def _of(optimizer: str) -> Condition:
    return Condition(parameter="optimizer", values=(optimizer,))
