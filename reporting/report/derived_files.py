"""The files derived from a study's events; they can be deleted and written again without change."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import msgspec

from atomic_file import write_atomically
from reporting.formats.dataframes import arms_frame, history_frame, table_frame, to_csv, trials_frame
from reporting.formats.latex import latex_table
from reporting.formats.markdown import markdown_table
from reporting.formats.summary_json import json_text, summary
from reporting.plots.learning_curves import NAME as CURVES
from reporting.plots.learning_curves import draw_curves
from reporting.results.reference_results import read_published
from reporting.tables.arm_tables import document_tables, open_study
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord


def write_derived(study: Path) -> None:
    """Write study.json, trials.csv, history.csv, tables/ and plots/ beside events.jsonl.

    Raises:
        StudyNotFound: When the folder has no readable study.
        UnknownTask: When the study's task does not exist.
        OSError: When a file cannot be written.
    """
    record, task = open_study(study)
    published = read_published(task)
    paths = StudyPaths(study)
    write = functools.partial(write_atomically, synced=False)  # not synced to disk, since they can be derived again
    write(paths.header, json_text(description(record)))
    write(paths.trials, to_csv(trials_frame(record)))
    write(paths.history, to_csv(history_frame(record)))
    for table in document_tables(record, task, published):
        write(paths.table(f"{table.name}.md"), markdown_table(table))
        write(paths.table(f"{table.name}.tex"), latex_table(table))
    for printed in task.tables:
        write(paths.table(f"{printed.name}.csv"), to_csv(table_frame(record, printed, published)))
    write(paths.table("summary.csv"), to_csv(arms_frame(record, task, published)))
    write(paths.table("summary.json"), json_text(summary(record, task, published)))
    draw_curves(record, paths.plot(CURVES))


def description(record: StudyRecord) -> dict[str, Any]:
    """Return the content of study.json: the header as recorded, and how the study ended."""
    header = msgspec.to_builtins(record.header)
    return {
        **{name: value for name, value in header.items() if name not in ("event", "time")},
        "started_time": record.header.time,
        "ended_time": record.ended_time,
        "status": record.status,
        "reason": record.reason or None,
        "test_openings": [msgspec.structs.asdict(entry) for entry in record.ledger],
    }
