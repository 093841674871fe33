"""Several models' answers averaged, from the test predictions that a study stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errors import arg, unknown_name
from inspection.loading.best_model import InspectionError, class_predictions
from reporting.results.headings import titled
from tuning.records.study_paths import StudyPaths
from tuning.records.study_record import TrialRecord, read_started

METRICS = ("accuracy", "loss", "macro_f1")


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Confirmed models, the best on validation first, and their mean."""

    title: str
    metric: str  # what they were chosen by
    members: tuple[tuple[TrialRecord, dict[str, float]], ...]  # each with its own test metrics
    average: dict[str, float]  # test metrics of the mean of their probabilities


def ensemble(study: Path, top: int, arm: str | None = None) -> Ensemble:
    """Average the confirmed models that are best on validation, measured on the test images.

    Args:
        study: Folder of the study.
        top: Number of models, from 2.
        arm: Only models of this arm; None takes all arms.

    Raises:
        InspectionError: There are fewer such models, they saw other test images, or predictions are missing.
    """
    from trainables.classification_metrics import evaluate
    from trainables.ensemble_average import Averages

    record = read_started(study)
    if record.header.target != "class":
        raise InspectionError(f"{record.task}/{record.name} predicts a {record.header.target}: only classes average")
    known = [described.name for described in record.arms]
    if arm is not None and arm not in known:
        raise InspectionError(unknown_name("arm", arm, known))
    title = titled(record, f"{record.task}/{record.name}" + (f", {arm}" if arm else ""))
    tested = [trial for name in known if arm in (None, name) for trial in record.confirmed(name) if trial.test]
    if top < 2 or top > len(tested):
        count = f"there are {len(tested)}" if tested else "there is none"
        more = f"; confirm more seeds with {arg.confirm_seeds}" if len(tested) < max(2, top) else ""
        raise InspectionError(
            f"must be from 2 to the tested models of {title}: {count}{more}", argument="top", value=top
        )
    members = record.ranked(tested)[:top]
    predictions = [class_predictions(StudyPaths(study).checkpoint(member.trial)) for member in members]
    first = predictions[0]
    for member, other in zip(members, predictions, strict=True):
        if not (np.array_equal(other.names, first.names) and np.array_equal(other.labels, first.labels)):
            raise InspectionError(f"{member.trial} was tested on other images than {members[0].trial}")
    outputs = max(prediction.probabilities.shape[1] for prediction in predictions)
    averages = Averages({title: tuple(member.trial for member in members)})
    for member, prediction in zip(members, predictions, strict=True):
        # Arms of one task may differ in outputs (traffic-signs report); one without an output gives that class 0.
        lacking = outputs - prediction.probabilities.shape[1]
        averages.add(member.trial, np.pad(prediction.probabilities, ((0, 0), (0, lacking))))
    _, mean = averages.of_all()[title]
    measured = [evaluate(prediction.probabilities, prediction.labels) for prediction in predictions]
    return Ensemble(
        title=title,
        metric=str(record.header.objective.metric),
        members=tuple(zip(members, measured, strict=True)),
        average=evaluate(mean, first.labels),
    )


def ensemble_text(found: Ensemble) -> str:
    """Return one line for each member, then one for the average."""
    rows = [("model", found.metric, *(f"test_{metric}" for metric in METRICS))]
    for trial, metrics in found.members:
        validated = f"{trial.best:.4f}" if trial.best is not None else "-"
        rows.append((trial.trial, validated, *(f"{metrics[metric]:.4f}" for metric in METRICS)))
    rows.append((f"average of {len(found.members)}", "", *(f"{found.average[metric]:.4f}" for metric in METRICS)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]) for first, *others in rows]
    return "\n".join([found.title, *lines])
