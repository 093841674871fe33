"""A small study as its events: two arms, every way a trial can end, confirmations, the test split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from datasets.input_config import InputConfig
from search_spaces.space import Space
from tasks.task import Arm, Column, Table, Task
from tuning.records.events import AnyEvent
from tuning.records.study_paths import EVENTS
from tuning.records.study_record import StudyRecord, replay

Event = dict[str, Any]  # as a line of events.jsonl

SECONDS = {"start": 0.5, "train": 2.0, "validate": 0.25, "save": 0.0}

# Chosen so that means and deviations can be worked out by hand: steps of 0.01 and 0.02 around the mean.
CONFIRMED = {
    "from_scratch": {"val_accuracy": (0.80, 0.81, 0.82), "test_accuracy": (0.78, 0.80, 0.82), "seeds": (101, 102, 103)},
    "fine_tuned": {"val_accuracy": (0.90, 0.91, 0.92), "test_accuracy": (0.88, 0.89, 0.90), "seeds": (201, 202, 203)},
}
CONFIGS: dict[str, dict[str, Any]] = {
    "from_scratch": {
        "batch_size": 32,
        "learning_rate": 0.00032,
        "optimizer": "adam",
        "conv_blocks": 4,
        "filter_width": 1,
        "schedule": "halve_on_plateau",
        "dropout": 0.0,
    },
    "fine_tuned": {
        "batch_size": 32,
        "learning_rate": 0.0001,
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "frozen_fraction": 0.6,
        "schedule": "constant",
        "dropout": 0.25,
    },
}
FACTS: dict[str, dict[str, Any]] = {
    "from_scratch": {"parameters": 4_652_008, "size_bytes": 18_800_000, "latency_ms": 12.34, "note": ""},
    "fine_tuned": {"parameters": 3_500_000, "size_bytes": 14_200_000, "latency_ms": 8.1, "note": ""},
}

VARIANTS = Table(
    name="best_variants",
    title="Best variant of each model type, tested",
    columns=(Column(field="test_accuracy", heading="Test Accuracy"), Column(field="test_loss", heading="Test Loss")),
)
BEST = Table(
    name="best_model",
    title="Performance of the best model",
    rows="best",
    columns=(
        Column(field="train_accuracy", heading="Training Accuracy"),
        Column(field="train_loss", heading="Training Loss"),
        Column(field="val_accuracy", heading="Validation Accuracy"),
        Column(field="val_loss", heading="Validation Loss"),
        Column(field="test_accuracy", heading="Test Accuracy"),
        Column(field="test_loss", heading="Test Loss"),
    ),
)


def example_events(
    *,
    sample: bool = False,
    missing_arm: bool = False,
    confirm_seeds: int = 3,
    end: str | None = "completed",
    task: str = "food10",
    null_seed: bool = False,
) -> list[Event]:
    """A study of two arms.

    missing_arm: every trial of fine_tuned fails or is infeasible. end: the study's last status, None while it runs.
    null_seed: the last confirmation of from_scratch has a validation loss that is not finite.
    """
    events: list[Event] = [_header(sample, task)]
    for arm in CONFIGS:
        hopeless = missing_arm and arm == "fine_tuned"
        events += _search(arm, hopeless)
        if not hopeless:
            events += _confirmations(arm, confirm_seeds, null_seed and arm == "from_scratch")
    if end is not None:
        events.append({"event": "study_ended", "status": end, "reason": "Ctrl-C" if end == "interrupted" else ""})
    return [{**event, "time": 1_700_000_000.0 + number} for number, event in enumerate(events)]


def many_events(trials: int, epochs: int) -> Iterable[Event]:
    """A long study, for timing."""
    yield {**_header(False, "food10"), "time": 0.0}
    for number in range(trials):
        arm = ("from_scratch", "fine_tuned")[number % 2]
        values = [0.1 + 0.8 * (epoch + 1) / epochs for epoch in range(epochs)]
        for event in _trial(arm, number, "search", number, values, "completed"):
            yield {**event, "time": float(number)}


def record_of(events: Iterable[Event]) -> StudyRecord:
    """Build the record of events as a file would hold them."""
    return replay(map(typed, events))


def recorded(path: Path) -> list[Event]:
    """Read a file of events as plain JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def typed(event: Event) -> AnyEvent:
    return msgspec.convert(event, AnyEvent)


def write_study(folder: Path, events: Iterable[Event]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EVENTS).write_text("".join(json.dumps(event) + "\n" for event in events))
    return folder


def _header(sample: bool, task: str) -> Event:
    note = "sample: EfficientNetLite0 in place of NASNetMobile" if sample else ""
    arms = [
        ("from_scratch", "From Scratch (Best Variant)", "", "residual"),
        ("fine_tuned", "Fine Tuned (Best Variant)", note, "transfer"),
    ]
    return {
        "event": "study_started",
        "task": task,
        "study": "example",
        "source": "document 4",
        "sample": sample,
        "settings": {"trials": 5, "seed": 7},
        "arms": [
            {
                "name": name,
                "label": label,
                "note": arm_note,
                "model": model,
                "max_epochs": 4,
                "grace_epochs": 1,
                "axes": [],
                "constants": {"batch_size": 32},
            }
            for name, label, arm_note, model in arms
        ],
        "objective": {"metric": "val_accuracy", "direction": "max"},
        "data": {
            "fingerprint": "abc",
            "classes": ["a", "b"],
            "counts": {"train": 70, "val": 15, "test": 15},
            "notices": [],
        },
        "versions": {"python": "3.11"},
        "command": "python cli.py tune food10 --seed 7",
        "git_commit": "0" * 40,
    }


def _search(arm: str, hopeless: bool) -> list[Event]:
    if hopeless:
        return [
            *_trial(arm, 0, "search", 1, [], "failed", "the worker ran out of memory"),
            *_trial(arm, 1, "search", 2, [], "failed", "the worker ran out of memory"),
            *_trial(arm, 2, "search", 3, [None], "infeasible", "loss is not finite"),
        ]
    top = 0.79 if arm == "from_scratch" else 0.89
    return [
        *_trial(arm, 0, "search", 1, [0.5, 0.6, top, 0.7], "completed"),
        *_trial(arm, 1, "search", 2, [0.4, 0.5, 0.6, 0.65], "completed"),
        *_trial(arm, 2, "search", 3, [0.3], "stopped", "rung 1"),
        *_trial(arm, 3, "search", 4, [None], "infeasible", "loss is not finite"),
        *_trial(arm, 4, "search", 5, [], "failed", "the worker ran out of memory"),
    ]


def _confirmations(arm: str, seeds: int, null_seed: bool) -> list[Event]:
    events: list[Event] = []
    numbers = CONFIRMED[arm]
    for index in range(seeds):
        value, seed = numbers["val_accuracy"][index], int(numbers["seeds"][index])
        null_loss = null_seed and index == seeds - 1
        events += _trial(arm, 100 + index, "confirm", seed, [0.5, value, 0.6, 0.6], "completed", null_loss=null_loss)
    if seeds:
        names = [f"{arm}-{100 + index:04}" for index in range(seeds)]
        events.append({"event": "test_opened", "arm": arm, "trials": names, "reason": "confirmed winners"})
        for index, name in enumerate(names):
            accuracy = numbers["test_accuracy"][index]
            metrics = {
                "test_accuracy": accuracy,
                "test_loss": round(1 - accuracy, 4),
                "final_train_accuracy": 0.97,
                "final_train_loss": 0.1,
            }
            events.append(
                {"event": "test_measured", "arm": arm, "trial": name, "metrics": metrics, "facts": FACTS[arm]}
            )
    return events


def _trial(
    arm: str,
    number: int,
    role: str,
    seed: int,
    values: Sequence[float | None],
    status: str,
    reason: str = "",
    null_loss: bool = False,
) -> list[Event]:
    name = f"{arm}-{number:04}"
    config = {**CONFIGS[arm]} if number in (0, 100, 101, 102) else {**CONFIGS[arm], "dropout": 0.5}
    asked = {"trial": name, "arm": arm, "role": role, "number": number, "config": config, "seed": seed}
    events: list[Event] = [
        {"event": "trial_asked", **asked, "max_epochs": 4},
        {"event": "trial_started", "trial": name},
    ]
    best: float | None = None
    best_epoch: int | None = None
    for epoch, value in enumerate(values, 1):
        if value is not None and (best is None or value > best):
            best, best_epoch = value, epoch
        metrics = {
            "train_loss": None if value is None else round(1 - value, 4),
            "train_accuracy": value,
            "val_loss": None if value is None or null_loss else round(1.1 - value, 4),
            "val_accuracy": value,
            "learning_rate": 1e-4,
        }
        shared = {"metrics": metrics, "best": best, "best_epoch": best_epoch, "seconds": SECONDS}
        events.append({"event": "epoch", "trial": name, "epoch": epoch, **shared})
    return [*events, {"event": "trial_ended", "trial": name, "status": status, "reason": reason}]


def example_task(*tables: Table, name: str = "food10") -> Task:
    """Document 4's question without its data: reporting must not need the images, nor the module that has them."""
    view = InputConfig(image_size=8)
    dataset: Any = None  # reporting never opens it
    arms = tuple(
        Arm(name=arm, label=f"{label} (Best Variant)", model="none", space=Space(), view=view, max_epochs=4)
        for arm, label in (("from_scratch", "From Scratch"), ("fine_tuned", "Fine Tuned"))
    )
    return Task(
        name=name, title="Food-10", source="document 4", dataset=dataset, arms=arms, tables=tables or (VARIANTS, BEST)
    )
