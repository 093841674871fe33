"""Tables as HTML: accessible tables, and one self-contained page of them that opens from disk without a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from reporting.cells import Heading, RenderedTable, split_marks, turned

_MOST_COLUMNS = 7  # beside each other on a screen; a wider table of few rows is turned on its side
_FEW_ROWS = 4

STYLE = """
:root { color-scheme: light dark; --line: #999; --soft: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
.wide { overflow-x: auto; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
thead th { border-bottom: 1px solid var(--line); vertical-align: bottom; }
table { border-top: 2px solid var(--line); border-bottom: 2px solid var(--line); }
th, td { padding: .3rem .8rem .3rem 0; text-align: right; vertical-align: top; white-space: nowrap; }
th.prose, td.prose { text-align: left; white-space: normal; min-width: 10rem; }
tbody tr + tr > * { border-top: 1px solid var(--soft); }
.notes { font-size: .875rem; margin: .25rem 0; padding-left: 1.5rem; }
.study { font-size: .875rem; }
pre { overflow-x: auto; background: var(--soft); padding: .5rem; font-size: .8rem; }
sup a { padding: 0 .15em; }
""".strip()


def html_page(title: str, fragments: Sequence[str]) -> str:
    """One page with those fragments: no script, no file beside it, no network."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}\n</style>",
            "</head>",
            "<body>",
            "<main>",
            *fragments,
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def html_study(
    heading: str, before: Sequence[str], tables: Sequence[RenderedTable], after: Sequence[str], study: str
) -> str:
    """A study: its heading, what to know first, its tables, what to know after. study: makes ids unique in a page."""
    title, *rest = heading.splitlines()
    lines = [f'<p class="study">{escape(line)}</p>' for line in (*rest, *before)]
    closing = [f'<p class="study">{escape(line)}</p>' for line in after]
    parts = [html_table(table, prefix=f"{_id(study)}-") for table in tables]
    return "\n".join(["<section>", f"<h1>{escape(title)}</h1>", *lines, *parts, *closing, "</section>"])


def html_table(table: RenderedTable, prefix: str = "") -> str:
    """One table with its caption, heads of rows and columns, and footnotes that are linked. prefix: of its ids."""
    if len(table.headings) > _MOST_COLUMNS and len(table.rows) <= _FEW_ROWS:
        table = turned(table)
    name = f"{prefix}{_id(table.name)}"
    number = len(table.notes)
    body = []
    for row in table.rows:
        cells = []
        for place, (heading, cell) in enumerate(zip(table.headings, row, strict=True)):
            tag = 'th scope="row"' if place == 0 else "td"
            kind = ' class="prose"' if heading.prose or place == 0 else ""
            cells.append(f"<{tag}{kind}>{_marked(cell.text, name, number)}</{tag[:2]}>")
            if heading.compared:
                cells.append(f"<td>{_marked(cell.published, name, number)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    notes = [f'<li id="{name}-{place}">{escape(note)}</li>' for place, note in enumerate(table.notes, 1)]
    # A wide table scrolls by itself; what scrolls must be reachable by keyboard and have a name.
    return "\n".join(
        [
            f'<div class="wide" role="region" tabindex="0" aria-labelledby="{name}">',
            "<table>",
            f'<caption id="{name}">{escape(table.title)}</caption>',
            *_head(table.headings, name, number),
            "<tbody>",
            *body,
            "</tbody>",
            "</table>",
            "</div>",
            *(['<ol class="notes">', *notes, "</ol>"] if notes else []),
            *(f"<p>{escape(remark)}</p>" for remark in table.remarks),
            *([f"<pre><code>{escape(chr(10).join(table.commands))}</code></pre>"] if table.commands else []),
        ]
    )


def _head(headings: Sequence[Heading], name: str, notes: int) -> list[str]:
    """Measured and published stand under one heading, each with its own scope."""
    two = any(heading.compared for heading in headings)
    spanning = ' rowspan="2"' if two else ""
    first: list[str] = []
    second: list[str] = []
    for place, heading in enumerate(headings):
        kind = ' class="prose"' if heading.prose or place == 0 else ""
        text = _marked(heading.text, name, notes)
        if heading.compared:
            first.append(f'<th scope="colgroup" colspan="2">{text}</th>')
            second += ['<th scope="col">measured</th>', '<th scope="col">published</th>']
        else:
            first.append(f'<th scope="col"{spanning}{kind}>{text}</th>')
    return [
        "<thead>",
        f"<tr>{''.join(first)}</tr>",
        *([f"<tr>{''.join(second)}</tr>"] if two else []),
        "</thead>",
    ]


def _marked(text: str, table: str, notes: int) -> str:
    """Text whose last words may be footnote marks such as [1] [2], as links to them."""
    words, marks = split_marks(text, notes)
    links = "".join(f'<a href="#{table}-{mark}" aria-label="note {mark}">{mark}</a>' for mark in marks)
    return escape(words) + (f"<sup>{links}</sup>" if marks else "")


def _id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
