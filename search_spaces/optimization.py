"""Axes of gradient descent, shared by every network: optimizer, momentum, schedule.

Ranges that a document states stand in the file of its task; here are the ones a document only implies.
"""

from __future__ import annotations

from search_spaces.axes import Choice, Real, When
from search_spaces.names import OPTIMIZERS, SCHEDULES


def learning_rate(low: float, high: float, source: str) -> Real:
    """Where the optimizer starts, drawn evenly in its logarithm."""
    return Real(name="learning_rate", low=low, high=high, log=True, source=source)


def optimizer(*names: str, source: str) -> Choice:
    """Searched over the named ones; `--set` and `--space` may ask for any other that there is."""
    return Choice(name="optimizer", values=names, allowed=OPTIMIZERS, source=source)


def schedule(*names: str, source: str) -> Choice:
    """Searched over the named ones; `--set` and `--space` may ask for any other that there is."""
    return Choice(name="schedule", values=names, allowed=SCHEDULES, source=source)


def momentum(source: str, low: float = 0.8, high: float = 0.95) -> Real:
    """Momentum of SGD; absent with every other optimizer."""
    return Real(name="momentum", low=low, high=high, when=When(axis="optimizer", values=("sgd",)), source=source)


def nesterov(source: str) -> Choice:
    """Whether SGD looks ahead (Sutskever et al., 2013); absent with every other optimizer."""
    return Choice(name="nesterov", values=(False, True), when=When(axis="optimizer", values=("sgd",)), source=source)


def weight_decay(source: str) -> Real:
    """Decoupled weight decay (Loshchilov and Hutter, 2019), AdamW's alone: drawn with `--space optimizer=adamw`."""
    return Real(
        name="weight_decay",
        low=1e-5,
        high=1e-1,
        log=True,
        when=When(axis="optimizer", values=("adamw",)),
        source=source,
    )
