"""The results of each arm: the metrics of its confirmed trials, and the cost of its search."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuning.records.events import EnsembleMeasured, TrialRole
from tuning.records.header import ArmHeader
from tuning.records.study_record import StudyRecord, TrialRecord

ENDS = ("completed", "stopped", "infeasible", "failed")
WORDS = {"completed": "finished", "stopped": "stopped early"}  # statuses as tables print them
FACTS = ("parameters", "size_bytes", "latency_ms")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric aggregated over the seeds of a row."""

    mean: float
    std: float | None  # sample deviation; None for one seed
    n: int  # seeds with a value; a metric that was not finite or not measured has fewer than the row


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """The result of one arm of a study."""

    arm: str
    label: str
    note: str = ""  # caveat of the arm, such as a backbone that was swapped
    state: str  # "confirmed", "searched" (the row is the search's best trial), "averaged" or "missing"
    status: str = ""  # missing parts and their reasons; empty for a complete row
    config: dict[str, Any] = field(default_factory=dict)  # configuration of the confirmed trials
    constants: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    trials: dict[str, int] = field(default_factory=dict)  # trials of the search by status
    search_epochs: int = 0
    search_train_seconds: float = 0.0
    objective: Metric | None = None  # the study's validation objective, which chooses the best arm
    metrics: dict[str, Metric] = field(default_factory=dict)
    facts: dict[str, float | None] = field(default_factory=dict)  # facts of the seed that is best on validation
    members: tuple[str, ...] = ()  # trials whose models are averaged; empty in an arm's own row
    frozen: tuple[int, int] | None = None  # number of frozen layers and of all layers of the backbone

    @property
    def notes(self) -> tuple[str, ...]:
        """The footnotes of the arm's label."""
        return tuple(filter(None, (self.note, self.status)))


def summarize_arms(record: StudyRecord) -> tuple[ArmResult, ...]:
    """Return a row for each arm in the task's order, followed by a row for each ensemble of its models.

    Rows are computed once per record, and every table, plot and check of a command shares them.
    """
    return record.derived("arms", lambda: tuple(_summarize_arms(record)))


def _summarize_arms(record: StudyRecord) -> Iterator[ArmResult]:
    axes = {name for trial in record.trials.values() for name in trial.config}
    for arm in record.arms:
        row = _row(record, arm, axes)
        yield row
        yield from (_averaged(row, event) for event in record.ensembles if event.arm == row.arm)


def _averaged(row: ArmResult, event: EnsembleMeasured) -> ArmResult:
    """Return the row of an ensemble. It has no objective: validation chooses a single model."""
    members = event.members
    seeds = event.role == TrialRole.CONFIRM
    return ArmResult(
        arm=event.name,
        label=f"{row.label}, {len(members)} seeds averaged" if seeds else f"{row.label}, {len(members)} best averaged",
        note=row.note,
        state="averaged",
        status="the mean of its models' probabilities; validated one by one alone",
        config=row.config if seeds else {},
        constants=row.constants if seeds else {},
        seeds=row.seeds if seeds else (),
        metrics={name: Metric(mean=value, std=None, n=1) for name, value in event.metrics.items() if value is not None},
        members=members,
    )


def best_arm(record: StudyRecord, candidates: Sequence[ArmResult]) -> ArmResult | None:
    """Return the row best on validation, the earlier of two equal ones. The test split is not used.

    Args:
        record: The study, whose objective decides.
        candidates: Rows to choose from; those without an objective are skipped.

    Returns:
        None where no row has an objective.
    """
    key = record.header.objective.sort_key
    measured = [(key(row.objective.mean), row) for row in candidates if row.objective is not None]
    return min(measured, key=lambda one: one[0], default=(0.0, None))[1]


def _row(record: StudyRecord, arm: ArmHeader, axes: set[str]) -> ArmResult:
    name = arm.name
    searched = record.of_arm(name, TrialRole.SEARCH)
    chosen = record.confirmed(name)
    representative = record.best_of(chosen)
    state = {"confirm": "confirmed", "search": "searched"}[chosen[0].role] if chosen else "missing"
    model_note = str(representative.facts.get("note") or "") if representative else ""
    return ArmResult(
        arm=name,
        label=arm.title,
        note="; ".join(dict.fromkeys(note for note in (arm.note, model_note) if note)),
        state=state,
        status=_status(record, arm, chosen),
        config=dict(representative.config) if representative else {},
        constants=dict(arm.constants),
        seeds=tuple(trial.seed for trial in chosen),
        trials=_count(searched),
        search_epochs=sum(len(trial.epochs) for trial in searched),
        search_train_seconds=sum(trial.train_seconds for trial in searched),
        objective=aggregate(trial.best for trial in chosen),
        metrics=_metrics(chosen, axes),
        facts={fact: representative.facts.get(fact) for fact in FACTS} if representative else {},
        frozen=_frozen(representative) if representative else None,
    )


def _frozen(trial: TrialRecord) -> tuple[int, int] | None:
    """Return the numbers of frozen and of all backbone layers, after rounding to a freeze point."""
    frozen, layers = trial.prepared.frozen_layers, trial.prepared.backbone_layers
    return None if frozen is None or layers is None else (frozen, layers)


def aggregate(values: Iterable[float | None]) -> Metric | None:
    """Return mean and sample deviation of the values that are not None; None where there are none."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    deviation = statistics.stdev(present) if len(present) > 1 else None
    return Metric(mean=statistics.mean(present), std=deviation, n=len(present))


def _metrics(chosen: Sequence[TrialRecord], axes: set[str]) -> dict[str, Metric]:
    values: dict[str, list[float | None]] = {}
    for trial in chosen:
        took = {"train_seconds": trial.train_seconds, "best_epoch": trial.best_epoch, "epochs": len(trial.epochs)}
        for name, value in {**trial.best_metrics, **trial.test, **took, **_extremes(trial)}.items():
            # A schedule reports its current learning rate under the name of the axis; a row has the configured one.
            if name not in axes:
                values.setdefault(name, []).append(value)
    measured = {name: aggregate(entries) for name, entries in values.items()}
    return {name: metric for name, metric in measured.items() if metric is not None}


def _extremes(trial: TrialRecord) -> dict[str, float | None]:
    """Return the best value of each score over all epochs, each independently, as some reports print it."""
    found: dict[str, float | None] = {}
    for word, choose, score in (("max", max, "accuracy"), ("max", max, "iou"), ("min", min, "loss")):
        for name in (f"train_{score}", f"val_{score}"):
            values = [epoch.metrics.get(name) for epoch in trial.epochs]
            present = [value for value in values if value is not None]
            found[f"{word}_{name}"] = choose(present) if present else None
    return found


def _count(trials: Sequence[TrialRecord]) -> dict[str, int]:
    counted: Counter[str] = Counter(trial.status for trial in trials)
    return {**{status: counted.pop(status, 0) for status in ENDS}, **counted}


def _status(record: StudyRecord, arm: ArmHeader, chosen: Sequence[TrialRecord]) -> str:
    """Describe the missing parts of an arm's row and their reasons."""
    name = arm.name
    confirmations = record.of_arm(name, TrialRole.CONFIRM)
    if not chosen:
        # A pre-training is no candidate for the row; cost_table.py counts it.
        asked = [trial for trial in record.of_arm(name) if trial.role != "pretrain"]
        return f"no finished trial: {_reasons(asked) if asked else 'none was started'}"
    parts: list[str] = []
    if not arm.trains:
        pass  # its network is the same for every seed
    elif chosen[0].role == "search":
        if confirmations:
            parts.append(f"no seed of {len(confirmations)} confirmed it: {_reasons(confirmations)}")
        parts.append("one seed, the one the search chose by validation; a fresh seed may do worse")
    elif len(chosen) < len(confirmations):
        rest = [trial for trial in confirmations if trial.status != "completed"]
        parts.append(f"{len(chosen)} of {len(confirmations)} seeds: {_reasons(rest)}")
    if any(trial.config != chosen[0].config for trial in chosen):
        parts.append("its seeds were trained with different configurations; the best one's is shown")
    if not any(trial.test for trial in chosen):
        failure = record.test_failures.get(name)
        reason = f": {failure}" if failure else " yet" if record.status == "running" else ""
        parts.append(f"not measured on the test split{reason}")
    return "; ".join(parts)


def _reasons(trials: Sequence[TrialRecord]) -> str:
    """Count trials by status with the commonest reason: 2 failed (the worker died), 1 infeasible (loss not finite)."""
    words: list[str] = []
    for status, number in Counter(trial.status for trial in trials).most_common():
        reasons = Counter(trial.reason for trial in trials if trial.status == status and trial.reason)
        reason = f" ({reasons.most_common(1)[0][0]})" if reasons else ""
        words.append(f"{number} {WORDS.get(status, status)}{reason}")
    return ", ".join(words)
