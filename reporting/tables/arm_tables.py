"""A study's results as the document prints them, each measured number beside the published one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reporting.results.arm_results import ArmResult, best_arm, summarize_arms
from reporting.results.correct_predictions import correctness
from reporting.results.headings import titled
from reporting.results.reference_results import Published, read_published
from reporting.significance.uncertainty import across_studies, collect_uncertainty
from reporting.tables import formatting
from reporting.tables.cost_table import cost_table
from reporting.tables.formatting import ABSENT
from reporting.tables.table import Cell, Heading, NotedText, RenderedTable, stacked
from reporting.tables.uncertainty_table import evidence_table, remarks
from search_spaces.formatting import format_value
from tasks.task import Column, Table, Task, load_task
from tuning.records.study_record import StudyRecord, read_started

if TYPE_CHECKING:
    pass


def open_study(study: Path) -> tuple[StudyRecord, Task]:
    """The study in that folder and its question. Raises StudyNotFound, or UnknownTask where its file is gone."""
    record = read_started(study)
    task = load_task(record.task)
    return record, task.sampled() if task.sample and record.header.sample else task


@dataclass(frozen=True, kw_only=True)
class NamedStudy:
    """A study as a column or a block of a table."""

    name: str
    record: StudyRecord
    rows: Sequence[ArmResult]

    @property
    def arms(self) -> list[ArmResult]:
        """Its rows but for the averages of several models."""
        return [row for row in self.rows if not row.members]


def document_tables(record: StudyRecord, task: Task, published: Published | None = None) -> list[RenderedTable]:
    """Render the task's tables for one study: see `tables_of`."""
    numbers = read_published(task) if published is None else published
    return tables_of([NamedStudy(name=record.name, record=record, rows=summarize_arms(record))], task, numbers)


def tables_of(studies: Sequence[NamedStudy], task: Task, published: Published) -> list[RenderedTable]:
    """Render the task's tables; below the first, the compute cost and the evidence.

    Args:
        studies: One study, or several that stand side by side.
        task: What they asked.
        published: The document's own numbers.
    """
    names = [study.name for study in studies]
    first, *others = [document_table(studies, task, table, published) for table in task.tables]
    took = stacked(names, [cost_table(study.record, study.arms) for study in studies])
    evidence = {study.name: collect_uncertainty(study.record, study.arms) for study in studies}
    believed = stacked(names, [evidence_table(study.record, study.arms, evidence[study.name]) for study in studies])
    if len(studies) > 1:
        words = correctness(studies[0].record).words
        believed = replace(believed, remarks=tuple(remarks(across_studies(evidence), words)))
    return [first, took, believed, *others]


def document_table(studies: Sequence[NamedStudy], task: Task, table: Table, published: Published) -> RenderedTable:
    """Lay out a table of the task: a row an arm, and for each field a column a study.

    A table of the best arm has a row a study instead, since each study has its own.

    Args:
        studies: One study, or several that stand side by side.
        task: What they asked.
        table: One of its tables.
        published: The document's own numbers, which stand once, beside the last study.
    """
    several = len(studies) > 1
    if several and table.rows == "best":
        tables = [document_table([study], task, table, published) for study in studies]
        return stacked([study.name for study in studies], [replace(one, rows=one.rows[:1]) for one in tables])
    label, *columns = columns_of(table)
    shown = {
        study.name: {row.arm: row for row in shown_rows(study.record, task, table, study.rows, published)}
        for study in studies
    }
    last = studies[-1].name
    compared = {column for name, row, column in published.values if name == table.name}
    return RenderedTable(
        name=table.name,
        title=titled(studies[0].record, table.title),
        headings=(
            Heading(text=label.heading, prose=True),
            *(
                Heading(
                    text=f"{column.heading}, {name}" if several else column.heading,
                    compared=column.field in compared and name == last,
                    prose=column.field == "note",
                )
                for column in columns
                for name in shown
            ),
        ),
        rows=tuple(
            _arm_row(arm, shown, columns, published, table)
            for arm in dict.fromkeys(arm for of_study in shown.values() for arm in of_study)
        ),
    )


def _arm_row(
    arm: str,
    shown: Mapping[str, Mapping[str, ArmResult]],
    columns: Sequence[Column],
    published: Published,
    table: Table,
) -> tuple[Cell, ...]:
    """Lay out one arm of all studies. A footnote that only some of them have names its study."""
    missing = ArmResult(arm=arm, label=arm, state="missing", status="not part of this study")
    of_arm = {name: of_study.get(arm, missing) for name, of_study in shown.items()}
    labels = [row.label for row in of_arm.values() if row.state != "missing"]
    first = next(iter(of_arm.values()))
    if all(row.notes == first.notes for row in of_arm.values()):
        notes = first.notes
    else:
        notes = tuple(f"{name}: {'; '.join(row.notes)}" for name, row in of_arm.items() if row.notes)
    last = list(of_arm)[-1]
    return (
        Cell(text=labels[0] if labels else first.label, notes=notes),
        *(
            cell_of(row, column, published if name == last else Published(), table.name)
            for column in columns
            for name, row in of_arm.items()
        ),
    )


def columns_of(table: Table) -> tuple[Column, ...]:
    """A table's columns; the first names the row."""
    named = bool(table.columns) and table.columns[0].field == "label"
    return table.columns if named else (Column(field="label", heading="Model Type"), *table.columns)


def shown_rows(
    record: StudyRecord, task: Task, table: Table, found: Sequence[ArmResult], published: Published
) -> list[ArmResult]:
    """The table's rows; what only the document has comes last."""
    shown = list(found)
    if table.rows == "best":
        nothing = ArmResult(arm="", label=ABSENT, state="missing", status="no arm has a finished trial")
        shown = [best_arm(record, found) or nothing]
    of_study = {row.arm: row for row in found}
    labels = {arm.name: arm.label for arm in (*task.arms, *task.more_arms)}
    for name in published.rows(table.name):
        if name in {row.arm for row in shown}:
            continue
        if name in of_study:
            above = "; this study's best by validation stands above it" if shown[0].arm else ""
            row, why = of_study[name], f"the document's best model{above}"
        elif name in labels:
            row, why = ArmResult(arm=name, label=labels[name], state="missing"), "not part of this study"
        else:
            row, why = ArmResult(arm=name, label=name, state="missing"), "published only: not an arm of this task"
        shown.append(replace(row, status="; ".join(filter(None, (why, row.status)))))
    return shown


def cell_of(row: ArmResult, column: Column, published: Published, table: str) -> Cell:
    """Set one measured value beside the document's."""
    metric = row.metrics.get(column.field)
    notes: tuple[str, ...] = ()
    if metric is not None and metric.n < len(row.seeds) and not row.members:
        notes = (f"over {metric.n} of {len(row.seeds)} seeds: in the others not a finite number",)
    value = published.get(table, row.arm, column.field)
    printed = (value.text, value.note) if value else (ABSENT, "")
    return Cell(
        text=_measured(row, column),
        notes=notes,
        published=NotedText(text=printed[0], notes=tuple(filter(None, printed[1:]))),
    )


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
