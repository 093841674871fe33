"""SQL expressions over the columns of a list of rows: `optimizer=adam and val_accuracy > 0.8`.

The rows go into an SQLite table in memory, which evaluates the user's WHERE expression and ORDER BY terms. Two things
are added to SQL: a word to the right of a comparison is a text without quotation marks (`trial=from_scratch-0003`), and
`-column` sorts downwards. Only expressions pass: a statement's keywords are unknown columns here, and SQLite's
authorizer refuses what writes, opens files or loads code.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from errors import arg, unknown_name
from reporting.errors import ReportingError

Row = dict[str, Any]


_COMPARISONS = ("=", "==", "!=", "<>", "<", "<=", ">", ">=")
_TEXT_COMPARISONS = ("like", "glob", "is")
_KEYWORDS = (
    *("and", "or", "not", "in", "is", "null", "isnull", "notnull", "true", "false", "between", "like", "glob"),
    *("case", "when", "then", "else", "end"),
)
_SORT_KEYWORDS = ("asc", "desc", "nulls", "first", "last")
# No aggregate: one in ORDER BY would make one row of all.
_FUNCTIONS = ("abs", "coalesce", "glob", "ifnull", "instr", "length", "like", "lower", "round", "substr", "upper")
_SQL_TYPES = {bool: "INTEGER", float: "REAL", str: "TEXT COLLATE NOCASE"}
# An expression has no loops, so that these bound its time: nesting, characters, and LIKE's backtracking.
_LIMITS = {
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 10_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
}
_LISTED = 12  # values of a column that a hint names at most
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
# A word may hold what names of trials, backbones and layers do: from_scratch-0003, 9-9-9, views/4, EfficientNet.b0.
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>"[^"]*"|\[[^\]]*\])|(?P<word>[\w.][\w.+\-/:@%]*)"""
    r"""|(?P<sign>==|!=|<>|<=|>=|\|\||[=<>(),*/%+-]))"""
)


@dataclass(frozen=True, kw_only=True)
class FilterExpression:
    """An expression as the user wrote it and as SQLite reads it, its columns checked."""

    argument: str  # that it came from, for messages
    text: str
    sql: str
    equalities: tuple[tuple[str, str], ...] = ()  # columns, and the SQL of the values they must be equal to


def column_types(columns: Iterable[str], rows: Sequence[Row]) -> dict[str, type]:
    """Return bool, float (any number) or str by column; a mixed column and one without values are text."""
    found: dict[str, type] = {}
    for name in columns:
        types = {type(row[name]) for row in rows} - {type(None)}
        if types == {bool}:
            found[name] = bool
        elif types and types <= {int, float}:
            found[name] = float
        else:
            found[name] = str
    return found


def parse_expression(argument: str, text: str, columns: Mapping[str, type]) -> FilterExpression:
    """Translate an expression to SQL token by token.

    Args:
        argument: "where" or "sort", which it came from.
        text: SQL in which a word to the right of a comparison, or in an IN list, is a text unless it is a column.
        columns: types by name, as `column_types` returns them.

    Raises:
        ReportingError: an unknown column, a text compared with a number, a character that SQL expressions do not have.
    """
    sql: list[str] = []
    equalities: list[tuple[str, str]] = []
    left: str | None = None  # the column left of the comparison that is being read
    before, in_list = "", False
    keywords = (*_KEYWORDS, *_SORT_KEYWORDS) if argument == "sort" else _KEYWORDS
    for match in _tokens(argument, text):
        kind, token = str(match.lastgroup), match[str(match.lastgroup)]
        low = token.lower()
        name = token if kind == "word" else token[1:-1]
        is_value = in_list or before in (*_COMPARISONS, *_TEXT_COMPARISONS)
        if kind == "sign" or (kind == "word" and low in keywords):
            if token == ")" or low in ("and", "or"):
                left = None
            in_list = before == "in" or (in_list and token != ")")
        elif kind == "word" and text[match.end() :].lstrip().startswith("("):
            left = None  # a function, which the authorizer judges
        elif kind != "text" and name in columns:
            left = name
            token = _identifier(name)
        elif is_value or kind == "text":
            if before not in _TEXT_COMPARISONS:
                _check_value(argument, left, name, columns)
            is_literal = kind == "text" or (columns.get(left or "") is not str and _NUMBER.fullmatch(name))
            token = token if is_literal else "'" + name.replace("'", "''") + "'"
            if left is not None and before in ("=", "=="):
                equalities.append((left, token))
        elif not _NUMBER.fullmatch(name):
            raise ReportingError(unknown_name("column", name, columns), argument=argument)
        sql.append(token)
        before = low
    return FilterExpression(argument=argument, text=text, sql=" ".join(sql), equalities=tuple(equalities))


def filter_rows(expression: FilterExpression, rows: Sequence[Row], columns: Mapping[str, type]) -> list[Row]:
    """Return the rows for which the expression is true, in their order.

    Raises:
        ReportingError: SQLite cannot read the expression.
    """
    return [rows[place] for place in sorted(_query(expression, f"WHERE {expression.sql}", rows, columns))]


def missing_values(expression: FilterExpression, rows: Sequence[Row], columns: Mapping[str, type]) -> Iterator[str]:
    """Yield a line for each value that a column must be equal to and never is: optimizer is never 'adamm' here."""
    for column, value in expression.equalities:
        present = list(dict.fromkeys(str(row[column]) for row in rows if row[column] is not None))
        if len(present) <= _LISTED and not _query(expression, f"WHERE {_identifier(column)} = {value}", rows, columns):
            yield f"{column} is never {value} here: it is {', '.join(present) or 'empty'}"


def sort_rows(text: str, rows: Sequence[Row], columns: Mapping[str, type]) -> list[Row]:
    """Return the rows by SQL's ORDER BY terms; `-column` is short for `column DESC`.

    Absent values come last in either direction unless a term says NULLS FIRST; equal rows keep their order.

    Raises:
        ReportingError: an unknown column, or a term that SQLite cannot read.
    """
    terms = []
    for term in text.split(","):
        expression = parse_expression("sort", term.strip().lstrip("-+"), columns)
        down = " DESC" if term.strip().startswith("-") else ""
        nulls = "" if "nulls" in expression.sql.lower().split() else " NULLS LAST"
        terms.append(f"{expression.sql}{down}{nulls}")
    whole = FilterExpression(argument="sort", text=text, sql=", ".join(terms))
    return [rows[place] for place in _query(whole, f"ORDER BY {whole.sql}, rowid", rows, columns)]


def _query(expression: FilterExpression, clause: str, rows: Sequence[Row], columns: Mapping[str, type]) -> list[int]:
    """Return the places of the rows that a SELECT with this clause returns."""
    with closing(sqlite3.connect(":memory:")) as database:
        declared = ", ".join(f"{_identifier(name)} {_SQL_TYPES[kind]}" for name, kind in columns.items())
        database.execute(f"CREATE TABLE rows ({declared})")
        database.executemany(
            f"INSERT INTO rows VALUES ({', '.join('?' * len(columns))})",
            ([None if row[name] is None else kind(row[name]) for name, kind in columns.items()] for row in rows),
        )
        for limit, most in _LIMITS.items():
            database.setlimit(limit, most)
        database.set_authorizer(_authorize)
        try:
            return [number - 1 for (number,) in database.execute(f"SELECT rowid FROM rows {clause}")]
        except (sqlite3.Error, UnicodeEncodeError) as error:
            reason = " ".join(str(error).replace('""', '"').split())
            raise ReportingError(
                f'{arg[expression.argument]} {expression.text!r}: {reason}; write SQL such as "val_accuracy > 0.8"'
            ) from None


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Allow reading the table and the listed functions, nothing else."""
    allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ) or (
        action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _FUNCTIONS
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _check_value(argument: str, left: str | None, value: str, columns: Mapping[str, type]) -> None:
    """Refuse a text where a number is compared: SQLite would order every number before it."""
    kind = columns.get(left or "", str)
    if kind is float and not _NUMBER.fullmatch(value):
        raise ReportingError(
            f"{left} is a number, but {value!r} is none; write a number, as in {left} > 0.8", argument=argument
        )
    if kind is bool and value not in ("0", "1"):
        raise ReportingError(
            f"{left} is true or false, but {value!r} is neither; write {left} = true", argument=argument
        )


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _tokens(argument: str, text: str) -> Iterator[re.Match[str]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            unclosed = text[at] in "'\"["
            remedy = "close it" if unclosed else "put a value with such characters between quotation marks"
            raise ReportingError(
                f"{arg[argument]} {text!r}: {text[at]!r} at character {at + 1} cannot be read; {remedy}"
            )
        yield match
        at = match.end()
