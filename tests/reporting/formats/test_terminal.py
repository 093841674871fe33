"""How a table is laid out where the terminal is narrower than it."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.formats.terminal import terminal_text
from reporting.tables.table import Block, Cell, Heading, NotedText, RenderedTable

FIELDS = st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,2}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]\.[0-9]{4}( ± 0\.[0-9]{4})?( \[[0-9]\])?", fullmatch=True)
WORDS = st.from_regex(r"[a-z]{1,9}([ _][a-z]{1,9}){0,5}( \[[0-9]\])?", fullmatch=True)


def layout(table: RenderedTable, width: int) -> str:
    return terminal_text(Block(heading="study", before=(), tables=(table,), after=()), width, colour=False)


def table_of(labels: list[str], fields: list[str], cells: list[list[Cell]], compared: bool = True) -> RenderedTable:
    return RenderedTable(
        name="tested",
        title="Tested",
        headings=(
            Heading(text="Model Type", prose=True),
            *(Heading(text=field, compared=compared) for field in fields),
        ),
        rows=tuple((Cell(text=label), *row) for label, row in zip(labels, cells, strict=True)),
    )


@settings(max_examples=50, deadline=None)
@given(data=st.data(), width=st.integers(72, 140), compared=st.booleans())
def test_whatever_is_shown_fits_and_no_number_is_broken(data: st.DataObject, width: int, compared: bool) -> None:
    labels = data.draw(st.lists(WORDS, min_size=1, max_size=9))
    fields = data.draw(st.lists(FIELDS, min_size=1, max_size=7))
    numbers = st.builds(Cell, text=NUMBERS, published=st.builds(NotedText, text=NUMBERS if compared else st.just("")))
    cells = [[data.draw(numbers) for _ in fields] for _ in labels]

    text = layout(table_of(labels, fields, cells, compared), width)

    assert max(map(len, text.splitlines())) <= width
    for row in cells:
        for cell in row:
            assert cell.text in text
            assert cell.published.text in text


def test_arms_that_do_not_fit_beside_each_other_have_a_line_measured_and_one_published() -> None:
    def row(measured: str, published: str) -> list[Cell]:
        return [Cell(text=measured, published=NotedText(text=published)) for _ in range(4)]

    names = ["MiniVGGNet", "MiniVGGNet, Augmented by Flips [2]", "VGG16", "LeNet", "ResNet"]
    both = row("0.5000 ± 0.0100", "0.57 [1]")
    cells = [both, row("0.6000 ± 0.0200", "-"), row("-", "0.94 [3]"), both, row("-", "-")]
    fields = ["Accuracy", "Macro Precision", "Macro Recall", "Macro F1"]

    lines = layout(table_of(names, fields, cells), 100).splitlines()

    assert [re.sub(r" {2,}", "|", line.strip()) for line in lines[4:15]] == [
        "Macro|Macro|Macro",
        "Model Type|Accuracy|Precision|Recall|F1",
        lines[6].strip(),
        "MiniVGGNet|measured" + "|0.5000 ± 0.0100" * 4,
        "published" + "|0.57 [1]" * 4,
        "MiniVGGNet,|measured" + "|0.6000 ± 0.0200" * 4,
        "Augmented by",
        "Flips [2]",
        "VGG16|published" + "|0.94 [3]" * 4,
        "LeNet|measured" + "|0.5000 ± 0.0100" * 4,
        "published" + "|0.57 [1]" * 4,
    ]
    assert re.fullmatch(r" ResNet +measured +- +- +- +-", lines[15])


def test_a_long_name_is_broken_after_its_underscores_and_stays_whole() -> None:
    names = [f"base_NASNetMobile_with_classifier_{kind} [4]" for kind in ("plain", "zoom_data", "wide_zoom_data")]
    table = table_of(names, ["Accuracy"] * 6, [[Cell(text="0.5300 ± 0.0100")] * 6] * 3, compared=False)

    text = layout(table, 80)

    heads = " ".join(line for line in text.splitlines() if "_" in line or "[4]" in line)
    assert "base_NASNetMobile_" in heads
    assert "zoom_data [4]" in heads
    assert heads.count("[4]") == 3
