"""The lines around a study's tables: which study, how far it came, how often the test split was opened."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.task import Task
from tuning.records.study_record import StudyRecord

NOT_COMPARABLE = "(sample data, so not comparable with the published numbers)"  # below the heading of a sample
SAMPLE = "sample data"  # beside every number of a sample; the heading says what that means


def heading(record: StudyRecord, task: Task, names: Sequence[str] = ()) -> str:
    """Write the title of a study, or of several side by side.

    Args:
        record: The study, or the first of several.
        task: What it asked.
        names: The names of all that stand under the title, in place of the record's own.
    """
    studies = [f"{record.task}/{name}" for name in names or [record.name]]
    title = f"{task.title} ({'study' if len(studies) == 1 else 'studies'} {', '.join(studies)})"
    return f"{title}\n{NOT_COMPARABLE}" if record.header.sample else title


def titled(record: StudyRecord, title: str) -> str:
    """A table's title; every table of a sample says so itself, since tables are copied out one by one."""
    return f"{title} ({SAMPLE})" if record.header.sample else title


def status_lines(record: StudyRecord) -> list[str]:
    """What a reader must know before the numbers: nothing of a study that ran to its end on whole data."""
    because = f" ({record.reason})" if record.reason else ""
    lines = []
    if record.status == "running":
        lines.append("This study has no end yet: it is running, or its process died. The numbers may still change.")
    elif record.status == "interrupted":
        lines.append(f"This study was interrupted{because}: the numbers are those so far.")
    elif record.status != "completed":
        lines.append(f"This study ended early, {record.status}{because}: the numbers are those until then.")
    return [*lines, *(f"Data: {notice}" for notice in record.header.data.notices)]


def ledger_line(record: StudyRecord) -> str:
    """test split opened: 2 times (from_scratch: confirmed winners; fine_tuned: confirmed winners)"""
    number = len(record.ledger)
    if not number:
        return "test split opened: never"
    # A reason may name its arm itself.
    reasons = "; ".join(
        entry.reason if entry.arm in entry.reason else f"{entry.arm}: {entry.reason}" for entry in record.ledger
    )
    return f"test split opened: {number} {'time' if number == 1 else 'times'} ({reasons})"
