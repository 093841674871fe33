"""Learning-rate schedules by name; `trainables/training/schedules/` has one a file."""

from __future__ import annotations

import importlib
from typing import Any

from errors import unknown_name
from search_spaces.aliases import current_word
from search_spaces.known_names import SCHEDULES
from trainables.training import schedules
from trainables.training.progress import Progress


def check(schedule: str) -> str:
    """Return today's name of the schedule.

    Raises:
        ValueError: There is none; the message has the nearest name.
    """
    current: str = current_word("schedule", schedule)
    if current not in SCHEDULES:
        raise ValueError(unknown_name("schedule", schedule, SCHEDULES))
    return current


def learning_rate(schedule: str, base: float, progress: Progress) -> float:
    """Return the learning rate of the next step: never negative, never above `base`.

    Args:
        schedule: A name of `search_spaces.known_names.SCHEDULES`, or a former word for one.
        base: The rate that training starts with.
        progress: Where training stands.

    Raises:
        ValueError: An unknown schedule, or progress out of range (one line).
    """
    module, parameters = _module(check(schedule))
    if not (progress.epoch >= 0 and progress.step >= 0 and progress.max_epochs >= 1 and progress.steps_per_epoch >= 1):
        raise ValueError(f"progress is {progress}, but epochs and steps count from 0, their totals from 1")
    rate: float = module.learning_rate(base, progress, *parameters)
    return rate


def varies_within_epoch(schedule: str) -> bool:
    """Tell whether the learning rate must be asked for at every step rather than once an epoch."""
    return getattr(_module(check(schedule))[0], "VARIES_WITHIN_EPOCH", False)


def _module(schedule: str) -> tuple[Any, list[str]]:
    """Import the module of a known schedule, which may end in a parameter, as in step_decay_0.5."""
    name, _, parameter = schedule.rpartition("_")
    if parameter.replace(".", "").isdigit():
        return importlib.import_module(f"{schedules.__name__}.{name}"), [parameter]
    return importlib.import_module(f"{schedules.__name__}.{schedule}"), []
