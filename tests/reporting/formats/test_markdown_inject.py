"""A table in place inside a Markdown file: everything else of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporting.errors import ReportingError
from reporting.formats.markdown_inject import write_into
from tests.fixtures.study import example_events, write_study

START, END = "[comment]: # (best_variants_start)", "[comment]: # (best_variants_end)"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", example_events())


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_table_takes_the_place_between_its_marks(study: Path, tmp_path: Path, line_end: str) -> None:
    target = tmp_path / "README.md"
    before = line_end.join(["# Signs", "", START, "", "| an | old |", "| --- | --- |", "", END, "", "Conclusions: ü"])
    target.write_bytes(before.encode())
    assert write_into(study, target) == ["best_variants"]
    text = target.read_bytes().decode()
    head, rest = text.split(START)
    inner, tail = rest.split(END)
    assert head == line_end.join(["# Signs", "", ""])
    assert tail == line_end.join(["", "", "Conclusions: ü"])
    assert "old" not in inner
    assert "| From Scratch (Best Variant)" in inner
    assert "0.8750" in inner  # published beside measured
    assert text.replace("\r\n", "").count("\r") == 0
    assert ("\r\n" in inner) == (line_end == "\r\n")
    write_into(study, target)
    assert target.read_bytes().decode() == text  # a second time changes nothing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "study"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Nothing", "it has no place for a table; add the two lines [comment]: # (best_variants_start)"),
        (START, "must be a start and, below it, an end"),
        (f"{END}\n\n{START}", "must be a start and, below it, an end"),
        ("[comment]: # (best_variant_start)\n", "did you mean best_variants?"),
    ],
)
def test_a_file_without_a_place_is_one_line_and_stays(study: Path, tmp_path: Path, text: str, message: str) -> None:
    target = tmp_path / "README.md"
    target.write_text(text)
    with pytest.raises(ReportingError) as caught:
        write_into(study, target)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert target.read_text() == text


def test_what_is_no_text_file(study: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportingError, match="No such file or directory"):
        write_into(study, tmp_path / "none.md")
    (tmp_path / "x.md").write_bytes(b"\xff")
    with pytest.raises(ReportingError, match="UTF-8 at byte 0"):
        write_into(study, tmp_path / "x.md")
