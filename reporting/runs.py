"""A study's trials as a list: those that meet a condition, in an order, with the columns asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from errors import pluralize, unknown_name
from reporting.errors import ReportingError
from reporting.trial_curves import ranked
from reporting.trials import Records, trial_rows
from reporting.where import kinds, parse
from tuning.records import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user wants to see."""

    arms: tuple[str, ...] = ()  # none: all
    where: str | None = None
    sort: str | None = None  # "-val_accuracy,trial"; None: best first
    columns: tuple[str, ...] = ()  # none: those that tell these trials apart
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The trials that were asked for."""

    rows: Records  # each has every column
    columns: tuple[str, ...]  # to show
    every: tuple[str, ...]  # that there are
    prose: frozenset[str]  # columns of text
    total: int  # trials of the study
    matching: int  # before the limit
    hints: tuple[str, ...] = field(default=())  # why there may be none


def select(record: StudyRecord, asked: Asked) -> Runs:
    """Raises ReportingError: unknown arm, unknown column, a condition that cannot be."""
    every, rows = trial_rows(record)
    known = kinds(every, rows)
    chosen = rows
    arms = [arm["name"] for arm in record.arms]
    for arm in asked.arms:
        if arm not in arms:
            raise ReportingError(unknown_name("arm", arm, arms), argument="arms")
    if asked.arms:
        chosen = [row for row in chosen if row["arm"] in asked.arms]
    hints: list[str] = []
    if asked.where is not None:
        where = parse(asked.where, known)
        chosen = [row for row in chosen if where.holds(row)]
        hints = [] if chosen else _hints(where.compared, rows)
    for column in asked.columns:
        if column not in known:
            raise ReportingError(unknown_name("column", column, every), argument="columns")
    chosen = _sorted(record, chosen, asked.sort, known) if rows else []
    limited = chosen if asked.limit is None else chosen[: asked.limit]
    return Runs(
        rows=limited,
        columns=asked.columns or _telling(record, limited or rows, every),
        every=tuple(every),
        prose=frozenset(name for name, kind in known.items() if kind is not float),
        total=len(rows),
        matching=len(chosen),
        hints=tuple(hints),
    )


def _hints(compared: Sequence[tuple[str, Any]], rows: Records) -> list[str]:
    """optimizer is never 'adamm' here: it is adam, sgd."""
    hints = []
    for column, value in compared:
        present = list(dict.fromkeys(row[column] for row in rows if row[column] is not None))
        if value not in present and len(present) <= 12:
            hints.append(f"{column} is never {value!r} here: it is {', '.join(map(str, present)) or 'empty'}")
    return hints


def _sorted(record: StudyRecord, rows: Records, sort: str | None, known: Mapping[str, type]) -> Records:
    """By those columns, the first of them most; what has no value comes last, upwards and downwards. Without any, the
    best first; what a trial reached before it was lost does not count."""
    if sort is None:
        places = {trial.trial: place for place, trial in enumerate(ranked(record, list(record.trials.values())))}
        return sorted(rows, key=lambda row: places[row["trial"]])
    for key in reversed([part.strip() for part in sort.split(",")]):
        name, down = key.lstrip("-+"), key.startswith("-")
        if name not in known:
            raise ReportingError(unknown_name("column", name, known), argument="sort")
        present = [row for row in rows if row[name] is not None]
        absent = [row for row in rows if row[name] is None]
        rows = sorted(present, key=_key(name, known[name]), reverse=down) + absent  # equals keep their order
    return rows


def _key(name: str, kind: type) -> Callable[[dict[str, Any]], Any]:
    """Texts without regard to case; a column that holds both texts and numbers is text."""
    if kind is str:
        return lambda row: str(row[name]).lower()
    return lambda row: row[name]


def _telling(record: StudyRecord, rows: Records, every: Sequence[str]) -> tuple[str, ...]:
    """Columns that a reader wants first: which trial, how it went, what was varied, what it took, why it ended."""
    metric = record.header["objective"]["metric"]
    axes = list(dict.fromkeys(name for trial in record.trials.values() for name in trial.config))
    varied = [name for name in axes if len({repr(row[name]) for row in rows}) > 1]
    wanted = ["trial", "status", "epochs", metric, "test_accuracy", *varied, "val_loss", "best_epoch"]
    wanted += ["seconds", "reason"]
    has_values = {name for name in wanted if any(row.get(name) is not None for row in rows)}
    return tuple(name for name in dict.fromkeys(wanted) if name in every and (name in has_values or name == metric))


def count_line(record: StudyRecord, runs: Runs) -> str:
    """12 of 16 trials of food10/first: 8 completed, 4 stopped."""
    statuses = Counter(row["status"] for row in runs.rows)
    words = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
    shown = f"{len(runs.rows)} of " if len(runs.rows) < runs.total else ""
    limited = f" ({runs.matching} match)" if runs.matching > len(runs.rows) else ""
    return f"{shown}{pluralize(runs.total, 'trial', 'trials')} of {record.task}/{record.name}{limited}" + (
        f": {words}" if words else ""
    )
