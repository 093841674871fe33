"""The language of conditions: what it means, what it refuses and how."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.errors import ReportingError
from reporting.where import kinds, parse

ROWS: list[dict[str, Any]] = [
    {"trial": "a-0001", "optimizer": "adam", "val_accuracy": 0.9, "momentum": None, "nesterov": None, "width": 1},
    {"trial": "a-0002", "optimizer": "sgd", "val_accuracy": 0.7, "momentum": 0.9, "nesterov": True, "width": "wide"},
    {"trial": "b-0001", "optimizer": "sgd", "val_accuracy": None, "momentum": 0.8, "nesterov": False, "width": 2},
]
KINDS = kinds(ROWS[0], ROWS)


def meeting(condition: str) -> list[str]:
    where = parse(condition, KINDS)
    return [row["trial"] for row in ROWS if where.holds(row)]


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
        # what is absent meets no comparison, so that its denial holds
        ("momentum!=0.9", "b-0001"),
        ("not momentum=0.9", "a-0001 b-0001"),
        ("width=1", "a-0001"),  # texts and numbers in one column: text
        ("width=wide", "a-0002"),
    ],
)
def test_conditions(condition: str, expected: str) -> None:
    assert meeting(condition) == expected.split()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("optimiser=adam", "unknown column 'optimiser'; did you mean optimizer?"),
        (
            "val_accuracy>high",
            "val_accuracy is a number, but 'high' is none; write a number such as val_accuracy > 0.8",
        ),
        ("optimizer>adam", "optimizer is text and has no order, but > is asked of it; use = or !="),
        ("nesterov=1", "nesterov is true or false, but = 1 is asked of it; write nesterov=true"),
        ("nesterov<true", "nesterov is true or false"),
        ("", "it ends, where the name of a column must stand"),
        ("optimizer", "it ends, where one of = != < <= > >= after optimizer must stand"),
        ("optimizer=", "it ends, where a value after optimizer = must stand"),
        ("optimizer=adam and", "it ends, where the name of a column"),
        ("optimizer=and", "'and' stands at character 11, where a value"),
        ("(optimizer=adam", "it ends, where a closing bracket"),
        ("optimizer=adam)", "')' stands at character 15, where and, or, or the end"),
        ("optimizer=adam momentum=1", "'momentum' stands at character 16, where and, or, or the end"),
        ("optimizer='adam", '"\'" at character 11 cannot be read; close the quotation'),
        ("optimizer=ad,am", "',' at character 13 cannot be read; put a value with such characters between quotation"),
        ("__import__('os').system('true')", "unknown column '__import__'"),
    ],
)
def test_what_cannot_be_is_one_line(condition: str, message: str) -> None:
    with pytest.raises(ReportingError) as raised:
        parse(condition, KINDS)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.text(alphabet="()=<>! andorote'\"0.8_optimizrvlcuy-", max_size=40))
def test_any_text_is_a_condition_or_a_line(text: str) -> None:
    try:
        where = parse(text, KINDS)
    except ReportingError as error:
        lines, answers = str(error).count("\n"), {True}
    else:
        lines, answers = 0, {where.holds(row) for row in ROWS}
    assert lines == 0
    assert answers <= {True, False}


def test_hundreds_of_brackets_are_a_line_too() -> None:
    with pytest.raises(ReportingError, match="nested"):
        parse("(" * 5000 + "optimizer=adam" + ")" * 5000, KINDS)
