"""The lines around a study's tables: title, status, and openings of the test split."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.task import Task
from tuning.records.study_record import StudyRecord

NOT_COMPARABLE = "(sample data, so not comparable with the published numbers)"  # below the heading of a sample
SAMPLE = "sample data"  # in the title of every table of a sample; the heading explains it


def heading(record: StudyRecord, task: Task, names: Sequence[str] = ()) -> str:
    """Write the title of a study, or of several side by side.

    Args:
        record: The study, or the first of several.
        task: The task of all of them.
        names: Names of all studies under the title; empty for the record's own.
    """
    studies = [f"{record.task}/{name}" for name in names or [record.name]]
    title = f"{task.title} ({'study' if len(studies) == 1 else 'studies'} {', '.join(studies)})"
    return f"{title}\n{NOT_COMPARABLE}" if record.header.sample else title


def titled(record: StudyRecord, title: str) -> str:
    """Append to a table's title that its data are a sample, since tables are copied one by one.

    Args:
        record: The study.
        title: The title of the table.
    """
    return f"{title} ({SAMPLE})" if record.header.sample else title


def status_lines(record: StudyRecord) -> list[str]:
    """Write the caveats of a study's numbers; none for a completed study on whole data without notices."""
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
    """Write how often the test split was opened, and why: 2 times (from_scratch: confirmed winners; ...)."""
    number = len(record.ledger)
    if not number:
        return "test split opened: never"
    # Some reasons already contain the name of the arm.
    reasons = "; ".join(
        entry.reason if entry.arm in entry.reason else f"{entry.arm}: {entry.reason}" for entry in record.ledger
    )
    return f"test split opened: {number} {'time' if number == 1 else 'times'} ({reasons})"
