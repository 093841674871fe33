"""A study's trials as a list: those that meet a condition, in an order, with the columns asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from errors import pluralize, unknown_name
from reporting.errors import ReportingError
from reporting.results.trial_rows import Records, ranked, side_by_side, trial_groups
from reporting.trials.filter import column_types, filter_rows, missing_values, parse_expression, sort_rows
from tuning.records.study_record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class TrialQuery:
    """What the user wants to see."""

    arms: tuple[str, ...] = ()  # none: all
    where: str | None = None  # an SQL expression over the columns
    sort: str | None = None  # SQL's ORDER BY terms, or "-val_accuracy,trial"; None: best first
    columns: tuple[str, ...] = ()  # none: those that tell these trials apart
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrialQueryResult:
    """The trials that were asked for."""

    rows: Records  # each has every column
    columns: tuple[str, ...]  # to show
    every: tuple[str, ...]  # that there are
    prose: frozenset[str]  # columns of text
    total: int  # trials of the study
    matching: int  # before the limit
    hints: tuple[str, ...] = ()  # why there may be none


def select(record: StudyRecord, query: TrialQuery) -> TrialQueryResult:
    """List the trials that a query asks for, the best first unless it says otherwise.

    Raises:
        ReportingError: an unknown arm or column, or an expression that SQLite cannot read.
    """
    every, rows = side_by_side(trial_groups(record))
    types = column_types(every, rows)
    arms = [arm.name for arm in record.arms]
    for kind, names, known in (("arm", query.arms, arms), ("column", query.columns, every)):
        for name in names:
            if name not in known:
                raise ReportingError(unknown_name(kind, name, known), argument=f"{kind}s")
    chosen = [row for row in rows if not query.arms or row["arm"] in query.arms]
    hints: tuple[str, ...] = ()
    if query.where is not None:
        expression = parse_expression("where", query.where, types)
        chosen = filter_rows(expression, chosen, types) if rows else []
        hints = () if chosen else tuple(missing_values(expression, rows, types))
    if query.sort is not None:
        chosen = sort_rows(query.sort, chosen, types) if rows else []
    else:  # what a trial reached before it was lost does not count
        places = {trial.trial: place for place, trial in enumerate(ranked(record, list(record.trials.values())))}
        chosen.sort(key=lambda row: places[row["trial"]])
    limited = chosen[: query.limit]
    return TrialQueryResult(
        rows=limited,
        columns=query.columns or _telling(record, limited or rows, every),
        every=tuple(every),
        prose=frozenset(name for name, kind in types.items() if kind is not float),
        total=len(rows),
        matching=len(chosen),
        hints=hints,
    )


def _telling(record: StudyRecord, rows: Records, every: Sequence[str]) -> tuple[str, ...]:
    """Columns that a reader wants first: which trial, how it went, what was varied, what it took, why it ended."""
    metric = record.header.objective.metric
    axes = list(dict.fromkeys(name for trial in record.trials.values() for name in trial.config))
    varied = [name for name in axes if len({repr(row[name]) for row in rows}) > 1]
    wanted = ["trial", "status", "epochs", metric, "test_accuracy", *varied, "val_loss", "best_epoch"]
    wanted += ["seconds", "reason"]
    has_values = {name for name in wanted if any(row.get(name) is not None for row in rows)}
    return tuple(name for name in dict.fromkeys(wanted) if name in every and (name in has_values or name == metric))


def count_line(record: StudyRecord, runs: TrialQueryResult) -> str:
    """12 of 16 trials of food10/first: 8 completed, 4 stopped."""
    statuses = Counter(row["status"] for row in runs.rows)
    words = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    shown = f"{len(runs.rows)} of " if len(runs.rows) < runs.total else ""
    limited = f" ({runs.matching} match)" if runs.matching > len(runs.rows) else ""
    return f"{shown}{pluralize(runs.total, 'trial', 'trials')} of {record.task}/{record.name}{limited}" + (
        f": {words}" if words else ""
    )
