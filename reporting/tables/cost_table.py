"""The compute cost of each arm: trials, epochs and time of its search, and the size and latency of its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reporting.results.arm_results import WORDS, ArmResult
from reporting.results.headings import titled
from reporting.tables import formatting
from reporting.tables.formatting import ABSENT
from reporting.tables.table import Cell, Heading, RenderedTable
from search_spaces.formatting import format_config
from tuning.records.events import TrialRole
from tuning.records.header import ArmHeader
from tuning.records.study_record import StudyRecord

NAME = "what_it_took"


def cost_table(record: StudyRecord, rows: Sequence[ArmResult]) -> RenderedTable:
    """Render a row per arm; an arm without a finished trial has the cost of its search, but no model.

    Args:
        record: The study.
        rows: The results of its arms.
    """
    first = {arm.name: _learned_first(record, arm) for arm in record.arms if arm.pretraining}
    columns: Mapping[Heading, Callable[[ArmResult], str]] = {
        **({Heading(text="Learned first", prose=True): lambda row: first.get(row.arm, ABSENT)} if first else {}),
        Heading(text="Search: trials", prose=True): _trials,
        Heading(text="Search: epochs"): lambda row: f"{row.search_epochs:,}",
        Heading(text="Search: training time"): lambda row: formatting.duration(row.search_train_seconds),
        Heading(text="Best configuration", prose=True): _configuration,
        **({Heading(text="Frozen layers"): _frozen} if any(row.frozen for row in rows) else {}),
        Heading(text="Seeds confirmed"): lambda row: str(len(row.seeds) if row.state == "confirmed" else 0),
        Heading(text="Training time of a seed"): lambda row: (
            formatting.duration(row.metrics["train_seconds"].mean) if "train_seconds" in row.metrics else ABSENT
        ),
        Heading(text="Parameters"): lambda row: _fact(row, "parameters"),
        Heading(text="Model size"): lambda row: _fact(row, "size_bytes"),
        Heading(text="Latency an image"): lambda row: _fact(row, "latency_ms"),
    }
    return RenderedTable(
        name=NAME,
        title=titled(record, "Compute cost"),
        headings=(Heading(text="Model Type", prose=True), *columns),
        rows=tuple(
            (Cell(text=row.label, notes=row.notes), *(Cell(text=text(row)) for text in columns.values()))
            for row in rows
        ),
    )


def _learned_first(record: StudyRecord, arm: ArmHeader) -> str:
    """Describe the pre-training of the arm's backbone: 20 epochs, 1 h 2 min. Arms with the same weights share it."""
    described = arm.pretraining
    if described is None:
        return ABSENT
    if described.from_an_earlier_study:
        return f"{described.epochs} epochs, in an earlier study"
    sharing = [one for one in record.arms if one.pretraining and one.pretraining.weights == described.weights]
    trials = [trial for one in sharing for trial in record.of_arm(one.name, TrialRole.PRETRAIN)]
    if not trials:
        return ABSENT
    trial, done = trials[0], len(trials[0].epochs)
    epochs = f"{done} epochs" if done == trial.max_epochs else f"{done} of {trial.max_epochs} epochs"
    return f"{epochs}, {formatting.duration(trial.train_seconds) if trial.arm == arm.name else f'with {trial.arm}'}"


def _trials(row: ArmResult) -> str:
    """Count trials by status, without empty ones: 12 finished, 6 stopped early, 1 failed."""
    words = [f"{number} {WORDS.get(status, status)}" for status, number in row.trials.items() if number]
    return ", ".join(words) or "none"


def _configuration(row: ArmResult) -> str:
    return format_config(row.config, row.constants) if row.config else ABSENT


def _frozen(row: ArmResult) -> str:
    return f"{row.frozen[0]:,} of {row.frozen[1]:,}" if row.frozen else ABSENT


def _fact(row: ArmResult, fact: str) -> str:
    value = row.facts.get(fact)
    return ABSENT if value is None else formatting.UNITS[fact](value)
