"""The report of a study: its pictures under plots/, and `report.html` with everything in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atomic_file import write_atomically
from reporting.audit.audit import Audit, audit
from reporting.plots.axis_effects import effect_picture, effects, importance_picture
from reporting.plots.figure import Picture, data_uri, write_picture
from reporting.plots.learning_curves import curves_picture
from reporting.plots.trial_curves import (
    OF_INTEREST,
    axis_curves,
    axis_curves_picture,
    trial_curves,
    trial_curves_picture,
)
from reporting.report.html_page import Embedded, page
from reporting.results.headings import status_lines
from reporting.tables.arm_tables import document_tables, open_study
from reporting.tables.trial_table import trial_list
from tuning.listeners.param_importances import importances
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was written, and what the audit says."""

    path: Path
    status: tuple[str, ...]  # what to know first, such as that the study has no end yet
    pictures: tuple[Path, ...]
    audit: Audit


def write_report(study: Path) -> Report:
    """Write plots/ and report.html, each file whole or not at all. Raises StudyNotFound, UnknownTask, OSError."""
    record, task = open_study(study)
    written: list[Path] = []

    def embedded(picture: Picture) -> Embedded:
        path = StudyPaths(study).plot(picture.name)
        written.append(path)
        return picture, data_uri(write_picture(picture, path))

    of_arms = curves_picture(record)
    arms = [arm.name for arm in record.arms]
    remarks: dict[str, list[str]] = {arm: [] for arm in arms}
    found = audit(record)
    text = page(
        record,
        task,
        tables=document_tables(record, task),
        audit=found,
        curves=[embedded(of_arms)] if of_arms is not None else [],
        effects={arm: [embedded(picture) for picture in arm_pictures(record, arm, remarks[arm])] for arm in arms},
        remarks=remarks,
        trials=[trial_list(record, arm) for arm in arms if record.of_arm(arm)],
    )
    path = StudyPaths(study).report
    write_atomically(path, text, synced=False)
    return Report(path=path, status=tuple(status_lines(record)), pictures=tuple(written), audit=found)


def arm_pictures(record: StudyRecord, arm: str, remarks: list[str]) -> list[Picture]:
    """Every picture of one arm's search. What cannot be drawn is said in `remarks`, which are added to."""
    objective = record.header.objective
    pictures: list[Picture] = []
    important = importances(record, arm)
    if important.shares:
        pictures.append(importance_picture(important))
    else:
        remarks.append(f"No importances: {important.reason}.")
    pictures += [effect_picture(effect, objective) for effect in effects(record, arm)]
    shown = trial_curves(record, arm)
    if shown.curves:
        pictures.append(trial_curves_picture(shown, objective))
    # The axes that document 4 shows, and the one that mattered most.
    for axis in dict.fromkeys([*OF_INTEREST, *list(important.shares)[:1]]):
        by_axis = axis_curves(record, arm, axis)
        if by_axis is not None:
            pictures.append(axis_curves_picture(by_axis, objective))
    if not pictures:
        remarks.append("No picture: fewer than two of its trials ended.")
    return pictures
