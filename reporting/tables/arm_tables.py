"""The tables of a study in the layout of the report, each measured number beside the published one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reporting.results.arm_results import ArmResult, best_arm, summarize_arms
from reporting.results.correct_predictions import correctness
from reporting.results.headings import titled
from reporting.results.reference_results import Published, PublishedValue, read_published
from reporting.significance.uncertainty import across_studies, collect_uncertainty
from reporting.tables import formatting
from reporting.tables.cost_table import cost_table
from reporting.tables.formatting import ABSENT
from reporting.tables.table import Cell, Heading, NotedText, RenderedTable, stacked
from reporting.tables.uncertainty_table import evidence_table, remarks
from search_spaces.formatting import format_value
from tasks.task import Column, Table, Task, load_task
from tuning.records.study_record import StudyRecord, read_started


def open_study(study: Path) -> tuple[StudyRecord, Task]:
    """Read the study in a folder, and its task.

    Raises:
        StudyNotFound: When the folder has no readable study.
        UnknownTask: When the study's task does not exist.
    """
    record = read_started(study)
    task = load_task(record.task)
    return record, task.sampled() if task.sample and record.header.sample else task


def document_tables(record: StudyRecord, task: Task, published: Published | None = None) -> list[RenderedTable]:
    """Render the task's tables for one study: see `tables_of`.

    Args:
        record: The study.
        task: The task of the study.
        published: The task's published numbers; None reads them.
    """
    return tables_of({record.name: record}, task, published)


def tables_of(
    studies: Mapping[str, StudyRecord], task: Task, published: Published | None = None
) -> list[RenderedTable]:
    """Render the task's tables; the compute cost and the evidence follow the first one.

    Args:
        studies: One study, or several to show side by side, by name.
        task: The task of all of them.
        published: The task's published numbers; None reads them.
    """
    printed = read_published(task) if published is None else published
    first, *others = [document_table(studies, task, table, printed) for table in task.tables]
    # Ensembles of several models appear in the task's own tables alone.
    arms = {name: [row for row in summarize_arms(record) if not row.members] for name, record in studies.items()}
    took = stacked({name: cost_table(record, arms[name]) for name, record in studies.items()})
    evidence = {name: collect_uncertainty(record, arms[name]) for name, record in studies.items()}
    believed = stacked({name: evidence_table(studies[name], arms[name], one) for name, one in evidence.items()})
    if len(studies) > 1:
        words = correctness(next(iter(studies.values()))).words
        believed = replace(believed, remarks=tuple(remarks(across_studies(evidence), words)))
    return [first, took, believed, *others]


def document_table(studies: Mapping[str, StudyRecord], task: Task, table: Table, published: Published) -> RenderedTable:
    """Render a table of the task: a row per arm, and for each field a column per study.

    A table of the best arm has a row per study instead, since each study has its own.

    Args:
        studies: One study, or several to show side by side, by name.
        task: The task of all of them.
        table: One of its tables.
        published: The task's published numbers, which appear once, beside the last study.
    """
    several = len(studies) > 1
    if several and table.rows == "best":
        tables = {name: document_table({name: record}, task, table, published) for name, record in studies.items()}
        return stacked({name: replace(one, rows=one.rows[:1]) for name, one in tables.items()})
    columns = list(table.columns)
    named = bool(columns) and columns[0].field == "label"
    label = columns.pop(0).heading if named else "Model Type"
    shown = {
        name: {row.arm: row for row in shown_rows(record, task, table, published)} for name, record in studies.items()
    }
    last = list(studies)[-1]
    compared = {column for name, row, column in published.values if name == table.name}
    headings = [
        Heading(
            text=f"{column.heading}, {name}" if several else column.heading,
            compared=column.field in compared and name == last,
            prose=column.field == "note",
        )
        for column in columns
        for name in studies
    ]
    rows = []
    for arm in dict.fromkeys(arm for of_study in shown.values() for arm in of_study):
        missing = ArmResult(arm=arm, label=arm, state="missing", status="not part of this study")
        of_arm = {name: of_study.get(arm, missing) for name, of_study in shown.items()}
        cells = [
            cell_of(row, column, published.get(table.name, arm, column.field) if name == last else None)
            for column in columns
            for name, row in of_arm.items()
        ]
        rows.append((_label(of_arm), *cells))
    return RenderedTable(
        name=table.name,
        title=titled(studies[last], table.title),
        headings=(Heading(text=label, prose=True), *headings),
        rows=tuple(rows),
    )


def _label(of_arm: Mapping[str, ArmResult]) -> Cell:
    """Write an arm's label for all studies. A footnote that only some studies have names its study."""
    first, *others = of_arm.values()
    label = next((row.label for row in of_arm.values() if row.state != "missing"), first.label)
    if all(row.notes == first.notes for row in others):
        return Cell(text=label, notes=first.notes)
    notes = tuple(f"{name}: {'; '.join(row.notes)}" for name, row in of_arm.items() if row.notes)
    return Cell(text=label, notes=notes)


def shown_rows(record: StudyRecord, task: Task, table: Table, published: Published) -> list[ArmResult]:
    """Return a table's rows in one study; rows that only the report has come last.

    Args:
        record: The study.
        task: The task of the study.
        table: One of its tables.
        published: The task's published numbers.
    """
    found = summarize_arms(record)
    shown = list(found)
    if table.rows == "best":
        nothing = ArmResult(arm="", label=ABSENT, state="missing", status="no arm has a finished trial")
        shown = [best_arm(record, found) or nothing]
    of_study = {row.arm: row for row in found}
    labels = {arm.name: arm.label for arm in (*task.arms, *task.more_arms)}
    for name in published.rows(table.name):
        if name in {row.arm for row in shown}:
            continue
        row = of_study.get(name, ArmResult(arm=name, label=labels.get(name, name), state="missing"))
        if name in of_study:
            above = "; this study's best by validation stands above it" if shown[0].arm else ""
            why = f"the report's best model{above}"
        else:
            why = "not part of this study" if name in labels else "published only: not an arm of this task"
        shown.append(replace(row, status="; ".join(filter(None, (why, row.status)))))
    return shown


def cell_of(row: ArmResult, column: Column, published: PublishedValue | None) -> Cell:
    """Return a cell with a measured value and the published one.

    Args:
        row: The arm's result.
        column: The column, whose field the cell shows.
        published: The published number; None where the report has none.
    """
    metric = row.metrics.get(column.field)
    notes: tuple[str, ...] = ()
    if metric is not None and metric.n < len(row.seeds) and not row.members:
        notes = (f"over {metric.n} of {len(row.seeds)} seeds: in the others not a finite number",)
    printed = NotedText(text=ABSENT)
    if published is not None:
        printed = NotedText(text=published.text, notes=(published.note,) if published.note else ())
    return Cell(text=_measured(row, column), notes=notes, published=printed)


def _measured(row: ArmResult, column: Column) -> str:
    unit = None if column.in_seconds else formatting.UNITS.get(column.field)
    metric = row.metrics.get(column.field)
    if metric is not None:
        return unit(metric.mean) if unit else formatting.mean_and_deviation(metric.mean, metric.std, column.digits)
    fact = row.facts.get(column.field)
    if fact is not None:
        return unit(fact) if unit else f"{fact:.{column.digits}f}"
    if column.field in row.config:
        return format_value(row.config[column.field])
    return (row.note or ABSENT) if column.field == "note" else ABSENT
