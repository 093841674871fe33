"""A study's results as the document prints them, each measured number beside the published one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reporting import quantities
from reporting.cells import Cell, Footnotes, Heading, RenderedTable
from reporting.effort import what_it_took
from reporting.evidence import gather
from reporting.evidence_table import evidence_table
from reporting.headlines import titled
from reporting.published import Published, read_published
from reporting.quantities import ABSENT
from reporting.rows import Row, best_row, rows
from search_spaces.wording import setting
from tasks.task import Column, Table, Task, load_task
from tuning.records import StudyRecord, read_started

if TYPE_CHECKING:
    import pandas


def summarize(study: Path) -> pandas.DataFrame:
    """One row an arm of the study in that folder: every metric, its deviation, its published number."""
    from reporting.frames import arms_frame  # pandas takes most of a second, which the other renderers save

    record, task = open_study(study)
    return arms_frame(record, task, read_published(task))


def open_study(study: Path) -> tuple[StudyRecord, Task]:
    """The study in that folder and its question. Raises StudyNotFound, or UnknownTask where its file is gone."""
    record = read_started(study)
    task = load_task(record.task)
    return record, task.sampled() if task.sample and record.header.get("sample") else task


def document_tables(record: StudyRecord, task: Task, published: Published | None = None) -> list[RenderedTable]:
    """The task's tables as final text; below the first, what its numbers took and why to believe them."""
    numbers = read_published(task) if published is None else published
    found = rows(record)
    arms = [row for row in found if not row.members]
    first, *others = [document_table(record, task, table, found, numbers) for table in task.tables]
    return [first, what_it_took(record, arms), evidence_table(record, arms, gather(record, arms)), *others]


def document_table(
    record: StudyRecord, task: Task, table: Table, found: Sequence[Row], published: Published
) -> RenderedTable:
    notes = Footnotes()
    columns = columns_of(table)
    shown = shown_rows(record, task, table, found, published)
    names = published.rows(table.name)
    return RenderedTable(
        name=table.name,
        title=titled(record, table.title),
        headings=tuple(
            Heading(
                text=column.heading,
                compared=any(published.get(table.name, name, column.field) for name in names),
                prose=column.field in ("label", "note"),
            )
            for column in columns
        ),
        rows=tuple(tuple(cell_of(row, column, notes, published, table.name) for column in columns) for row in shown),
        notes=tuple(notes.notes),
    )


def columns_of(table: Table) -> tuple[Column, ...]:
    """A table's columns; the first names the row."""
    named = bool(table.columns) and table.columns[0].field == "label"
    return table.columns if named else (Column(field="label", heading="Model Type"), *table.columns)


def shown_rows(record: StudyRecord, task: Task, table: Table, found: Sequence[Row], published: Published) -> list[Row]:
    """The table's rows; what only the document has comes last."""
    shown = list(found)
    if table.rows == "best":
        nothing = Row(arm="", label=ABSENT, state="missing", status="no arm has a finished trial")
        shown = [best_row(record, found) or nothing]
    of_study = {row.arm: row for row in found}
    labels = {arm.name: arm.label for arm in (*task.arms, *task.more_arms)}
    for name in published.rows(table.name):
        if name in {row.arm for row in shown}:
            continue
        if name in of_study:
            above = "; this study's best by validation stands above it" if shown[0].arm else ""
            row, why = of_study[name], f"the document's best model{above}"
        elif name in labels:
            row, why = Row(arm=name, label=labels[name], state="missing"), "not part of this study"
        else:
            row, why = Row(arm=name, label=name, state="missing"), "published only: not an arm of this task"
        shown.append(replace(row, status="; ".join(filter(None, (why, row.status)))))
    return shown


def cell_of(row: Row, column: Column, notes: Footnotes, published: Published, table: str) -> Cell:
    if column.field == "label":
        return Cell(text=notes.mark(row.label, row.note, row.status))
    measured = _measured(row, column)
    metric = row.metrics.get(column.field)
    if metric is not None and metric.n < len(row.seeds) and not row.members:
        measured = notes.mark(measured, f"over {metric.n} of {len(row.seeds)} seeds: in the others not a finite number")
    value = published.get(table, row.arm, column.field)
    return Cell(text=measured, published=ABSENT if value is None else notes.mark(value.text, value.note))


def _measured(row: Row, column: Column) -> str:
    unit = None if column.in_seconds else quantities.UNITS.get(column.field)
    metric = row.metrics.get(column.field)
    if metric is not None:
        return unit(metric.mean) if unit else quantities.mean_and_deviation(metric.mean, metric.std, column.digits)
    fact = row.facts.get(column.field)
    if fact is not None:
        return unit(fact) if unit else f"{fact:.{column.digits}f}"
    if column.field in row.config:
        return setting(row.config[column.field])
    return (row.note or ABSENT) if column.field == "note" else ABSENT
