"""SQL expressions over columns: what they mean, what is refused and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.errors import ReportingError
from reporting.trials.filter import FilterExpression, column_types, filter_rows, parse_expression, sort_rows

ROWS: list[dict[str, Any]] = [
    {"trial": "a-0001", "optimizer": "adam", "val_accuracy": 0.9, "momentum": None, "nesterov": None, "width": 1},
    {"trial": "a-0002", "optimizer": "sgd", "val_accuracy": 0.7, "momentum": 0.9, "nesterov": True, "width": "wide"},
    {"trial": "b-0001", "optimizer": "sgd", "val_accuracy": None, "momentum": 0.8, "nesterov": False, "width": 2},
]
TYPES = column_types(ROWS[0], ROWS)


def meeting(condition: str) -> list[str]:
    expression = parse_expression("where", condition, TYPES)
    return [row["trial"] for row in filter_rows(expression, ROWS, TYPES)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("optimizer=adam", "a-0001"),
        ("optimizer == 'adam'", "a-0001"),
        ('optimizer != "adam"', "a-0002 b-0001"),
        ("val_accuracy>0.8", "a-0001"),
        ("val_accuracy >= 7e-1", "a-0001 a-0002"),
        ("val_accuracy < .8", "a-0002"),
        ("momentum<=0.8", "b-0001"),
        ("momentum > -1", "a-0002 b-0001"),
        ("nesterov=true", "a-0002"),
        ("nesterov!=TRUE", "b-0001"),
        ("trial=b-0001", "b-0001"),
        ("optimizer=adam and val_accuracy>0.95", ""),
        ("optimizer=adam or momentum=0.8", "a-0001 b-0001"),
        # and binds before or, not before and
        ("optimizer=adam or optimizer=sgd and momentum=0.8", "a-0001 b-0001"),
        ("(optimizer=adam or optimizer=sgd) and momentum=0.8", "b-0001"),
        ("not optimizer=adam and momentum=0.9", "a-0002"),
        ("NOT (optimizer=sgd)", "a-0001"),
        # what is absent meets no comparison, and no denial of one
        ("momentum!=0.9", "b-0001"),
        ("not momentum=0.9", "b-0001"),
        ("momentum IS NULL", "a-0001"),
        ("not momentum=0.9 or momentum is null", "a-0001 b-0001"),
        ("width=1", "a-0001"),  # texts and numbers in one column: text
        ("width=wide", "a-0002"),
        ("optimizer=ADAM", "a-0001"),  # text without regard to case
        ("optimizer > adam", "a-0002 b-0001"),  # and with an order
        ("nesterov=1", "a-0002"),
        ("optimizer in (adam, rmsprop)", "a-0001"),
        ("optimizer NOT IN ('adam')", "a-0002 b-0001"),
        ("trial LIKE a-% AND val_accuracy BETWEEN 0.6 AND 0.8", "a-0002"),
        ("val_accuracy > momentum", ""),
        ("val_accuracy + 0.3 > momentum", "a-0002"),
        ("coalesce(momentum, 0) < 0.85", "a-0001 b-0001"),
        ("length(optimizer) = 4", "a-0001"),
        ("lower(optimizer) = adam", "a-0001"),
        ("[trial] = b-0001 or \"trial\" = 'a-0001'", "a-0001 b-0001"),
    ],
)
def test_conditions(condition: str, expected: str) -> None:
    assert meeting(condition) == expected.split()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("optimiser=adam", "unknown column 'optimiser'; did you mean optimizer?"),
        ("optimizer=adam and lower(optimiser)=adam", "unknown column 'optimiser'; did you mean optimizer?"),
        ("val_accuracy>high", "val_accuracy is a number, but 'high' is none; write a number, as in val_accuracy > 0.8"),
        ("nesterov=yes", "nesterov is true or false, but 'yes' is neither; write nesterov = true"),
        ("", "incomplete input"),
        ("optimizer=", "incomplete input"),
        ("optimizer=adam and", "incomplete input"),
        ("optimizer=and", 'near "and": syntax error'),
        ("(optimizer=adam", "incomplete input"),
        ("optimizer=adam)", 'near ")": syntax error'),
        ("optimizer=adam momentum=1", 'near "momentum": syntax error'),
        ("optimizer='adam", '"\'" at character 11 cannot be read; close it'),
        ("optimizer=ad,am", "unknown column 'am'"),
        ("optimizer=ad;am", "';' at character 13 cannot be read; put a value with such characters between quotation"),
        ("optimizer='a\0'", "null character"),
        ("__import__('os').system('true')", "syntax error"),
    ],
)
def test_what_cannot_be_is_one_line(condition: str, message: str) -> None:
    with pytest.raises(ReportingError) as raised:
        meeting(condition)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "attempt",
    [
        "optimizer=(select sql from sqlite_master)",
        "1=1 union select 1",
        "1=1; drop table rows",
        "1=1; attach 'x.db' as x",
        "1=1 -- rest",
        'optimizer="a\' or" 1=1',
        "1=1 /* rest */",
        "load_extension('x')",
        "readfile('x') is null",
        "randomblob(1000000000) is null",
        "max(val_accuracy) > 0",
        "rowid=1",
    ],
)
def test_what_is_no_expression_or_no_listed_function_is_refused(attempt: str) -> None:
    with pytest.raises(ReportingError):
        meeting(attempt)


@pytest.mark.parametrize(
    "sql",
    [
        "1; ATTACH 'x.db' AS x",
        "load_extension('x')",
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n)",
    ],
)
def test_sqlite_refuses_it_too(sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the translation to let it through."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(match=r"not authorized|prohibited|one statement"):
        filter_rows(FilterExpression(argument="where", text=sql, sql=sql), ROWS, TYPES)
    assert not list(tmp_path.iterdir())


@given(st.text(alphabet="()=<>! andorote'\"0.8_optimizrvlcuy-,[]%", max_size=40))
def test_any_text_is_an_expression_or_a_line(text: str) -> None:
    try:
        trials = set(meeting(text))
    except ReportingError as error:
        lines, trials = str(error).count("\n"), set()
    else:
        lines = 0
    assert lines == 0
    assert trials <= {row["trial"] for row in ROWS}


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 5000 + "optimizer=adam" + ")" * 5000,
        "(" * 500 + "optimizer=adam" + ")" * 500,
        "not " * 500 + "optimizer=adam",
        "trial like '" + "%a" * 200 + "'",
    ],
)
def test_expressions_without_end_are_refused(expression: str) -> None:
    with pytest.raises(ReportingError):
        meeting(expression)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("val_accuracy", "a-0002 a-0001 b-0001"),  # absent values last, upwards and downwards
        ("-val_accuracy", "a-0001 a-0002 b-0001"),
        ("val_accuracy DESC", "a-0001 a-0002 b-0001"),
        ("val_accuracy nulls first", "b-0001 a-0002 a-0001"),
        ("-optimizer", "a-0002 b-0001 a-0001"),  # equal ones keep their order
        ("optimizer DESC, momentum", "b-0001 a-0002 a-0001"),
        ("-optimizer,momentum", "b-0001 a-0002 a-0001"),
        ("-abs(momentum - 0.7)", "a-0002 b-0001 a-0001"),
    ],
)
def test_sorted(sort: str, expected: str) -> None:
    assert [row["trial"] for row in sort_rows(sort, ROWS, TYPES)] == expected.split()


def test_texts_are_sorted_without_regard_to_case() -> None:
    rows = [{"name": name} for name in ("b", "C", "a")]
    assert [row["name"] for row in sort_rows("name", rows, {"name": str})] == ["a", "b", "C"]


@pytest.mark.parametrize("name", ["val.accuracy", "top-5", 'the "best"', "group"])
def test_a_column_of_any_name(name: str) -> None:
    rows = [{name: 1}, {name: 2}]
    types = column_types([name], rows)
    expression = parse_expression("where", f"[{name}] > 1", types)
    assert filter_rows(expression, rows, types) == [{name: 2}]
    assert sort_rows(f"-[{name}]", rows, types) == [{name: 2}, {name: 1}]


@pytest.mark.parametrize("sort", ["", "optimiser", "trial,,optimizer", "trial sideways", "max(trial)"])
def test_an_order_that_cannot_be_is_one_line(sort: str) -> None:
    with pytest.raises(match="sort") as raised:
        sort_rows(sort, ROWS, TYPES)
    assert "\n" not in str(raised.value)
