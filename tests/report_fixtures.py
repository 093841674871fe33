"""Studies of document 4's two arms as their events: a healthy one, and one for each defect that an audit looks for."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tasks.task import load_task
from tests.study_fixtures import Event, record_of
from tuning.plan.study_plan import axis_header
from tuning.records.study_record import StudyRecord

EPOCHS = 16


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How one arm behaves. Accuracies are fractions."""

    top: float  # validation accuracy of its best learning rate, at the end
    centre: float  # its best learning rate
    pace: float = 2.0  # epochs until 63 % of it are reached
    late_bonus: float = 0.0  # what the last fifth of the trials reaches on top
    slow_best: bool = False  # the better a trial in the end, the slower it starts
    overfits: bool = False
    infeasible_above: float = math.inf  # learning rate
    seeds: tuple[float, ...] = (-0.002, 0.0, 0.002)  # of the confirmations, around the best
    test_drop: float = 0.0


HEALTHY = {
    "from_scratch": Shape(top=0.80, centre=1e-3),
    "fine_tuned": Shape(top=0.90, centre=3e-5),
}


def study(trials: int = 24, epochs: int = EPOCHS, **shapes: dict[str, Any]) -> StudyRecord:
    """A study of so many search trials an arm; shapes: what differs from HEALTHY, by arm."""
    return record_of(study_events(trials, epochs, **shapes))


def study_events(trials: int = 24, epochs: int = EPOCHS, **shapes: dict[str, Any]) -> Iterator[Event]:
    """Its events in order, a second apart."""
    yield {**_header(trials, epochs), "time": 0.0}
    number = 0
    for arm, healthy in HEALTHY.items():
        for event in _arm(arm, replace(healthy, **shapes.get(arm, {})), trials, epochs):
            number += 1
            yield {**event, "time": float(number)}
    yield {"event": "study_ended", "status": "completed", "reason": "", "time": number + 1.0}


def _header(trials: int, epochs: int) -> Event:
    task = load_task("food10")
    return {
        "event": "study_started",
        "task": "food10",
        "title": task.title,
        "study": "constructed",
        "source": task.source,
        "sample": False,
        "settings": {"trials": trials, "epochs": epochs, "confirm_seeds": 3, "seed": 0, "arms": []},
        "arms": [
            {
                "name": arm.name,
                "label": arm.label,
                "note": "",
                "learner": arm.learner,
                "model": arm.model,
                "view": {"image_size": 64, "augmentation": "live"},
                "trials": trials,
                "trains": True,
                "max_epochs": epochs,
                "grace_epochs": 1,
                "axes": [msgspec.to_builtins(axis_header(axis)) for axis in arm.space.axes],
                "constants": dict(arm.space.constants),
            }
            for arm in task.arms
        ],
        "confirm_seeds": [1, 2, 3],
        "early_stopping": True,
        "reduction_factor": 3,
        "objective": {"metric": "val_accuracy", "direction": "max"},
        "data": {
            "title": "Food-101, ten classes",
            "fingerprint": "f" * 64,
            "classes": ["a", "b"],
            "counts": {"train": 7500, "val": 2000, "test": 500},
            "notices": [],
        },
        "versions": {"python": "3.11.7", "optuna": "5.0.0"},
        "machine": {"processor": "EPYC", "cores": 2},
        "share": {"slots": 2},
        "command": "python cli.py tune food10 --trials 24 --epochs 16",
        "git_commit": "0" * 12,
    }


def _arm(arm: str, shape: Shape, trials: int, epochs: int) -> Iterator[Event]:
    draw = random.Random(arm)
    axis = next(axis for axis in load_task("food10").arm(arm).space.axes if axis.name == "learning_rate")
    low, high = axis.low, axis.high  # type: ignore[union-attr]
    best: dict[str, Any] = {}
    for number in range(trials):
        # The third trial has the best learning rate: a search that finds it early has ended improving.
        anywhere = low * (high / low) ** draw.random()
        known = number == 2 or (shape.late_bonus and number >= trials * 0.8)
        config = _config(arm, draw, shape.centre if known else anywhere)
        if number == 2:
            best = config
        yield from _search_trial(arm, shape, number, config, trials, epochs)
    names = []
    for index, deviation in enumerate(shape.seeds):
        name = f"{arm}-confirm-{index}"
        names.append(name)
        yield from _trial(
            name, arm, "confirm", index, best, epochs, _curve(shape, shape.top + deviation, epochs), "completed"
        )
    if names:
        yield {"event": "test_opened", "arm": arm, "trials": names, "reason": "confirmed winners"}
    for name, deviation in zip(names, shape.seeds, strict=True):
        accuracy = shape.top + deviation - shape.test_drop
        yield {
            "event": "test_measured",
            "arm": arm,
            "trial": name,
            "metrics": {"test_accuracy": accuracy, "test_loss": 1 - accuracy},
            "facts": {"parameters": 1000, "size_bytes": 8000, "latency_ms": 2.0},
        }


def _config(arm: str, draw: random.Random, learning_rate: float) -> dict[str, Any]:
    config: dict[str, Any] = {
        "batch_size": 32,
        "learning_rate": learning_rate,
        "optimizer": draw.choice(["adam", "sgd"]),
        "schedule": draw.choice(["reduce_on_plateau", "constant"]),
        "dropout": draw.uniform(0.1, 0.4),
    }
    if config["optimizer"] == "sgd":
        config |= {"momentum": draw.uniform(0.85, 0.9), "nesterov": draw.random() < 0.5}
    if arm == "from_scratch":
        return config | {"conv_blocks": draw.choice([3, 4]), "filter_width": draw.choice([1, 2])}
    return config | {"backbone": "NASNetMobile", "frozen_fraction": draw.choice([0.5, 0.6, 0.7, 0.8])}


def _search_trial(
    arm: str, shape: Shape, number: int, config: dict[str, Any], trials: int, epochs: int
) -> Iterator[Event]:
    distance = abs(math.log10(config["learning_rate"] / shape.centre))
    value = max(0.1, shape.top - 0.01 - 0.15 * distance**1.5 - 0.02 * abs(config["dropout"] - 0.25))
    if number >= trials * 0.8:
        value += shape.late_bonus
    finished = number % 3 == 2
    status, ran = ("completed", epochs) if finished else ("stopped", 1 if number % 2 else 3)
    if config["learning_rate"] > shape.infeasible_above:
        status, ran = "infeasible", 0
    curve = _curve(shape, value, epochs)
    name, reason = f"{arm}-{number:04}", "loss is not finite" if status == "infeasible" else ""
    yield from _trial(name, arm, "search", number, config, epochs, lambda epoch: curve(epoch), status, reason, ran)


def _curve(shape: Shape, value: float, epochs: int) -> Callable[[int], tuple[float, float, float]]:
    """(validation accuracy, validation loss, training loss) of an epoch."""

    def at(epoch: int) -> tuple[float, float, float]:
        # Slow starters: by the middle of the epochs everybody has caught up.
        pace = shape.pace * (1 + 10 * max(0.0, value - 0.5)) if shape.slow_best and epoch < epochs // 2 else shape.pace
        learned = 1 - math.exp(-epoch / pace)
        val_loss, train_loss = 2.0 - 1.5 * learned, 2.0 - 1.6 * learned
        if shape.overfits:
            val_loss += 0.05 * max(0, epoch - epochs // 2)
            train_loss = 2.0 - 1.9 * epoch / epochs
        return value * learned, val_loss, train_loss

    return at


def _trial(
    name: str,
    arm: str,
    role: str,
    number: int,
    config: dict[str, Any],
    epochs: int,
    curve: Callable[[int], tuple[float, float, float]],
    status: str,
    reason: str = "",
    ran: int | None = None,
) -> Iterator[Event]:
    asked = {"trial": name, "arm": arm, "role": role, "number": number, "config": config, "seed": number}
    yield {"event": "trial_asked", **asked, "max_epochs": epochs}
    yield {"event": "trial_started", "trial": name}
    best, best_epoch = -1.0, 0
    for epoch in range(1, (epochs if ran is None else ran) + 1):
        accuracy, val_loss, train_loss = curve(epoch)
        if accuracy > best:
            best, best_epoch = accuracy, epoch
        metrics = {
            "val_accuracy": accuracy,
            "val_loss": val_loss,
            "train_loss": train_loss,
            "train_accuracy": min(1.0, accuracy + 0.02),
        }
        shared = {"metrics": metrics, "best": best, "best_epoch": best_epoch, "seconds": {"train": 1.0}}
        yield {"event": "epoch", "trial": name, "epoch": epoch, **shared}
    yield {"event": "trial_ended", "trial": name, "status": status, "reason": reason}
