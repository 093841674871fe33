r"""LaTeX tables for \usepackage{booktabs}: horizontal rules, no vertical lines, footnotes below the table."""

from __future__ import annotations

from collections.abc import Sequence

from reporting.tables.study_comparison import Study, blocks
from reporting.tables.table import Block, Heading, RenderedTable, transposed, with_marks

# Every character that is special in LaTeX. One pass replaces all of them, since a second one would replace the
# backslashes and braces of the first.
_SPECIAL = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "§": r"\S{}",
    "²": r"\textsuperscript{2}",
    "[": "{[}",  # a bracket after \\ would begin a length
    "]": "{]}",
}
_PROSE_WIDTH = 0.3  # share of the line at which a column of words wraps
_MOST_COLUMNS = 6  # columns that fit on a page of 12 cm; a wider table is transposed


def latex_text(block: Block, prefix: str = "") -> str:
    r"""Render a study's tables for \input. Heading and remarks on the study become comments.

    Args:
        block: The tables and the text around them.
        prefix: Begins every label, so that labels of several blocks in one document differ.
    """
    comments = [f"% {line}" for text in (block.heading, *block.before, *block.after) for line in text.splitlines()]
    head = "\n".join(["% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}", *comments, ""])
    return head + "\n".join(latex_table(table, prefix) for table in block.tables)


def latex_table(table: RenderedTable, prefix: str = "") -> str:
    r"""Render a table as a float, from \begin{table} to \end{table}.

    Args:
        table: The table.
        prefix: Begins its label.
    """
    notes = [f"{_mark(place)} {escaped(note)}" for place, note in enumerate(table.notes, 1)]
    table = with_marks(table, _marked)
    columns = sum(2 if heading.compared else 1 for heading in table.headings)
    if columns > _MOST_COLUMNS or sum(heading.prose for heading in table.headings) > 2:
        table = transposed(table)
    rows = [" & ".join(texts) + r" \\" for texts in table.texts]
    below = [*notes, *map(escaped, table.remarks)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(table.title)}}}",
            rf"\label{{tab:{prefix}{table.name.replace('_', '-')}}}",
            rf"\begin{{tabular}}{{@{{}}{_alignment(table.headings)}@{{}}}}",
            r"\toprule",
            *_head(table.headings),
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            *([r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize\raggedright"] if below else []),
            *[line + (r" \\" if place < len(below) - 1 else "") for place, line in enumerate(below)],
            *([r"\end{minipage}"] if below else []),
            r"\end{table}",
            *(f"% {line}" for command in table.commands for line in command.splitlines()),
            "",
        ]
    )


def escaped(text: str) -> str:
    """Escape plain text for LaTeX."""
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def _marked(text: str, numbers: Sequence[int]) -> str:
    """Append the numbers of a text's footnotes as one superscript."""
    return escaped(text) + (_mark(",".join(map(str, numbers))) if numbers else "")


def _mark(number: object) -> str:
    return rf"\textsuperscript{{{number}}}"


def _alignment(headings: Sequence[Heading]) -> str:
    words = sum(2 if heading.prose and heading.compared else heading.prose for heading in headings)
    prose = rf"p{{{min(_PROSE_WIDTH, 0.9 / max(words, 1)):.2g}\linewidth}}"
    return "".join((prose if heading.prose else "r") * (2 if heading.compared else 1) for heading in headings)


def _head(headings: Sequence[Heading]) -> list[str]:
    """Write the head; a compared column has two columns under one heading."""
    names = [rf"\multicolumn{{2}}{{c}}{{{heading.text}}}" if heading.compared else heading.text for heading in headings]
    lines = [" & ".join(names) + r" \\"]
    if any(heading.compared for heading in headings):
        rules = ""
        second: list[str] = []
        for heading in headings:
            if heading.compared:
                rules += rf"\cmidrule(lr){{{len(second) + 1}-{len(second) + 2}}}"
            second += ["measured", "published"] if heading.compared else [""]
        lines += [rules, " & ".join(second) + r" \\"]
    return lines


def render(studies: Sequence[Study]) -> str:
    r"""Render studies for \input: tables as floats, the text around them as comments."""
    prefixes = ["", *(f"study-{number}-" for number in range(2, len(studies) + 1))]
    return "\n".join(map(latex_text, blocks(studies), prefixes))
