"""`report.html`: one file that needs nothing else, neither a network nor a second file. Sections in the order of
reading: the question, the verdict, the tables, the pictures, the trials, what reproduces them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import pluralize
from reporting.audit import Audit
from reporting.cells import RenderedTable
from reporting.headlines import heading, is_sample, ledger_line, status_lines
from reporting.html import html_table
from reporting.page_parts import described, element, figure, sortable_table, within
from reporting.pictures import Picture
from reporting.trial_lists import TrialList
from search_spaces.formatting import format_value
from tasks.task import Task
from tuning.records import StudyRecord

STYLE, SCRIPT = Path(__file__).with_name("page.css"), Path(__file__).with_name("page.js")
# The page may load nothing: what it shows is in it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
SECTIONS = {
    "question": "The question",
    "verdict": "Verdict of the audit",
    "tables": "Tables",
    "curves": "Curves of the arms",
    "effects": "Effects of each axis",
    "trials": "Trials",
    "reproduce": "What reproduces this",
}
Embedded = tuple[Picture, str]  # and its data URI


def page(
    record: StudyRecord,
    task: Task,
    *,
    tables: Sequence[RenderedTable],
    audit: Audit,
    curves: Sequence[Embedded],
    effects: Mapping[str, Sequence[Embedded]],
    remarks: Mapping[str, Sequence[str]],
    trials: Sequence[TrialList],
) -> str:
    """effects, remarks: by arm, its pictures and what there is to say where one could not be drawn."""
    title, *more = heading(record, task).split("\n")
    sections = {
        "question": _question(record, task),
        "verdict": _verdict(audit),
        "tables": "".join(map(html_table, tables)) + element("p", ledger_line(record)),
        "curves": within("div", *(figure(*one, heading="h3") for one in curves), class_="pictures") if curves else "",
        "effects": "".join(_arm(record, arm, pictures, remarks.get(arm, ())) for arm, pictures in effects.items()),
        "trials": "".join(map(_trials, trials)),
        "reproduce": _reproduce(record),
    }
    present = {name: content for name, content in sections.items() if content}
    links = within("ul", *(within("li", element("a", SECTIONS[name], href=f"#{name}")) for name in present))
    body = [
        element("a", "Skip to the verdict", href="#verdict", class_="skip"),
        within(
            "header",
            element("h1", title),
            *(element("p", line, class_="warn") for line in [*more, *status_lines(record)]),
            within("nav", links, aria_label="Contents"),
        ),
        within(
            "main",
            *(
                within(
                    "section",
                    element("h2", SECTIONS[name], id=f"{name}-heading"),
                    content,
                    id=name,
                    aria_labelledby=f"{name}-heading",
                )
                for name, content in present.items()
            ),
        ),
        within("footer", element("p", f"Podium, study {record.task}/{record.name}.", class_="soft")),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<link rel="icon" href="data:,">',
            element("title", title),
            f"<style>{STYLE.read_text(encoding='utf-8')}</style>",
            "</head>",
            "<body>",
            *body,
            f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>",
            "</body>",
            "</html>\n",
        ]
    )


def _question(record: StudyRecord, task: Task) -> str:
    """Which arms were compared, on what, by what, and what varied in each."""
    data = record.header.get("data") or {}
    counts = data.get("counts") or {}
    objective = record.header["objective"]
    images = ", ".join(f"{number:,} {split}" for split, number in counts.items())
    better = "higher" if objective["direction"] == "max" else "lower"
    parts = [
        described(
            {
                "Asked": task.title,
                "Source": f"{task.source}{' (on sample data)' if is_sample(record) else ''}",
                "Images": f"{data.get('title') or ''}{f' ({images})' if images else ''}".strip(),
                "Best means": f"best {objective['metric']} ({better} is better), over the epochs of a trial",
            }
        )
    ]
    for arm in record.arms:
        name = f"{arm.get('label') or arm['name']}{f' ({note})' if (note := arm.get('note')) else ''}"
        varied = {axis["name"]: _range(axis) for axis in arm.get("axes", ()) if _range(axis)}
        details = within("details", element("summary", f"What varied in {arm['name']}"), described(varied))
        epochs = f", {arm['max_epochs']} epochs each at most" if "max_epochs" in arm else ""
        trials = pluralize(len(record.of_arm(arm["name"], "search")), "trial", "trials")
        parts += [
            element("h3", name),
            element("p", f"{trials}{epochs}."),
            details if varied else "",
        ]
    return "".join(parts)


def _range(axis: Mapping[str, Any]) -> str:
    """What an axis could be; empty for one that could be one thing."""
    condition = axis.get("when")
    with_ = f", with {condition['axis']} {' or '.join(map(format_value, condition['values']))}" if condition else ""
    if axis["kind"] == "choice":
        return ", ".join(map(format_value, axis["values"])) + with_ if len(axis["values"]) > 1 else ""
    if axis["low"] == axis["high"]:
        return ""
    return (
        f"{format_value(axis['low'])} to {format_value(axis['high'])}{' (logarithmic)' if axis['log'] else ''}{with_}"
    )


def _verdict(audit: Audit) -> str:
    parts = [element("p", audit.verdict)]
    for finding in audit.findings:
        arm = f" ({finding.arm})" if finding.arm else ""
        parts.append(
            within(
                "article",
                within(
                    "h3",
                    element("span", f"{finding.severity}: "),
                    element("span", f"{finding.title}{arm}", class_="title"),
                ),
                element("p", finding.sentence),
                element("p", "Run next:", class_="soft"),
                within("pre", element("code", finding.command)),
                class_=f"finding {finding.severity}",
            )
        )
    if audit.unjudged:
        items = [element("li", f"{one.check}{f' ({one.arm})' if one.arm else ''}: {one.why}") for one in audit.unjudged]
        parts.append(within("details", element("summary", "What could not be judged"), within("ul", *items)))
    return "".join(parts)


def _arm(record: StudyRecord, arm: str, pictures: Sequence[Embedded], remarks: Sequence[str]) -> str:
    label = next(one.get("label") or arm for one in record.arms if one["name"] == arm)
    return "".join(
        [
            element("h3", label),
            *(element("p", remark, class_="soft") for remark in remarks),
            within("div", *(figure(*one) for one in pictures), class_="pictures"),
        ]
    )


def _trials(found: TrialList) -> str:
    shown = "" if found.of <= len(found.rows) else f": {len(found.rows):,} of them; trials.csv has all"
    title = f"{found.of:,} trials, the best first{shown}"
    return element("h3", found.label) + sortable_table(title, found.headings, found.rows, found.numeric)


def _reproduce(record: StudyRecord) -> str:
    header = record.header
    data, machine, share = (header.get(name) or {} for name in ("data", "machine", "share"))
    versions = ", ".join(f"{name} {version}" for name, version in (header.get("versions") or {}).items())
    entries = [
        element("li", f"{entry['arm']}: {', '.join(entry['trials'])} ({entry['reason']})") for entry in record.ledger
    ]
    return "".join(
        [
            element("p", "The command, as it was typed:"),
            within("pre", element("code", str(header.get("command") or "not recorded"))),
            described(
                {
                    "Code": str(header.get("git_commit") or ""),
                    "Versions": versions,
                    "Data fingerprint": str(data.get("fingerprint") or ""),
                    "Seed": str((header.get("settings") or {}).get("seed", "")),
                    "Confirmation seeds": ", ".join(map(str, header.get("confirm_seeds") or ())),
                    "Machine": ", ".join(f"{name} {value}" for name, value in machine.items()),
                    "Share of a trial": ", ".join(f"{name} {value}" for name, value in share.items()),
                }
            ),
            element("h3", "Openings of the test split"),
            within("ul", *entries) if entries else element("p", "It was never opened."),
        ]
    )
