"""The audit of a study: objections to its table, each with its numbers and the next command to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

from errors import pluralize
from reporting.audit import check_results, check_search, check_training  # noqa: F401  # the modules register their checks
from reporting.audit.finding import CHECKS, Finding, Inconclusive, Stage
from reporting.results.arm_results import summarize_arms
from tuning.records.study_record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The results of all checks; a check without a finding has no entry."""

    findings: tuple[Finding, ...]  # serious findings first
    unjudged: tuple[Inconclusive, ...]
    rows: int  # number of arms with a row in the table
    checks: int
    ended: bool  # whether the study ran to its end

    @property
    def verdict(self) -> str:
        """The findings counted by severity, in one sentence."""
        serious = sum(finding.severity == "serious" for finding in self.findings)
        notes = len(self.findings) - serious
        parts = [pluralize(serious, "serious finding", "serious findings")] if serious else []
        parts += [pluralize(notes, "finding to note", "findings to note")] if notes else []
        open_questions = f" {len(self.unjudged)} could not be judged." if self.unjudged else ""
        if not parts and not self.rows:
            return "There is no table to judge: no arm has a finished trial."
        if not parts:
            table = "this table" if self.ended else "this table as far as it came"
            return f"Nothing speaks against {table}: none of {self.checks} checks found anything.{open_questions}"
        return f"{' and '.join(parts)}, by {self.checks} checks.{open_questions}"


def audit(record: StudyRecord) -> Audit:
    """Run every check on a study, which may still be running."""
    found = [row for row in summarize_arms(record) if not row.members]
    missing = [row for row in found if row.state == "missing"]
    unjudged = [Inconclusive(check="its row", arm=row.arm, why=row.status) for row in missing]
    findings: list[Finding] = []
    for _, check in sorted(CHECKS, key=lambda one: get_args(Stage).index(one[0])):
        for one in check(record):
            if isinstance(one, Finding):
                findings.append(replace(one, code=check.__name__))
            else:
                unjudged.append(one)
    return Audit(
        findings=tuple(sorted(findings, key=lambda finding: finding.severity != "serious")),
        unjudged=tuple(_joined(unjudged)),
        rows=len(found) - len(missing),
        checks=len(CHECKS),
        ended=record.status == "completed",
    )


def _joined(unjudged: Iterable[Inconclusive]) -> Iterator[Inconclusive]:
    """Merge inconclusive results that differ in their arm alone."""
    arms: dict[tuple[str, str], list[str]] = {}
    for one in unjudged:
        arms.setdefault((one.check, one.why), []).append(one.arm)
    for (check, why), names in arms.items():
        yield Inconclusive(check=check, arm=", ".join(filter(None, names)), why=why)


def audit_lines(found: Audit) -> list[str]:
    """Return the audit as lines for a terminal: verdict, findings with commands, inconclusive checks."""
    lines = [f"Audit: {found.verdict}"]
    for finding in found.findings:
        lines += ["", f"{finding.severity}: {finding.title}{f' ({finding.arm})' if finding.arm else ''}"]
        lines += [f"  {finding.sentence}", f"  next: {finding.command}"]
    if found.unjudged:
        lines += ["", "not judged:"]
        lines += [f"  {one.check}{f' ({one.arm})' if one.arm else ''}: {one.why}" for one in found.unjudged]
    return lines
