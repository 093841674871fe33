"""Several studies of one question in the same tables: a column a study where rows are arms, else a block a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reporting.cells import Cell, Footnotes, Heading, RenderedTable, split_marks
from reporting.effort import what_it_took
from reporting.evidence import Comparison, Evidence, compared, corrected, gather
from reporting.evidence_table import evidence_table, remarks
from reporting.headlines import NOT_COMPARABLE, heading, is_sample, ledger_line, status_lines, titled
from reporting.predictions import correctness
from reporting.published import Published, read_published
from reporting.rows import Row, rows
from reporting.tables import cell_of, columns_of, document_tables, shown_rows
from tasks.task import Column, Table, Task
from tuning.records.study_record import StudyRecord

Study = tuple[StudyRecord, Task]


@dataclass(frozen=True, kw_only=True)
class Block:
    """What stands under one heading: one study, or several side by side."""

    heading: str
    before: tuple[str, ...]  # what to know first
    tables: tuple[RenderedTable, ...]
    after: tuple[str, ...]


def blocks(studies: Sequence[Study]) -> list[Block]:
    """One block where the studies can stand side by side; else one a study, and why, where they ask the same task."""
    if len(studies) > 1:
        why = not_comparable(studies)
        if why is None:
            return [_together(studies)]
        first, *others = [_alone(study) for study in studies]
        said = (why,) if len({record.task for record, _ in studies}) < len(studies) else ()
        return [_with_first_line(first, said), *others]
    return [_alone(study) for study in studies]


def not_comparable(studies: Sequence[Study]) -> str | None:
    """Why these studies cannot share their tables, in one line; None where they can."""
    records = [record for record, _ in studies]
    if len({record.task for record in records}) > 1:
        return "One below another, since they ask different tasks."
    if len({is_sample(record) for record in records}) > 1:
        return "One below another, since a sample cannot be compared with whole data."
    if not set.intersection(*({arm.name for arm in record.arms} for record in records)):
        return "One below another, since they have no arm in common."
    return None


def _alone(study: Study) -> Block:
    record, task = study
    return Block(
        heading=heading(record, task),
        before=(f"Source: {task.source}", *status_lines(record)),
        tables=tuple(document_tables(record, task)),
        after=(ledger_line(record),),
    )


def _with_first_line(block: Block, said: tuple[str, ...]) -> Block:
    return replace(block, before=(*said, *block.before))


def _together(studies: Sequence[Study]) -> Block:
    records = [record for record, _ in studies]
    task = max((task for _, task in studies), key=lambda task: len(task.arms))
    names = _names(records)
    found = [rows(record) for record in records]
    arms = [[row for row in of_study if not row.members] for of_study in found]
    evidence = [gather(record, of_study) for record, of_study in zip(records, arms, strict=True)]
    published = read_published(task)
    sample = f"\n{NOT_COMPARABLE}" if is_sample(records[0]) else ""
    data = {record.header.data.fingerprint for record in records}
    other_data = ["The studies used different images or splits: their numbers differ for that alone."]
    first, *others = [_table(records, task, table, found, names, published) for table in task.tables]
    effort = _stacked([what_it_took(*one) for one in zip(records, arms, strict=True)], names)
    return Block(
        heading=f"{task.title} (studies {', '.join(f'{records[0].task}/{name}' for name in names)}){sample}",
        before=(
            f"Source: {task.source}",
            *(other_data if len(data) > 1 else []),
            *(f"{name}: {line}" for name, record in zip(names, records, strict=True) for line in status_lines(record)),
        ),
        tables=(first, effort, _evidence(records, arms, evidence, names), *others),
        after=tuple(f"{name}: {ledger_line(record)}" for name, record in zip(names, records, strict=True)),
    )


def _names(records: Sequence[StudyRecord]) -> list[str]:
    """Each study's name; with its folder where two have the same."""
    names = [record.name for record in records]
    return [str(record.folder) if names.count(record.name) > 1 else record.name for record in records]


def _table(
    records: Sequence[StudyRecord],
    task: Task,
    table: Table,
    found: Sequence[Sequence[Row]],
    names: Sequence[str],
    published: Published,
) -> RenderedTable:
    shown = [
        shown_rows(record, task, table, of_study, published) for record, of_study in zip(records, found, strict=True)
    ]
    label, *columns = columns_of(table)
    compared_fields = {
        column.field
        for column in columns
        for row in published.rows(table.name)
        if published.get(table.name, row, column.field)
    }
    notes = Footnotes()
    if table.rows == "best":  # each study has its own best arm
        head = [Heading(text="Study", prose=True), Heading(text=label.heading, prose=True)]
        head += [
            Heading(text=column.heading, compared=column.field in compared_fields, prose=column.field == "note")
            for column in columns
        ]
        body = [
            (
                Cell(text=name),
                *(cell_of(row, column, notes, published, table.name) for column in (label, *columns)),
            )
            for name, of_study in zip(names, shown, strict=True)
            for row in of_study[:1]
        ]
    else:
        head = [Heading(text=label.heading, prose=True)]
        for column in columns:
            head += [
                Heading(
                    text=f"{column.heading}, {name}",
                    compared=column.field in compared_fields and name == names[-1],
                    prose=column.field == "note",
                )
                for name in names
            ]
        arms = list(dict.fromkeys(row.arm for of_study in shown for row in of_study))
        body = [_arm_row(arm, shown, columns, notes, published, table, names) for arm in arms]
    return RenderedTable(
        name=table.name,
        title=titled(records[0], table.title),
        headings=tuple(head),
        rows=tuple(body),
        notes=tuple(notes.notes),
    )


def _arm_row(
    arm: str,
    shown: Sequence[Sequence[Row]],
    columns: Sequence[Column],
    notes: Footnotes,
    published: Published,
    table: Table,
    names: Sequence[str],
) -> tuple[Cell, ...]:
    """One arm in all studies; the document's number stands once, beside the last of them."""
    missing = Row(arm=arm, label=arm, state="missing", status="not part of this study")
    of_studies = [next((row for row in of_study if row.arm == arm), missing) for of_study in shown]
    label = next((row.label for row in of_studies if row.state != "missing"), of_studies[0].label)
    said = {name: "; ".join(filter(None, (row.note, row.status))) for name, row in zip(names, of_studies, strict=True)}
    if len(set(said.values())) == 1:
        why = [said[names[0]]]
    else:
        why = [f"{name}: {text}" for name, text in said.items() if text]
    cells = [Cell(text=notes.mark(label, *why))]
    for column in columns:
        for name, row in zip(names, of_studies, strict=True):
            cells.append(cell_of(row, column, notes, published if name == names[-1] else Published(), table.name))
    return tuple(cells)


def _stacked(tables: Sequence[RenderedTable], names: Sequence[str]) -> RenderedTable:
    """A block of rows a study; columns that one lacks are empty in its rows, footnotes are numbered anew."""
    notes = Footnotes()
    columns: dict[str, Heading] = {}  # by their text without marks
    body: list[dict[str, str]] = []
    for name, table in zip(names, tables, strict=True):
        texts = []
        for heading_ in table.headings:
            text, marks = split_marks(heading_.text, len(table.notes))
            texts.append(text)
            marked = notes.mark(text, *(table.notes[mark - 1] for mark in marks))
            columns.setdefault(text, Heading(text=marked, prose=heading_.prose))
        for row in table.rows:
            cells = {"Study": name}
            for text, cell in zip(texts, row, strict=True):
                words, marks = split_marks(cell.text, len(table.notes))
                cells[text] = notes.mark(words, *(table.notes[mark - 1] for mark in marks))
            body.append(cells)
    return RenderedTable(
        name=tables[0].name,
        title=tables[0].title,
        headings=(Heading(text="Study", prose=True), *columns.values()),
        rows=tuple(tuple(Cell(text=cells.get(text, "-")) for text in ("Study", *columns)) for cells in body),
        notes=tuple(notes.notes),
        commands=tuple(command for table in tables for command in table.commands),
    )


def _evidence(
    records: Sequence[StudyRecord],
    arms: Sequence[Sequence[Row]],
    evidence: Sequence[Evidence],
    names: Sequence[str],
) -> RenderedTable:
    """Each study's own comparisons, then each arm in a later study against the first, all corrected together."""
    stacked = _stacked([evidence_table(*one) for one in zip(records, arms, evidence, strict=True)], names)
    comparisons: list[Comparison] = []
    for name, one in zip(names, evidence, strict=True):
        comparisons += [
            compared(
                one.of(comparison.arm),
                one.of(comparison.minus),
                (f"{name}/{comparison.arm}", f"{name}/{comparison.minus}"),
            )
            for comparison in one.comparisons
        ]
    tested = [{arm.arm: arm for arm in one.arms if arm.images is not None} for one in evidence]
    for name, later in zip(names[1:], tested[1:], strict=True):
        comparisons += [
            compared(later[arm], tested[0][arm], (f"{name}/{arm}", f"{names[0]}/{arm}"))
            for arm in later
            if arm in tested[0]
        ]
    return replace(stacked, remarks=tuple(remarks(corrected(comparisons), correctness(records[0]).words)))
