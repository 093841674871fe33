"""SQL expressions over the columns of a list of rows: `optimizer=adam and val_accuracy > 0.8`.

The rows are inserted into an SQLite table in memory, which evaluates the user's WHERE expression and ORDER BY terms.
Two extensions make SQL shorter: a word to the right of a comparison is a text without quotation marks
(`trial=from_scratch-0003`), and `-column` sorts in descending order. Only expressions pass: a statement's keywords are
unknown columns here, and SQLite's authorizer refuses writing, opening files and loading code.
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
# Aggregates are missing, since one in ORDER BY would merge all rows into one.
_FUNCTIONS = ("abs", "coalesce", "glob", "ifnull", "instr", "length", "like", "lower", "round", "substr", "upper")
_SQL_TYPES = {bool: "INTEGER", float: "REAL", str: "TEXT COLLATE NOCASE"}
# Limits of nesting, length and LIKE's backtracking. They bound the time, since an expression has no loops.
_LIMITS = {
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 10_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
}
_LISTED = 12  # most values of a column that a hint lists
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
# A word may have the characters of trial, backbone and layer names: from_scratch-0003, 9-9-9, views/4, EfficientNet.b0.
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>"[^"]*"|\[[^\]]*\])|(?P<word>[\w.][\w.+\-/:@%]*)"""
    r"""|(?P<sign>==|!=|<>|<=|>=|\|\||[=<>(),*/%+-]))"""
)


@dataclass(frozen=True, kw_only=True)
class FilterExpression:
    """An expression as the user wrote it and in SQL, with known columns only."""

    argument: str  # the user's argument, "where" or "sort", for messages
    text: str
    sql: str
    equalities: tuple[tuple[str, str], ...] = ()  # columns, each with the SQL of a value it must equal


def column_types(columns: Iterable[str], rows: Sequence[Row]) -> dict[str, type]:
    """Return the type of each column: bool, float for any number, or str.

    Args:
        columns: Names of the columns.
        rows: The rows, which have all columns.

    Returns:
        Types by column. A column of several types, or without values, is str.
    """
    found: dict[str, type] = {}
    for name in columns:
        types = {type(row[name]) for row in rows} - {type(None)}
        found[name] = bool if types == {bool} else str
        if types and types <= {int, float}:
            found[name] = float
    return found


def parse_expression(argument: str, text: str, columns: Mapping[str, type]) -> FilterExpression:
    """Translate an expression to SQL token by token.

    Args:
        argument: The user's argument, "where" or "sort".
        text: SQL in which a word to the right of a comparison, or in an IN list, is a text unless it is a column.
        columns: Types by name, as `column_types` returns them.

    Raises:
        ReportingError: When a column is unknown, a text is compared with a number, or a character is no SQL.
    """
    sql: list[str] = []
    equalities: list[tuple[str, str]] = []
    left: str | None = None  # the column on the left of the current comparison
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
            left = None  # a function, which the authorizer allows or refuses
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

    Args:
        expression: A parsed expression.
        rows: The rows, which have all columns.
        columns: Types by name, as `column_types` returns them.

    Raises:
        ReportingError: When SQLite cannot read the expression.
    """
    return [rows[place] for place in sorted(_query(expression, f"WHERE {expression.sql}", rows, columns))]


def missing_values(expression: FilterExpression, rows: Sequence[Row], columns: Mapping[str, type]) -> Iterator[str]:
    """Yield a line for each value in an equality that its column never has: optimizer is never 'adamm' here.

    Args:
        expression: A parsed expression.
        rows: The rows, which have all columns.
        columns: Types by name, as `column_types` returns them.
    """
    for column, value in expression.equalities:
        present = list(dict.fromkeys(str(row[column]) for row in rows if row[column] is not None))
        if len(present) <= _LISTED and not _query(expression, f"WHERE {_identifier(column)} = {value}", rows, columns):
            yield f"{column} is never {value} here: it is {', '.join(present) or 'empty'}"


def sort_rows(text: str, rows: Sequence[Row], columns: Mapping[str, type]) -> list[Row]:
    """Return the rows ordered by SQL's ORDER BY terms; `-column` is short for `column DESC`.

    Absent values come last in either direction unless a term has NULLS FIRST; equal rows keep their order.

    Args:
        text: The terms, separated by commas.
        rows: The rows, which have all columns.
        columns: Types by name, as `column_types` returns them.

    Raises:
        ReportingError: When a column is unknown, or SQLite cannot read a term.
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
    """Allow reading the table and calling the listed functions, and nothing else."""
    allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ) or (
        action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _FUNCTIONS
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _check_value(argument: str, left: str | None, value: str, columns: Mapping[str, type]) -> None:
    """Refuse to compare a text with a number: SQLite would order every number before it."""
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
