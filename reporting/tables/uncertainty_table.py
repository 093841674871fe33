"""The evidence as a table, with the differences between arms in words below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reporting.results.arm_results import ArmResult
from reporting.results.correct_predictions import correctness
from reporting.results.headings import titled
from reporting.significance.paired_tests import CROSSED, MCNEMAR
from reporting.significance.uncertainty import ArmEvidence, Comparison, Evidence
from reporting.tables import formatting
from reporting.tables.formatting import ABSENT
from reporting.tables.table import Cell, Heading, RenderedTable
from tuning.records.study_record import StudyRecord

NAME = "evidence"
_IMAGES_ALONE = "95 %: of these trained models on other images of the same kind; other seeds are the ±"
_BEST_OF = "expected best validation value of that many trials of the search (Dodge et al., 2019)"
_WORKERS = "search, confirmation and pre-training; the time a worker was busy with them"


def evidence_table(record: StudyRecord, rows: Sequence[ArmResult], evidence: Evidence) -> RenderedTable:
    """Render a row per arm, in the order of the task's own tables.

    Args:
        record: The study.
        rows: The results of its arms.
        evidence: The evidence for the same study.
    """
    of_interval = (_IMAGES_ALONE,) if any(one.interval for one in evidence.arms) else ()
    commands = [one.command for one in evidence.arms if one.command]
    columns: Mapping[Heading, Callable[[ArmResult, ArmEvidence], str | Cell]] = {
        Heading(text="Model Type", prose=True): lambda row, one: Cell(text=row.label, notes=row.notes),
        Heading(text="Seeds"): lambda row, one: str(len(row.seeds)) if row.seeds else ABSENT,
        Heading(text=correctness(record).heading): _share,
        Heading(text="95 % Interval", notes=of_interval): _interval,
        Heading(text="Test images"): lambda row, one: f"{one.images:,}" if one.images else ABSENT,
        Heading(text="Best of n trials", notes=(_BEST_OF,), prose=True): _best_of,
        Heading(text="All epochs", notes=(_WORKERS,)): lambda row, one: f"{one.epochs:,}",
        Heading(text="Worker time"): lambda row, one: formatting.duration(one.compute_seconds),
    }
    return RenderedTable(
        name=NAME,
        title=titled(record, "Evidence"),
        headings=tuple(columns),
        rows=tuple(tuple(_cell(content(row, evidence.of(row.arm))) for content in columns.values()) for row in rows),
        remarks=tuple(remarks(evidence.comparisons, correctness(record).words)),
        commands=("# each row again:", *commands) if commands else (),
    )


def _best_of(row: ArmResult, evidence: ArmEvidence) -> str:
    """Write 1:0.31, 2:0.40, 6:0.48 without inner spaces, at which a narrow column would break."""
    return ", ".join(f"{n}:{value:.3f}" for n, value in evidence.best_of_n.items()) or ABSENT


def remarks(comparisons: Sequence[Comparison], of: str) -> list[str]:
    """Write a line per comparison, then the tests used.

    An example is "fine_tuned - from_scratch = +0.031 [0.010, 0.052], p = 0.004: beyond noise".

    Args:
        comparisons: Comparisons of arms.
        of: Name of the compared share, such as "test accuracy".
    """
    lines = [in_words(comparison) for comparison in comparisons]
    tests = {comparison.result.test for comparison in comparisons if comparison.result is not None}
    if not tests:
        return lines
    how = [word for test, word in _TESTS.items() if test in tests]
    if sum(comparison.result is not None for comparison in comparisons) > 1:
        how.append("p for all comparisons together (Holm)")
    return [*lines, f"(of {of} on the same images, 95 %; {'; '.join(how)})"]


_TESTS = {MCNEMAR: f"{MCNEMAR}, one seed each: what other seeds would do is not covered", CROSSED: CROSSED}


def in_words(comparison: Comparison) -> str:
    """Write a comparison in one line: difference, interval, p-value and verdict."""
    title = f"{comparison.arm} - {comparison.minus}"
    result = comparison.result
    if result is None:
        return f"{title}: not compared; {comparison.reason}"
    low, high = result.interval
    verdict = "within noise" if comparison.within_noise else "beyond noise"
    after = f" ({comparison.reason})" if comparison.reason else ""
    values = f"{result.difference:+.3f} [{low:.3f}, {high:.3f}], {probability(comparison.p or 0.0)}"
    return f"{title} = {values}: {verdict}{after}"


def probability(p: float) -> str:
    """Write "p = 0.004", or "p < 0.001" below that."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _share(row: ArmResult, evidence: ArmEvidence) -> str:
    metric = row.metrics.get(evidence.metric)
    return ABSENT if metric is None else formatting.mean_and_deviation(metric.mean, metric.std, 4)


def _cell(content: str | Cell) -> Cell:
    return content if isinstance(content, Cell) else Cell(text=content)


def _interval(row: ArmResult, evidence: ArmEvidence) -> str | Cell:
    if evidence.interval is None:
        return ABSENT
    low, high = evidence.interval
    stored = len(evidence.answers.trials) if evidence.answers else 0
    careful = stored < len(row.seeds) and len(row.seeds) > 1
    note = "too wide rather than too narrow: predictions of some seeds are not stored"
    return Cell(text=f"{low:.4f} to {high:.4f}", notes=(note,) if careful else ())
