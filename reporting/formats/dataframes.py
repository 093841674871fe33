"""The data frames of a study, with a row per arm, trial or epoch, and its CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas

from reporting.csv_text import csv_rows
from reporting.formats.summary_json import published_of
from reporting.results.arm_results import ArmResult, best_arm, summarize_arms
from reporting.results.reference_results import Published, read_published
from reporting.results.trial_rows import Records, side_by_side, trial_groups
from reporting.significance.uncertainty import Evidence, collect_uncertainty
from reporting.tables.arm_tables import open_study
from reporting.tables.study_comparison import Study
from tasks.task import Table, Task
from tuning.records.study_record import StudyRecord


def arms_frame(record: StudyRecord, task: Task, published: Published) -> pandas.DataFrame:
    """Return a frame with a row per arm.

    Args:
        record: The study.
        task: The task of the study.
        published: The task's published numbers.

    Returns:
        Column `<metric>` is the mean over seeds, `<metric>_std` their sample deviation, `<metric>_n` the number of
        seeds, `published_<metric>` the published number.
    """
    found = summarize_arms(record)
    values = [published_of(task, published, row.arm) for row in found]
    evidence = collect_uncertainty(record, found)
    return _frame(
        [_identity(record, row) for row in found],
        [
            {
                "state": row.state,
                "status": row.status or None,
                "seeds": " ".join(map(str, row.seeds)) or None,
                **{f"trials_{status}": number for status, number in row.trials.items()},
                "search_epochs": row.search_epochs,
                "search_train_seconds": row.search_train_seconds,
            }
            for row in found
        ],
        [row.config for row in found],
        [_spread(row) for row in found],
        [row.facts for row in found],
        [_evidence(evidence, row.arm) for row in found],
        [{f"published_{name}": value.number for name, value in of_arm.items()} for of_arm in values],
    )


def _evidence(evidence: Evidence, arm: str) -> dict[str, Any]:
    """Return the uncertainty columns of an arm.

    `best_less_this` is the accuracy of the arm best on validation minus this arm's, on the same test images.
    """
    one = evidence.of(arm)
    against = next((comparison for comparison in evidence.comparisons if comparison.minus == arm), None)
    low, high = one.interval or (None, None)
    result = against.result if against else None
    below, above = result.interval if result else (None, None)
    return {
        "test_images": one.images,
        f"{one.metric}_low": low,
        f"{one.metric}_high": high,
        "all_epochs": one.epochs,
        "all_compute_seconds": one.compute_seconds,
        "best_less_this": result.difference if result else None,
        "best_less_this_low": below,
        "best_less_this_high": above,
        "best_less_this_p": against.p if against else None,
        "command": one.command,
    }


def table_frame(record: StudyRecord, table: Table, published: Published) -> pandas.DataFrame:
    """Return one of the task's tables as numbers.

    Args:
        record: The study.
        table: A table of its task.
        published: The task's published numbers, which stay text as the report prints them.

    Returns:
        A row per arm. A table of the best arm has one row, or none where no arm has a result.
    """
    found: Sequence[ArmResult] = summarize_arms(record)
    if table.rows == "best":
        best = best_arm(record, found)
        found = [best] if best is not None else []
    cells: Records = []
    for row in found:
        spread = {**row.config, **row.facts, **_spread(row)}
        cell: dict[str, Any] = {}
        for column in table.columns:
            if column.field in ("label", "note"):
                continue  # the columns of `_identity` have them
            cell[column.field] = spread.get(column.field)
            beside = (f"{column.field}_std", f"{column.field}_n")
            cell |= {name: spread[name] for name in beside if name in spread}
            value = published.get(table.name, row.arm, column.field)
            cell[f"published_{column.field}"] = None if value is None else value.text
            if value is not None and value.note:
                cell[f"published_{column.field}_note"] = value.note
        cells.append(cell)
    return _frame([_identity(record, row) for row in found], cells)


def trials_frame(record: StudyRecord) -> pandas.DataFrame:
    """Return a frame with a row per trial in the order they were created.

    Each axis is a column, empty where the trial does not have the axis.
    """
    return _frame(*trial_groups(record))


def history_frame(record: StudyRecord) -> pandas.DataFrame:
    """Return a frame with a row per epoch, trial by trial."""
    sample = record.header.sample
    epochs = [(trial, epoch) for trial in record.trials.values() for epoch in trial.epochs]
    return _frame(
        [{"trial": trial.trial, "arm": trial.arm, "role": trial.role, "epoch": epoch.epoch} for trial, epoch in epochs],
        [epoch.metrics for _, epoch in epochs],
        [{f"seconds_{phase}": value for phase, value in epoch.seconds.items()} for _, epoch in epochs],
        [{"time": epoch.time, "sample": sample} for _, epoch in epochs],
    )


def to_csv(frame: pandas.DataFrame) -> str:
    """Return the frame as CSV text with the same bytes on every platform."""
    text = frame.to_csv(index=False, lineterminator="\r\n")
    return csv_rows(csv.reader(io.StringIO(text, newline="")))


def _identity(record: StudyRecord, row: ArmResult) -> dict[str, Any]:
    return {
        "task": record.task,
        "study": record.name,
        "sample": record.header.sample,
        "arm": row.arm,
        "label": row.label,
        "note": row.note or None,
    }


def _spread(row: ArmResult) -> dict[str, float | int | None]:
    spread: dict[str, float | int | None] = {}
    for name, metric in row.metrics.items():
        spread |= {name: metric.mean, f"{name}_std": metric.std, f"{name}_n": metric.n}
    return spread


def _frame(*groups: Records) -> pandas.DataFrame:
    """Join groups of columns, each a list of one record per row, in the order the columns first occur."""
    columns, rows = side_by_side(groups)
    return pandas.DataFrame({name: _series([row[name] for row in rows]) for name in columns})


def _series(values: list[Any]) -> pandas.Series[Any]:
    """Keep whole numbers whole where some are missing: pandas would turn 4 blocks into 4.0 blocks."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int}:
        return pandas.Series(values, dtype="Int64")
    if kinds and kinds <= {int, float}:
        return pandas.Series(values, dtype="float64")
    if kinds == {str}:
        return pandas.Series(values, dtype="str")
    return pandas.Series(values, dtype="bool" if kinds == {bool} and None not in values else "object")


def summarize(study: Path) -> pandas.DataFrame:
    """Return a frame with a row per arm of the study in a folder: metrics, deviations, published numbers."""
    record, task = open_study(study)
    return arms_frame(record, task, read_published(task))


def render(studies: Sequence[Study]) -> str:
    """Render a CSV row per arm, one study below another.

    A column that a study lacks is empty in the study's rows.
    """
    frames = [arms_frame(record, task, read_published(task)) for record, task in studies]
    return to_csv(pandas.concat(frames, ignore_index=True))
