r"""Tables as LaTeX for \usepackage{booktabs}: rules above, between and below, no vertical lines, footnotes under it."""

from __future__ import annotations

from collections.abc import Sequence

from reporting.tables.study_comparison import Study, blocks
from reporting.tables.table import Block, Heading, RenderedTable, transposed, with_marks

# Every character that LaTeX reads as more than itself. Backslash and braces are replaced together with the others, in
# one pass, so that no replacement is replaced again.
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
    "[": "{[}",  # after \\ a bracket would be a length
    "]": "{]}",
}
_PROSE_WIDTH = 0.3  # of the line, at most: a column of words wraps there
_MOST_COLUMNS = 6  # beside each other on a page of 12 cm; a wider table is turned on its side


def latex_text(block: Block) -> str:
    """A study's tables, to be put into a document by \\input. Heading and remarks on the study are comments."""
    comments = [f"% {line}" for text in (block.heading, *block.before, *block.after) for line in text.splitlines()]
    return "\n".join(["% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}", *comments, ""]) + "\n".join(
        map(latex_table, block.tables)
    )


def latex_table(table: RenderedTable) -> str:
    """One float of its own: \\begin{table} to \\end{table}."""
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
            rf"\label{{tab:{table.name.replace('_', '-')}}}",
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
            *(f"% {command}" for command in table.commands),
            "",
        ]
    )


def escaped(text: str) -> str:
    """Plain text, as LaTeX prints it."""
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def _marked(text: str, numbers: Sequence[int]) -> str:
    """Write the numbers of a text's footnotes as one superscript."""
    return escaped(text) + (_mark(",".join(map(str, numbers))) if numbers else "")


def _mark(number: object) -> str:
    return rf"\textsuperscript{{{number}}}"


def _alignment(headings: Sequence[Heading]) -> str:
    words = sum(2 if heading.prose and heading.compared else heading.prose for heading in headings)
    prose = rf"p{{{min(_PROSE_WIDTH, 0.9 / max(words, 1)):.2g}\linewidth}}"
    return "".join((prose if heading.prose else "r") * (2 if heading.compared else 1) for heading in headings)


def _head(headings: Sequence[Heading]) -> list[str]:
    """Compared columns stand two by two under one heading."""
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
    """Render studies for \\input: the tables as floats, what stands around them as comments."""
    return "\n".join(map(latex_text, blocks(studies)))
