"""`report.html`: one file that needs nothing else, neither a network nor a second file. Sections in the order of
reading: the question, the verdict, the tables, the pictures, the trials, what reproduces them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from errors import pluralize
from reporting.audit.audit import Audit
from reporting.formats.html import templates
from reporting.plots.figure import Picture
from reporting.results.headings import heading, ledger_line, status_lines
from reporting.tables.table import RenderedTable
from reporting.tables.trial_table import TrialList
from search_spaces.formatting import format_value
from tasks.task import Task
from tuning.records.events import TrialRole
from tuning.records.header import AnyAxis, ArmHeader, ChoiceAxis
from tuning.records.study_record import StudyRecord

SECTIONS = {
    "question": "The question",
    "verdict": "Verdict of the audit",
    "tables": "Tables",
    "curves": "Curves of the arms",
    "effects": "Effects of each axis",
    "trials": "Trials",
    "reproduce": "What reproduces this",
}
Embedded = tuple[Picture, str]  # and its data URI


def page(
    record: StudyRecord,
    task: Task,
    *,
    tables: Sequence[RenderedTable],
    audit: Audit,
    curves: Sequence[Embedded],
    effects: Mapping[str, Sequence[Embedded]],
    remarks: Mapping[str, Sequence[str]],
    trials: Sequence[TrialList],
) -> str:
    """effects, remarks: by arm, its pictures and what there is to say where one could not be drawn."""
    title, *more = heading(record, task).split("\n")
    optional = {"curves": curves, "effects": effects, "trials": trials}
    return (
        templates()
        .get_template("report.html")
        .render(
            title=title,
            warnings=[*more, *status_lines(record)],
            sections={name: text for name, text in SECTIONS.items() if optional.get(name, True)},
            question=_question(record, task),
            arms=[_arm(record, arm) for arm in record.arms],
            audit=audit,
            tables=tables,
            ledger=ledger_line(record),
            curves=curves,
            effects=effects,
            labels={arm.name: arm.title for arm in record.arms},
            remarks=remarks,
            trials=trials,
            command=record.header.command or "not recorded",
            reproduction=_reproduction(record),
            ledger_entries=record.ledger,
            study=f"{record.task}/{record.name}",
        )
    )


def _question(record: StudyRecord, task: Task) -> dict[str, str]:
    """Describe what was asked, of which images, judged by which metric."""
    data, objective = record.header.data, record.header.objective
    images = ", ".join(f"{number:,} {split}" for split, number in data.counts.items())
    better = "higher" if objective.maximizes else "lower"
    return {
        "Asked": task.title,
        "Source": f"{task.source}{' (on sample data)' if record.header.sample else ''}",
        "Images": f"{data.title}{f' ({images})' if images else ''}".strip(),
        "Best means": f"best {objective.metric} ({better} is better), over the epochs of a trial",
    }


def _arm(record: StudyRecord, arm: ArmHeader) -> dict[str, Any]:
    """Describe an arm: its name, its number of trials, the axes that varied."""
    trials = pluralize(len(record.of_arm(arm.name, TrialRole.SEARCH)), "trial", "trials")
    return {
        "name": arm.name,
        "heading": f"{arm.title}{f' ({arm.note})' if arm.note else ''}",
        "trials": f"{trials}, {arm.max_epochs} epochs each at most",
        "varied": {axis.name: _range(axis) for axis in arm.axes if _range(axis)},
    }


def _range(axis: AnyAxis) -> str:
    """What an axis could be; empty for one that could be one thing."""
    condition = axis.when
    with_ = f", with {condition.axis} {' or '.join(map(format_value, condition.values))}" if condition else ""
    if isinstance(axis, ChoiceAxis):
        return ", ".join(map(format_value, axis.values)) + with_ if len(axis.values) > 1 else ""
    if axis.low == axis.high:
        return ""
    return f"{format_value(axis.low)} to {format_value(axis.high)}{' (logarithmic)' if axis.log else ''}{with_}"


def _reproduction(record: StudyRecord) -> dict[str, str]:
    """List the facts that a second run needs besides the command."""
    header = record.header
    return {
        "Code": header.git_commit or "",
        "Versions": _listed(header.versions),
        "Data fingerprint": header.data.fingerprint,
        "Seed": str(header.settings.get("seed", "")),
        "Confirmation seeds": ", ".join(map(str, header.confirm_seeds)),
        "Machine": _listed(header.machine),
        "Share of a trial": _listed(header.share),
    }


def _listed(entries: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in entries.items())
