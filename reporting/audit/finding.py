"""What a check of the audit says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tuning.plan.command_line import tune_command
from tuning.records.study_record import StudyRecord

Severity = Literal["serious", "note"]  # the table may mislead; or more could be had


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One objection to a study."""

    code: str = ""  # of the check, which the audit enters
    severity: Severity
    title: str
    arm: str = ""  # empty where it concerns all of them
    sentence: str  # with its numbers
    command: str  # to run next, complete


@dataclass(frozen=True, kw_only=True)
class Inconclusive:
    """A check that had too little to go by."""

    check: str
    arm: str = ""  # or several, with commas between them; empty where it concerns all
    why: str


Check = Callable[[StudyRecord], Iterator[Finding | Inconclusive]]
Stage = Literal["search", "training", "result"]  # of a study, in the order of the audit
CHECKS: list[tuple[Stage, Check]] = []


def check(stage: Stage) -> Callable[[Check], Check]:
    """Register a function as a check of that stage; its name is the check's code."""

    def register(function: Check) -> Check:
        CHECKS.append((stage, function))
        return function

    return register


def next_command(record: StudyRecord, **changes: Any) -> str:
    """The study's own command with these settings changed, under a new name."""
    header = record.header
    return tune_command(record.task, header.settings, header.command, **changes)


def searched(record: StudyRecord) -> bool:
    """Whether the study chose its configurations itself."""
    return not record.header.settings.get("configs")


def relative_gain(record: StudyRecord, value: float, over: float) -> float:
    """By how much a value of the objective is better than another, as a share of the better one; negative if worse."""
    gain = value - over if record.header.objective.maximizes else over - value
    size = max(abs(value), abs(over))
    return gain / size if size else 0.0
