"""The page `report.html`, self-contained: it needs neither a network nor a second file.

Its sections follow the order of reading: result, audit, plots, trials, question, commands that reproduce the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from errors import pluralize
from reporting.audit.audit import Audit
from reporting.formats.html import templates
from reporting.plots.axis_effects import condition_of
from reporting.plots.figure import Picture
from reporting.report.winner_summary import winner_summary
from reporting.results.headings import heading, ledger_line, status_lines
from reporting.tables.arm_tables import document_tables
from reporting.tables.trial_table import trial_list
from search_spaces.formatting import format_value
from tasks.task import Task
from tuning.records.events import TrialRole
from tuning.records.header import AnyAxis, ArmHeader, ChoiceAxis
from tuning.records.study_record import StudyRecord

SECTIONS = {
    "tables": "Result",
    "verdict": "Audit",
    "mistakes": "Mistakes of the winner",
    "curves": "Curves of the arms",
    "effects": "Effects of each axis",
    "trials": "Trials",
    "question": "The question",
    "reproduce": "What reproduces this",
}
Embedded = tuple[Picture, str]  # a plot and its data URI
ArmEffects = tuple[str, Sequence[str], Sequence[Embedded]]  # an arm's title, remarks on missing plots, its plots


def page(
    record: StudyRecord,
    task: Task,
    audit: Audit,
    curves: Sequence[Embedded] = (),
    effects: Sequence[ArmEffects] = (),
    confusion: str = "",
) -> str:
    """Render the report of a study.

    Args:
        record: The study.
        task: The task of the study.
        audit: The result of its audit.
        curves: Plots of all arms; without any, the page has no such section.
        effects: Plots of each arm's axes; without any, the page has no such section.
        confusion: Confusion matrix of the winner as a data URI; empty where none was drawn.

    Returns:
        The page as HTML.
    """
    title, *more = heading(record, task).split("\n")
    trials = [trial_list(record, arm.name) for arm in record.arms if record.of_arm(arm.name)]
    winner = winner_summary(record)
    optional = {
        "mistakes": confusion or (winner is not None and winner.mistakes),
        "curves": curves,
        "effects": effects,
        "trials": trials,
    }
    template = templates().get_template("report.html")
    return template.render(
        record=record,
        title=title,
        warnings=[*more, *status_lines(record)],
        sections={name: text for name, text in SECTIONS.items() if optional.get(name, True)},
        task=task,
        arms=[_arm(record, arm) for arm in record.arms],
        audit=audit,
        tables=document_tables(record, task),
        ledger=ledger_line(record),
        winner=winner,
        confusion=confusion,
        **optional,
    )


def _arm(record: StudyRecord, arm: ArmHeader) -> dict[str, Any]:
    """Describe an arm: its name, its number of trials, and the axes that varied."""
    trials = pluralize(len(record.of_arm(arm.name, TrialRole.SEARCH)), "trial", "trials")
    return {
        "name": arm.name,
        "heading": f"{arm.title}{f' ({arm.note})' if arm.note else ''}",
        "trials": f"{trials}, {arm.max_epochs} epochs each at most",
        "varied": {axis.name: _range(axis) for axis in arm.axes if _range(axis)},
    }


def _range(axis: AnyAxis) -> str:
    """Write the range of an axis; empty where the axis had one value."""
    with_ = f", {condition_of(axis)}" if axis.when else ""
    if isinstance(axis, ChoiceAxis):
        return ", ".join(map(format_value, axis.values)) + with_ if len(axis.values) > 1 else ""
    if axis.low == axis.high:
        return ""
    return f"{format_value(axis.low)} to {format_value(axis.high)}{' (logarithmic)' if axis.log else ''}{with_}"
