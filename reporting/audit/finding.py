"""The result types of the audit's checks, and the registry of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tuning.plan.command_line import tune_command
from tuning.records.study_record import StudyRecord

Severity = Literal["serious", "note"]  # serious: the table may mislead; note: a better result is possible


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One objection to a study's table."""

    code: str = ""  # name of the check, entered by the audit
    severity: Severity
    title: str
    arm: str = ""  # empty where the finding concerns all arms
    sentence: str  # the objection with its numbers
    command: str  # complete command to run next


@dataclass(frozen=True, kw_only=True)
class Inconclusive:
    """A check that had too few data to judge."""

    check: str
    arm: str = ""  # one arm or several, separated by commas; empty where the check concerns all arms
    why: str


Check = Callable[[StudyRecord], Iterator[Finding | Inconclusive]]
Stage = Literal["search", "training", "result"]  # stages of a study in the order of the audit
CHECKS: list[tuple[Stage, Check]] = []


def check(stage: Stage) -> Callable[[Check], Check]:
    """Return a decorator that registers a check of a stage; the function's name is the check's code."""

    def register(function: Check) -> Check:
        CHECKS.append((stage, function))
        return function

    return register


def next_command(record: StudyRecord, **changes: Any) -> str:
    """Return the study's own `tune` command with these settings changed, under a new name."""
    header = record.header
    return tune_command(record.task, header.settings, header.command, **changes)


def searched(record: StudyRecord) -> bool:
    """Return whether the study's search chose the configurations, instead of a list."""
    return not record.header.settings.get("configs")


def relative_gain(record: StudyRecord, value: float, over: float) -> float:
    """Return the relative gain of one objective value over another, negative if it is worse.

    Args:
        record: The study, whose objective defines the better direction.
        value: The value to judge.
        over: The value to compare it with.

    Returns:
        The gain as a share of the value larger in size; 0 where both are 0.
    """
    gain = value - over if record.header.objective.maximizes else over - value
    size = max(abs(value), abs(over))
    return gain / size if size else 0.0
