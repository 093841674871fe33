"""Checks of how an arm was searched: its ranges, its failures, its length, its early stopping."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from errors import pluralize
from reporting.audit.finding import Finding, Inconclusive, check, next_command, relative_gain, searched
from reporting.audit.ranges import Edge, edge, narrower
from reporting.audit.thresholds import THRESHOLDS
from search_spaces.formatting import format_value
from tuning.records.events import FAILED_STATUSES, TrialRole
from tuning.records.header import ArmHeader
from tuning.records.study_record import StudyRecord, TrialRecord


@check("infeasible_trials", "search")
def infeasible_trials(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """More than a fifth of an arm's trials gave nothing; where one axis tells them apart, a range without them."""
    for arm in record.arms:
        ended = [trial for trial in record.of_arm(arm.name, TrialRole.SEARCH) if trial.ended_time is not None]
        lost = [trial for trial in ended if trial.status in FAILED_STATUSES]
        if len(lost) < 2 or len(lost) <= THRESHOLDS.lost_share * len(ended):
            continue
        reasons = Counter(trial.reason or trial.status for trial in lost)
        reason, often = reasons.most_common(1)[0]
        usable = [trial for trial in ended if trial.status not in FAILED_STATUSES]
        changes, where = _without(record, arm, usable, lost, reason)
        yield Finding(
            severity="serious" if len(lost) > len(ended) / 2 else "note",
            title="Many trials gave nothing",
            arm=arm.name,
            sentence=(
                f"{len(lost)} of {len(ended)} trials were infeasible or failed, {often} of them: {reason}. {where}"
            ),
            command=next_command(record, **changes),
        )


def _without(
    record: StudyRecord, arm: ArmHeader, usable: Sequence[TrialRecord], lost: Sequence[TrialRecord], reason: str
) -> tuple[dict[str, Any], str]:
    """The settings that would avoid them, and the sentence that says why."""
    name = arm.name
    for axis in arm.axes:
        found = narrower(axis, [trial.config for trial in usable], [trial.config for trial in lost])
        if found is not None and searched(record):
            low, high, side = found
            sentence = f"They lie {side} of {axis.name}; search it over {format_value(low)}..{format_value(high)}."
            return {"spaces": (f"{name}.{axis.name}={format_value(low)}..{format_value(high)}",)}, sentence
    batch_size = arm.constants.get("batch_size")
    if "memory" in reason and isinstance(batch_size, int) and batch_size > 1:
        return {"sets": (f"{name}.batch_size={batch_size // 2}",)}, f"Halve the batch size from {batch_size}."
    if not searched(record):
        return {"configs": None}, "Search the space in place of the listed configurations."
    ended = len(usable) + len(lost)
    trials = min(math.ceil(ended**2 / max(1, len(usable))), 4 * ended)
    return {"trials": trials}, f"No axis tells them apart; for as many usable trials as were asked, run {trials}."


@check("edge_of_range", "search")
def edge_of_range(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """The best value of an axis lies at an end of what was searched, and those of the next best lie there too."""
    if not searched(record):
        return
    for arm in record.arms:
        trials = _ranked(record, arm.name)
        for axis in arm.axes:
            having = [trial for trial in trials if axis.name in trial.config]
            if len(having) < THRESHOLDS.edge_least_trials:
                continue
            tenth = min(THRESHOLDS.edge_most_best, max(THRESHOLDS.edge_fewest_best, len(having) // 10))
            best = [trial.config[axis.name] for trial in having[:tenth]]
            found = edge(axis, best)
            if found is None or having[0] is not trials[0]:
                continue
            yield _at_edge(record, arm.name, axis.name, found, best, having[0])


def _at_edge(record: StudyRecord, arm: str, axis: str, found: Edge, best: Sequence[Any], trial: TrialRecord) -> Finding:
    return Finding(
        severity="note",
        title="The best value lies at the edge of its range",
        arm=arm,
        sentence=(
            f"The best {axis}, {format_value(best[0])} ({trial.trial}), lies at the {found.side} end of "
            f"{found.searched}, as do {found.near} of the best {len(best)}: what lies beyond was never tried."
        ),
        command=next_command(record, spaces=(f"{arm}.{axis}={found.proposed}",)),
    )


@check("search_still_improving", "search")
def search_still_improving(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """The last fifth of an arm's trials still found something over 1 % better."""
    if not searched(record):
        return
    for arm in record.arms:
        name = arm.name
        trials = sorted(_ranked(record, name), key=lambda trial: trial.number)
        if len(trials) < THRESHOLDS.late_least_trials:
            yield Inconclusive(
                check="whether the search was long enough",
                arm=name,
                why=f"{pluralize(len(trials), 'trial has', 'trials have')} a value, "
                f"{THRESHOLDS.late_least_trials} are needed",
            )
            continue
        late = max(2, round(THRESHOLDS.late_share * len(trials)))
        before, after = record.best_of(trials[:-late]), record.best_of(trials[-late:])
        if before is None or after is None or before.best is None or after.best is None:
            continue
        gain = relative_gain(record, after.best, before.best)
        if gain <= THRESHOLDS.gain:
            continue
        asked = len(record.of_arm(name, TrialRole.SEARCH))
        yield Finding(
            severity="note",
            title="The search was still improving",
            arm=name,
            sentence=(
                f"The last {late} of {len(trials)} trials improved the best {_metric(record)} from {before.best:.4f} "
                f"to {after.best:.4f} ({after.trial}), by {gain:.1%}: more trials may find more."
            ),
            command=next_command(record, trials=2 * asked),
        )


@check("rungs_disagree", "search")
def rungs_disagree(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Where early stopping looked, finished trials stood in another order than at their end."""
    if not record.header.early_stopping:
        return
    factor = record.header.reduction_factor
    for arm in record.arms:
        name, last = arm.name, arm.max_epochs
        finished = [
            trial
            for trial in record.of_arm(name, TrialRole.SEARCH)
            if trial.status == "completed" and trial.best is not None and len(trial.epochs) >= last
        ]
        if last <= arm.grace_epochs:
            continue
        if len(finished) < THRESHOLDS.rung_least_trials:
            yield Inconclusive(
                check="whether early stopping ranked trials rightly",
                arm=name,
                why=f"{pluralize(len(finished), 'trial', 'trials')} ran to the end, "
                f"{THRESHOLDS.rung_least_trials} are needed",
            )
            continue
        correlations: dict[int, float] = {}  # by rung
        epoch = arm.grace_epochs
        while epoch < last:
            correlation = spearman([_best_at(record, trial, epoch) for trial in finished], _finals(finished))
            correlations[epoch] = 1.0 if correlation is None else correlation
            epoch *= factor
        worst = min(correlations, key=lambda epoch: correlations[epoch])
        if correlations[worst] < THRESHOLDS.rung_correlation:
            yield Finding(
                severity="note",
                title="Early stopping looked too early",
                arm=name,
                sentence=(
                    f"At the rung of epoch {worst} the {len(finished)} trials that ran to epoch {last} stood in "
                    f"another order than at their end (rank correlation {correlations[worst]:.2f}): slow starters may "
                    "have been stopped. Let trials run to their end."
                ),
                command=next_command(record, scheduler="none"),
            )


def spearman(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the rank correlation, from -1 to 1; None where one side does not vary."""
    from scipy.stats import spearmanr  # type: ignore[import-untyped]  # half a second to import

    if min(len(set(left)), len(set(right))) < 2:
        return None
    return float(spearmanr(left, right).statistic)


def _best_at(record: StudyRecord, trial: TrialRecord, epoch: int) -> float:
    """The value a rung compared: the best until then; the worst there is where there was none yet."""
    best: float | None = None
    for one in trial.epochs[:epoch]:
        value = one.metrics.get(_metric(record))
        if record.better(value, best):
            best = value
    return record.header.objective.worst if best is None else best


def _finals(trials: Sequence[TrialRecord]) -> list[float]:
    return [trial.best for trial in trials if trial.best is not None]


def _ranked(record: StudyRecord, arm: str) -> list[TrialRecord]:
    """The arm's usable search trials, the best first."""
    return record.best_trials(arm, len(record.trials))


def _metric(record: StudyRecord) -> str:
    return str(record.header.objective.metric)
