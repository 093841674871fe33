"""Queries of a study's trials: filter, order and columns."""

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
    """A query of a study's trials."""

    arms: tuple[str, ...] = ()  # empty for all arms
    where: str | None = None  # an SQL expression over the columns
    sort: str | None = None  # SQL's ORDER BY terms, or "-val_accuracy,trial"; None: best first
    columns: tuple[str, ...] = ()  # empty for the default columns
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrialQueryResult:
    """The trials that match a query."""

    rows: Records  # records with every column
    columns: tuple[str, ...]  # columns to show
    every: tuple[str, ...]  # all existing columns
    prose: frozenset[str]  # columns of text
    total: int  # number of trials of the study
    matching: int  # number of matching trials before the limit
    hints: tuple[str, ...] = ()  # possible reasons for an empty result


def select(record: StudyRecord, query: TrialQuery) -> TrialQueryResult:
    """Return the trials that match a query, best first unless the query has an order.

    Args:
        record: The study.
        query: The query.

    Raises:
        ReportingError: When an arm or column is unknown, or SQLite cannot read an expression.
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
    else:  # the order of `ranked`, in which lost trials have no value
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
    """Return the default columns: trial, status, metrics, axes that vary, cost, and reason of the end."""
    metric = record.header.objective.metric
    axes = list(dict.fromkeys(name for trial in record.trials.values() for name in trial.config))
    varied = [name for name in axes if len({repr(row[name]) for row in rows}) > 1]
    wanted = ["trial", "status", "epochs", metric, "test_accuracy", *varied, "val_loss", "best_epoch"]
    wanted += ["seconds", "reason"]
    has_values = {name for name in wanted if any(row.get(name) is not None for row in rows)}
    return tuple(name for name in dict.fromkeys(wanted) if name in every and (name in has_values or name == metric))


def count_line(record: StudyRecord, runs: TrialQueryResult) -> str:
    """Write the number of trials by status: 12 of 16 trials of food10/first: 8 completed, 4 stopped.

    Args:
        record: The study.
        runs: The result of a query.
    """
    statuses = Counter(row["status"] for row in runs.rows)
    words = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    shown = f"{len(runs.rows)} of " if len(runs.rows) < runs.total else ""
    limited = f" ({runs.matching} match)" if runs.matching > len(runs.rows) else ""
    return f"{shown}{pluralize(runs.total, 'trial', 'trials')} of {record.task}/{record.name}{limited}" + (
        f": {words}" if words else ""
    )
