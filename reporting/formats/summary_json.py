"""The JSON of `summarize --format json`, a stable contract for other programs.

Later versions add names and never rename one; absent values are null.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reporting.results.arm_results import ArmResult, summarize_arms
from reporting.results.reference_results import Published, PublishedValue, read_published
from reporting.significance.uncertainty import collect_uncertainty, comparison_fields, evidence_fields
from reporting.tables.study_comparison import Study
from tasks.task import Task
from tuning.records.study_record import StudyRecord

SCORES = ("train_accuracy", "train_loss", "val_accuracy", "val_loss", "test_accuracy", "test_loss", "train_seconds")


def summary(record: StudyRecord, task: Task, published: Published) -> dict[str, Any]:
    """Return one study as a JSON object.

    Args:
        record: The study.
        task: The task of the study.
        published: The task's published numbers.

    Returns:
        Each arm's row has the means over its seeds at the top and their deviations under "metrics".
    """
    found = summarize_arms(record)
    evidence = collect_uncertainty(record, found)
    return {
        "task": record.task,
        "study": record.name,
        "sample": record.header.sample,
        "status": record.status,
        "reason": record.reason or None,
        "test_openings": [{"arm": entry.arm, "reason": entry.reason} for entry in record.ledger],
        "rows": [
            {
                **_row(row, published_of(task, published, row.arm)),
                "evidence": evidence_fields(evidence.of(row.arm)),
                "command": evidence.of(row.arm).command,
            }
            for row in found
        ],
        "comparisons": [comparison_fields(comparison) for comparison in evidence.comparisons],
    }


def published_of(task: Task, published: Published, arm: str) -> dict[str, PublishedValue]:
    """Return an arm's published numbers by field.

    Args:
        task: The task; the first of its tables that has a field's number decides.
        published: The task's published numbers.
        arm: Name of the arm.
    """
    values: dict[str, PublishedValue] = {}
    for table in task.tables:
        for column in table.columns:
            value = published.get(table.name, arm, column.field)
            if value is not None:
                values.setdefault(column.field, value)
    return values


def _row(row: ArmResult, published: dict[str, PublishedValue]) -> dict[str, Any]:
    means = {name: row.metrics[name].mean if name in row.metrics else None for name in SCORES}
    return {
        "arm": row.arm,
        "label": row.label,
        "note": row.note or None,
        "state": row.state,
        "status": row.status or None,
        "config": row.config or None,
        "seeds": list(row.seeds),
        **means,
        "metrics": {name: asdict(metric) for name, metric in row.metrics.items()},
        "facts": row.facts or None,
        "search": {"trials": row.trials, "epochs": row.search_epochs, "train_seconds": row.search_train_seconds},
        "published": {name: value.number for name, value in published.items()},
        "published_notes": {name: value.note for name, value in published.items() if value.note},
    }


def render(studies: Sequence[Study]) -> str:
    """Render one study as a JSON object, several as a list of objects."""
    summaries = [summary(record, task, read_published(task)) for record, task in studies]
    return json_text(summaries[0] if len(summaries) == 1 else summaries)


def json_text(value: Any) -> str:
    """Return the value as indented JSON with a final line break."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
