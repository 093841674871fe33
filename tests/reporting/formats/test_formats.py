"""LaTeX, HTML, and several studies in one table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reporting.formats import terminal
from reporting.formats.html import templates
from reporting.formats.latex import escaped, latex_table
from reporting.formats.summarize import summarize_text
from reporting.tables import arm_tables
from reporting.tables.arm_tables import open_study
from reporting.tables.table import Cell, Heading, NotedText, RenderedTable, transposed
from tests.fixtures.predictions import study_with_predictions
from tests.fixtures.study import example_events, example_task, write_study

FIRST, SECOND = "first & foremost", "50 % <b>"


def table_text(studies: list[Path], **how: Any) -> str:
    """The studies in these folders as a terminal has them."""
    return terminal.render([open_study(study) for study in studies], **how)


TABLE = RenderedTable(
    name="odd_one",
    title="100 % of <odd> & ends",
    headings=(
        Heading(text="Model_Type", prose=True),
        Heading(text="Test", compared=True),
        Heading(text="Time", notes=(FIRST,)),
    ),
    rows=(
        (
            Cell(text=r"a\b {c} ~d^", notes=(SECOND,)),
            Cell(text="0.8 ± 0.1", notes=(FIRST,), published=NotedText(text="0.9", notes=(FIRST, SECOND))),
            Cell(text="[red]"),
        ),
    ),
    remarks=("one - two = +0.1, p < 0.001",),
    commands=("python cli.py tune a --set b=<c>",),
)


def html_table(table: RenderedTable) -> str:
    return str(templates().get_template("tables.html").make_module().results_table(table))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _task_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_tables, "load_task", lambda name: example_task())


def test_latex_by_hand() -> None:
    assert latex_table(TABLE).splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{100 \% of \textless{}odd\textgreater{} \& ends}",
        r"\label{tab:odd-one}",
        r"\begin{tabular}{@{}p{0.3\linewidth}rrr@{}}",
        r"\toprule",
        r"Model\_Type & \multicolumn{2}{c}{Test} & Time\textsuperscript{1} \\",
        r"\cmidrule(lr){2-3}",
        r" & measured & published &  \\",
        r"\midrule",
        r"a\textbackslash{}b \{c\} \textasciitilde{}d\textasciicircum{}\textsuperscript{2} & "
        r"0.8 $\pm$ 0.1\textsuperscript{1} & 0.9\textsuperscript{1,2} & {[}red{]} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize\raggedright",
        r"\textsuperscript{1} first \& foremost \\",
        r"\textsuperscript{2} 50 \% \textless{}b\textgreater{} \\",
        r"one - two = +0.1, p \textless{} 0.001",
        r"\end{minipage}",
        r"\end{table}",
        "% python cli.py tune a --set b=<c>",
    ]


def test_latex_of_a_study_has_as_many_cells_in_every_row_as_columns(tmp_path: Path) -> None:
    text = summarize_text([study_with_predictions(tmp_path / "study", sample=True)], "latex")

    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 4
    unescaped = re.sub(r"\\[{}]", "", text)
    assert unescaped.count("{") == unescaped.count("}")
    for tabular in re.findall(r"\\begin\{tabular\}\{@\{\}([^\n]*)@\{\}\}\n(.*?)\\end\{tabular\}", text, re.DOTALL):
        columns = len(re.sub(r"p\{[^}]*\}", "p", tabular[0]))
        for row in (line for line in tabular[1].splitlines() if line.endswith(r"\\")):
            spans = sum(int(span) - 1 for span in re.findall(r"\\multicolumn\{(\d)\}", row))
            assert len(re.findall(r"(?<!\\)&", row)) + 1 + spans == columns, row


def test_latex_escapes_every_special_letter_once() -> None:
    assert escaped("a_b & 5 % #1 $x$") == r"a\_b \& 5 \% \#1 \$x\$"
    assert escaped("\\{}") == r"\textbackslash{}\{\}"


class _Reader(HTMLParser):
    """Fails where a tag is not closed by its own; collects ids, links and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        self.ids += [str(named["id"])] if "id" in named else []
        self.links += [str(named["href"])] if "href" in named else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_page_that_needs_nothing_else(tmp_path: Path) -> None:
    study = study_with_predictions(tmp_path / "study", sample=True)
    text = summarize_text([study, write_study(tmp_path / "other", example_events())], "html")

    reader = _Reader()
    reader.feed(text)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)
    assert not {"script", "link", "img"} & {tag for tag, _ in reader.tags}
    assert "http" not in text
    heads = [named for tag, named in reader.tags if tag == "th"]
    assert all(named.get("scope") in ("row", "col", "colgroup") for named in heads)
    assert text.startswith("<!doctype html>")
    assert sum(tag == "caption" for tag, _ in reader.tags) == sum(tag == "table" for tag, _ in reader.tags) == 8


def test_html_turns_a_wide_table_of_few_rows_on_its_side() -> None:
    headings = (Heading(text="Model"), *(Heading(text=f"field {number}") for number in range(9)))
    rows = tuple(tuple(Cell(text=f"{row}.{number}") for number in range(10)) for row in range(2))

    text = html_table(RenderedTable(name="wide", title="Wide", headings=headings, rows=rows))

    assert '<th scope="row" class="prose">field 8</th>' in text
    assert text.index("0.9") < text.index("1.9") < text.index("</tbody>")


def test_html_escapes_and_links_its_notes() -> None:
    text = html_table(TABLE)

    assert "100 % of &lt;odd&gt; &amp; ends" in text
    assert '0.9<sup><a href="#odd-one-1" aria-label="note 1">1</a><a href="#odd-one-2"' in text
    assert "<td>[red]</td>" in text
    assert "--set b=&lt;c&gt;" in text


def test_notes_are_numbered_in_the_order_of_reading_and_follow_their_cells_when_transposed() -> None:
    assert TABLE.notes == (FIRST, SECOND)
    side = transposed(TABLE)
    assert [(heading.text, heading.notes) for heading in side.headings] == [
        ("Model_Type", ()),
        (r"a\b {c} ~d^", (SECOND,)),
    ]
    assert [[(cell.text, cell.notes) for cell in row] for row in side.rows] == [
        [("Test", ()), ("0.8 ± 0.1", (FIRST,))],
        [("Time", (FIRST,)), ("[red]", ())],
    ]


def test_a_label_that_ends_like_a_mark_stays_text(tmp_path: Path) -> None:
    events = example_events()
    events[0]["arms"][0]["label"] = "Tiny [1]"
    studies = [write_study(tmp_path / name, [{**events[0], "study": name}, *events[1:]]) for name in ("one", "two")]

    for shown in (studies[:1], studies):
        assert r"Tiny {[}1{]} &" in summarize_text(shown, "latex")
        assert re.search(r'<th scope="(row|col)"[^>]*>Tiny \[1\]</th>', summarize_text(shown, "html"))


def _studies(tmp_path: Path) -> list[Path]:
    first = study_with_predictions(tmp_path / "a" / "first")
    second = study_with_predictions(tmp_path / "b" / "second", confirm_seeds=1)
    for study, name in ((first, "first"), (second, "second")):
        path = study / "events.jsonl"
        path.write_text(path.read_text().replace('"study": "example"', f'"study": "{name}"', 1))
    return [first, second]


def test_studies_of_one_question_share_their_tables(tmp_path: Path) -> None:
    text = summarize_text(_studies(tmp_path), "markdown")

    assert text.startswith("## Food-10 (studies food10/first, food10/second)\n")
    assert (
        "| Model Type | Test Accuracy, first | Test Accuracy, second, measured | published | Test Loss, first | "
        "Test Loss, second, measured | published |"
    ) in [re.sub(r" +", " ", line) for line in text.splitlines()]
    row = next(line for line in text.splitlines() if line.startswith("| From Scratch"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:4] == ["0.8000 ± 0.0200", "0.7800", "0.8750 [1]"]
    blocks = [line for line in text.splitlines() if re.match(r"\| (first|second) +\|", line)]
    assert len(blocks) == 4 + 4 + 2  # what it took and evidence: two arms a study; the best model: one a study
    assert "second/fine_tuned - first/fine_tuned = -0.010 [" in text
    assert "first/fine_tuned - first/from_scratch = +0.090 [" in text
    assert text.count("p for all comparisons together (Holm)") == 1


def test_an_arm_that_one_study_lacks_stays_with_its_reason(tmp_path: Path) -> None:
    first, second = _studies(tmp_path)
    events = [event for event in example_events(confirm_seeds=1) if event.get("arm", "fine_tuned") == "fine_tuned"]
    events = [event for event in events if "from_scratch" not in str(event.get("trial", ""))]
    events[0] |= {"study": "second", "arms": events[0]["arms"][1:]}
    write_study(second, events)

    text = " ".join(summarize_text([first, second], "markdown").split())

    assert "| From Scratch (Best Variant) [1] | 0.8000 ± 0.0200 | - | 0.8750 [2] |" in text
    assert "[1] second: not part of this study" in text


def test_an_average_has_a_row_of_its_scores_and_no_search_or_seeds_to_tell_of(tmp_path: Path) -> None:
    studies = _studies(tmp_path)
    average = {"arm": "fine_tuned", "role": "search", "name": "fine_tuned_best_2", "members": ["fine_tuned-0000"] * 2}
    measured = {"event": "ensemble_measured", **average, "metrics": {"test_accuracy": 0.93}, "time": 0.0}
    for study in studies:
        with (study / "events.jsonl").open("a") as file:
            file.write(json.dumps(measured) + "\n")

    for shown in (studies[:1], studies):  # by itself, and side by side
        text = summarize_text(shown, "markdown")
        assert text.count("2 best averaged") == 1
        assert "not compared" not in text


def test_what_cannot_stand_side_by_side_says_why(tmp_path: Path) -> None:
    first, second = _studies(tmp_path)
    sample = write_study(tmp_path / "sample", example_events(sample=True))

    text = terminal.render([open_study(one) for one in (first, sample)], width=100, colour=False)

    assert "sample" in text
    assert text.count("Best variant of each model type, tested") == 2
    alone = table_text([second], width=100, colour=False)
    assert "One below another" not in alone


def test_latex_labels_and_commands_of_two_studies(tmp_path: Path) -> None:
    first, _ = _studies(tmp_path)
    sample = write_study(tmp_path / "sample", example_events(sample=True))
    labels = re.findall(r"\\label\{([^}]+)\}", summarize_text([first, sample], "latex"))
    assert len(labels) > 2
    assert len(set(labels)) == len(labels)  # LaTeX: "multiply defined"
    lines = latex_table(replace(TABLE, commands=("python cli.py tune a --data 'two\n\\input{lines}'",))).splitlines()
    assert [line for line in lines if "input" in line] == ["% \\input{lines}'"]
