"""The report of a study: its plots under plots/, and `report.html` with all of them embedded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atomic_file import write_atomically
from reporting.audit.audit import Audit, audit
from reporting.plots import trial_curves
from reporting.plots.axis_effects import effect_picture, effects, importance_picture
from reporting.plots.figure import Picture, data_uri, write_picture
from reporting.plots.learning_curves import curves_picture
from reporting.report.html_page import ArmEffects, Embedded, page
from reporting.report.winner_summary import winner_summary
from reporting.results.headings import status_lines
from reporting.tables.arm_tables import open_study
from tuning.listeners.param_importances import importances
from tuning.records.events import TrialRole
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import StudyRecord

LEAST_TRIALS = 8  # fewer dots over an axis show their other settings, not the axis


@dataclass(frozen=True, kw_only=True)
class Report:
    """The files of a written report, and the result of the audit."""

    path: Path
    status: tuple[str, ...]  # lines on the study's state, such as that it has not ended
    pictures: tuple[Path, ...]
    audit: Audit


def write_report(study: Path) -> Report:
    """Write plots/ and report.html, each file atomically.

    Raises:
        StudyNotFound: When the folder has no readable study.
        UnknownTask: When the study's task does not exist.
        OSError: When a file cannot be written.
    """
    record, task = open_study(study)
    written: list[Path] = []

    def embedded(picture: Picture) -> Embedded:
        path = StudyPaths(study).plot(picture.name)
        written.append(path)
        return picture, data_uri(write_picture(picture, path))

    of_arms = curves_picture(record)
    found = audit(record)
    curves = [embedded(of_arms)] if of_arms is not None else []
    of_axes: list[ArmEffects] = []
    for arm in record.arms:
        pictures, remarks = arm_pictures(record, arm.name)
        of_axes.append((arm.title, remarks, [embedded(picture) for picture in pictures]))
    winner = winner_summary(record)
    matrix = StudyPaths(study).plot(f"confusion_{winner.arm}") if winner is not None else None  # by `tune`, `evaluate`
    confusion = data_uri(matrix.read_bytes()) if matrix is not None and matrix.is_file() else ""
    path = StudyPaths(study).report
    write_atomically(path, page(record, task, found, curves, of_axes, confusion), synced=False)
    return Report(path=path, status=tuple(status_lines(record)), pictures=tuple(written), audit=found)


def arm_pictures(record: StudyRecord, arm: str) -> tuple[list[Picture], list[str]]:
    """Return the plots of one arm's search.

    Args:
        record: The study.
        arm: Name of the arm.

    Returns:
        The plots, and for each missing one a sentence with the reason.
    """
    objective = record.header.objective
    important = importances(record, arm)
    pictures = [importance_picture(important)] if important.shares else []
    remarks = [] if important.shares else [f"No importances: {important.reason}."]
    ended = [trial for trial in record.of_arm(arm, TrialRole.SEARCH) if trial.ended_time is not None]
    if len(ended) >= LEAST_TRIALS:
        pictures += [effect_picture(effect, objective) for effect in effects(record, arm)]
    elif ended:
        remarks.append(f"No effects of single axes: {len(ended)} of its trials ended, {LEAST_TRIALS} would show some.")
    shown = trial_curves.trial_curves(record, arm)
    if shown.curves:
        pictures.append(trial_curves.trial_curves_picture(shown, objective))
    # The axes that the food10 report shows, and the most important one.
    for axis in dict.fromkeys([*trial_curves.OF_INTEREST, *list(important.shares)[:1]]):
        by_axis = trial_curves.axis_curves(record, arm, axis)
        if by_axis is not None:
            pictures.append(trial_curves.axis_curves_picture(by_axis, objective))
    if not pictures:
        remarks.append("No picture: fewer than two of its trials ended.")
    return pictures, remarks
