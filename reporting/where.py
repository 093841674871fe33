"""A small language of conditions over columns: optimizer=adam and (val_accuracy > 0.8 or not status=completed).

    condition  = alternative { "or" alternative }
    alternative = factor { "and" factor }
    factor     = "not" factor | "(" condition ")" | column operator value
    operator   = "=" | "==" | "!=" | "<" | "<=" | ">" | ">="
    value      = number | true | false | word | 'text' | "text"

Nothing is evaluated as code. A trial without a value in a column meets no comparison with it, not even !=.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from errors import unknown_name
from reporting.errors import ReportingError

Values = Mapping[str, Any]
Condition = Callable[[Values], bool]


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = ("and", "or", "not")
_DEEPEST = 50  # brackets and denials in one another; Python's own stack ends at about 250
# A word may hold what names of trials, backbones and layers do: from_scratch-0003, 9-9-9, views/4, EfficientNet.b0.
_TOKEN = re.compile(
    r"""\s*(?:(?P<operator>==|!=|<=|>=|=|<|>)|(?P<bracket>[()])|(?P<quoted>'[^']*'|"[^"]*")|(?P<word>[\w.+\-/:@%]+))"""
)


@dataclass(frozen=True, kw_only=True)
class _Token:
    kind: str  # operator, bracket, quoted, word or end
    text: str
    place: int  # of its first character, from 1


@dataclass(frozen=True, kw_only=True)
class Where:
    """A condition read and checked against the columns it speaks of."""

    text: str
    holds: Condition
    compared: tuple[tuple[str, Any], ...] = field(default=())  # columns and the values they must be equal to


def parse(text: str, columns: Mapping[str, type]) -> Where:
    """The condition. columns: name to the kind of its values, bool, float or str.

    Raises ReportingError: a column that is not there (with the nearest that is), a number compared with a text, text in
    an order, anything the language has no place for.
    """
    parser = _Parser(text, columns)
    condition = parser.condition()
    parser.expect_end()
    return Where(text=text, holds=condition, compared=tuple(parser.compared))


def kinds(columns: Iterable[str], rows: Sequence[Values]) -> dict[str, type]:
    """What each column holds: bool, float (any number) or str; a column of nothing but absent values is text."""
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


class _Parser:
    """Recursive descent over the tokens; each method reads what its rule says and returns the condition."""

    def __init__(self, text: str, columns: Mapping[str, type]) -> None:
        self._text, self._columns = text, columns
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self.compared: list[tuple[str, Any]] = []

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _is_word(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text.lower() == word

    def condition(self) -> Condition:
        parts = [self._alternative()]
        while self._is_word("or"):
            self._take()
            parts.append(self._alternative())
        return parts[0] if len(parts) == 1 else lambda values: any(part(values) for part in parts)

    def _alternative(self) -> Condition:
        parts = [self._factor()]
        while self._is_word("and"):
            self._take()
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else lambda values: all(part(values) for part in parts)

    def _factor(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ReportingError(
                f"{{where}} is nested more than {_DEEPEST} deep; leave out brackets that change nothing"
            )
        try:
            return self._denial() if self._is_word("not") else self._bracket_or_comparison()
        finally:
            self._depth -= 1

    def _denial(self) -> Condition:
        self._take()
        inner = self._factor()
        return lambda values: not inner(values)

    def _bracket_or_comparison(self) -> Condition:
        if not (self._next.kind == "bracket" and self._next.text == "("):
            return self._comparison()
        self._take()
        inner = self.condition()
        if self._next.text != ")":
            self._fail("a closing bracket")
        self._take()
        return inner

    def _comparison(self) -> Condition:
        if self._next.kind != "word" or self._next.text.lower() in _WORDS:
            self._fail("the name of a column")
        column = self._take().text
        if column not in self._columns:
            raise ReportingError(unknown_name("column", column, self._columns), argument="where")
        if self._next.kind != "operator":
            self._fail(f"one of = != < <= > >= after {column}")
        sign = self._take().text
        if self._next.kind not in ("word", "quoted") or (
            self._next.kind == "word" and self._next.text.lower() in _WORDS
        ):
            self._fail(f"a value after {column} {sign}")
        value = self._value(column, sign, self._take())
        if sign in ("=", "=="):
            self.compared.append((column, value))
        compare = _OPERATORS[sign]
        if self._columns[column] is str:  # a column that holds both texts and numbers is text
            return lambda values: values[column] is not None and compare(str(values[column]), value)
        return lambda values: values[column] is not None and compare(values[column], value)

    def _value(self, column: str, sign: str, token: _Token) -> Any:
        """The value as its column's kind."""
        kind = self._columns[column]
        given = token.text[1:-1] if token.kind == "quoted" else token.text
        if kind is str:
            if sign not in ("=", "==", "!="):
                raise ReportingError(
                    f"{column} is text and has no order, but {sign} is asked of it; use = or !=",
                    argument="where",
                )
            return given
        if kind is bool:
            if given.lower() not in ("true", "false") or sign not in ("=", "==", "!="):
                raise ReportingError(
                    f"{column} is true or false, but {sign} {given} is asked of it; write {column}=true",
                    argument="where",
                )
            return given.lower() == "true"
        try:
            return float(given)
        except ValueError:
            raise ReportingError(
                f"{column} is a number, but {given!r} is none; write a number such as {column} {sign} 0.8",
                argument="where",
            ) from None

    def expect_end(self) -> None:
        if self._next.kind != "end":
            self._fail("and, or, or the end")

    def _fail(self, expected: str) -> None:
        token = self._next
        found = f"{token.text!r} stands at character {token.place}" if token.kind != "end" else "it ends"
        raise ReportingError(
            f"{{where}} {self._text!r}: {found}, where {expected} must stand; such as "
            '"optimizer=adam and val_accuracy>0.8"'
        )


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            unclosed = text[at] in "'\""
            remedy = "close the quotation" if unclosed else "put a value with such characters between quotation marks"
            raise ReportingError(f"{{where}} {text!r}: {text[at]!r} at character {at + 1} cannot be read; {remedy}")
        kind = str(match.lastgroup)
        tokens.append(_Token(kind=kind, text=match[kind], place=match.start(kind) + 1))
        at = match.end()
    return [*tokens, _Token(kind="end", text="", place=len(text) + 1)]
