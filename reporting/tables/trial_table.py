"""The table of an arm's trials, best first: configuration, ending and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reporting.results.arm_results import WORDS
from reporting.results.trial_rows import ended_value, ranked
from reporting.tables.formatting import ABSENT
from search_spaces.formatting import format_value
from tuning.records.events import FAILED_STATUSES
from tuning.records.study_record import StudyRecord, TrialRecord

MOST = 500  # most trials of an arm in the page; trials.csv has all


@dataclass(frozen=True, kw_only=True)
class TrialList:
    """The trials of one arm as text."""

    label: str
    headings: tuple[str, ...]
    numeric: tuple[bool, ...]  # whether a column holds numbers
    rows: tuple[tuple[str, tuple[str, ...]], ...]  # status and cells of each trial
    of: int  # number of trials of the arm, whether or not they are among `rows`


def trial_list(record: StudyRecord, arm: str) -> TrialList:
    """Return the trials of an arm, confirmations included; the columns are the axes that differ between trials.

    Args:
        record: The study.
        arm: Name of the arm.
    """
    described, trials = record.arm(arm), record.of_arm(arm)
    names = [axis.name for axis in described.axes]
    axes = [name for name in names if len({repr(trial.config.get(name)) for trial in trials}) > 1]
    metric = record.header.objective.metric
    rows = tuple((_kind(trial), _cells(trial, axes)) for trial in ranked(record, trials)[:MOST])
    return TrialList(
        label=described.title,
        headings=("trial", "role", "ended", metric, "best epoch", "epochs", "training s", *axes),
        numeric=tuple(map(_numeric, zip(*(cells for _, cells in rows), strict=True))),
        rows=rows,
        of=len(trials),
    )


def _kind(trial: TrialRecord) -> str:
    if trial.status in FAILED_STATUSES:
        return "lost"
    return "stopped" if trial.status == "stopped" else ""


def _cells(trial: TrialRecord, axes: Sequence[str]) -> tuple[str, ...]:
    value = ended_value(trial)
    status = WORDS.get(trial.status, trial.status)
    return (
        trial.trial,
        trial.role,
        f"{status}: {trial.reason}" if trial.status in FAILED_STATUSES and trial.reason else status,
        ABSENT if value is None else f"{value:.4f}",
        str(trial.best_epoch or ABSENT),
        str(len(trial.epochs)),
        f"{trial.train_seconds:.1f}",
        *(format_value(trial.config[name]) if name in trial.config else ABSENT for name in axes),
    )


def _numeric(texts: Sequence[str]) -> bool:
    try:
        return bool([float(text) for text in texts if text != ABSENT])
    except ValueError:
        return False
