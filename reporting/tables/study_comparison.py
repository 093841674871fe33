"""Several studies of one question in the same tables: a column a study where rows are arms, else a block a study."""

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
    """One block where the studies can stand side by side; else one a study, and why, where they ask the same task."""
    why = not_comparable(studies)
    if why is None:
        return [_block(studies)]
    first, *others = [_block([study]) for study in studies]
    if len({record.task for record, _ in studies}) < len(studies):
        first = replace(first, before=(why, *first.before))
    return [first, *others]


def not_comparable(studies: Sequence[Study]) -> str | None:
    """Why these studies cannot share their tables, in one line; None where they can, or where there is one."""
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
    # With its folder where two have the same name.
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
