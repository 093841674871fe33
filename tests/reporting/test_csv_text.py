from __future__ import annotations

import csv
import io

import pandas
from hypothesis import given
from hypothesis import strategies as st

from inspection.prediction.predict import Answer, rendered
from reporting.csv_text import csv_rows
from reporting.formats.dataframes import to_csv

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=4))
def test_every_text_comes_back(rows: list[list[str]]) -> None:
    assert read(csv_rows(rows)) == rows


@given(TEXTS.filter(bool))
def test_a_frame_has_a_row_a_line_whatever_names_hold(name: str) -> None:
    assert read(to_csv(pandas.DataFrame({"image": [name], "probability": [0.25]}))) == [
        ["image", "probability"],
        [name, "0.25"],
    ]


@given(TEXTS.filter(bool), TEXTS)
def test_predictions_have_a_row_a_class(image: str, label: str) -> None:
    lines = "\n".join(rendered([Answer(image=image, classes=((label, 0.5),))], "csv"))
    assert read(lines)[1:] == [[image, "1", label, "0.5"]]
