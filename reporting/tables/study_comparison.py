"""Several studies of one task in the same tables, as columns or as blocks of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reporting.results.headings import heading, ledger_line, status_lines
from reporting.tables.arm_tables import tables_of
from reporting.tables.table import Block
from tasks.task import Task
from tuning.records.study_record import StudyRecord

Study = tuple[StudyRecord, Task]


def blocks(studies: Sequence[Study]) -> list[Block]:
    """Return one block for comparable studies, else one per study.

    Where studies share a task and are still not comparable, the first block names the reason.
    """
    why = not_comparable(studies)
    if why is None:
        return [_block(studies)]
    first, *others = [_block([study]) for study in studies]
    if len({record.task for record, _ in studies}) < len(studies):
        first = replace(first, before=(why, *first.before))
    return [first, *others]


def not_comparable(studies: Sequence[Study]) -> str | None:
    """Return why these studies cannot share their tables; None where they can, or for one study."""
    records = [record for record, _ in studies]
    if len({record.task for record in records}) > 1:
        return "One below another, since they ask different tasks."
    if len({record.header.sample for record in records}) > 1:
        return "One below another, since a sample cannot be compared with whole data."
    if not set.intersection(*({arm.name for arm in record.arms} for record in records)):
        return "One below another, since they have no arm in common."
    return None


def _block(studies: Sequence[Study]) -> Block:
    task = max((task for _, task in studies), key=lambda task: len(task.arms))
    records = [record for record, _ in studies]
    names = [record.name for record in records]
    # Studies of the same name are distinguished by their folders.
    named = {str(one.folder) if names.count(one.name) > 1 else one.name: one for one in records}
    prefixed = {f"{name}: " if len(studies) > 1 else "": record for name, record in named.items()}
    data = {record.header.data.fingerprint for record in records}
    other_data = ["The studies used different images or splits: their numbers differ for that alone."]
    return Block(
        heading=heading(records[0], task, list(named)),
        before=(
            f"Source: {task.source}",
            *(other_data if len(data) > 1 else []),
            *(prefix + line for prefix, record in prefixed.items() for line in status_lines(record)),
        ),
        tables=tuple(tables_of(named, task)),
        after=tuple(prefix + ledger_line(record) for prefix, record in prefixed.items()),
    )
