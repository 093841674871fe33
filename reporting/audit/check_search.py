"""Checks of an arm's search: its ranges, failures, length and early stopping."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from errors import pluralize
from reporting.audit import thresholds
from reporting.audit.finding import Finding, Inconclusive, check, next_command, relative_gain, searched
from reporting.audit.ranges import edge, narrower
from search_spaces.formatting import format_value
from tuning.records.events import FAILED_STATUSES, TrialRole
from tuning.records.header import ArmHeader
from tuning.records.study_record import StudyRecord, TrialRecord


@check("search")
def infeasible_trials(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where more than a fifth of an arm's trials were infeasible or failed.

    Where one axis separates these trials from the usable ones, the proposed command searches a range without them.
    """
    for arm in record.arms:
        ended = [trial for trial in record.of_arm(arm.name, TrialRole.SEARCH) if trial.ended_time is not None]
        lost = [trial for trial in ended if trial.status in FAILED_STATUSES]
        if len(lost) < 2 or len(lost) <= thresholds.LOST_SHARE * len(ended):
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
    """Return the settings that avoid the lost trials, and a sentence that explains them."""
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


@check("search")
def edge_of_range(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where most of the best values of an axis are at an end of its range."""
    if not searched(record):
        return
    for arm in record.arms:
        trials = record.best_trials(arm.name, len(record.trials))
        for axis in arm.axes:
            having = [trial for trial in trials if axis.name in trial.config]
            if len(having) < thresholds.EDGE_LEAST_TRIALS:
                continue
            tenth = min(thresholds.EDGE_MOST_BEST, max(thresholds.EDGE_FEWEST_BEST, len(having) // 10))
            best = [trial.config[axis.name] for trial in having[:tenth]]
            found = edge(axis, best)
            if found is None or having[0] is not trials[0]:
                continue
            yield Finding(
                severity="note",
                title="The best value lies at the edge of its range",
                arm=arm.name,
                sentence=(
                    f"The best {axis.name}, {format_value(best[0])} ({having[0].trial}), lies at the {found.side} end "
                    f"of {found.searched}, as do {found.near} of the best {len(best)}: what lies beyond was never "
                    "tried."
                ),
                command=next_command(record, spaces=(f"{arm.name}.{axis.name}={found.proposed}",)),
            )


@check("search")
def search_still_improving(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where the last fifth of an arm's trials improved the best value by over 1 %."""
    if not searched(record):
        return
    for arm in record.arms:
        name = arm.name
        trials = sorted(record.best_trials(name, len(record.trials)), key=lambda trial: trial.number)
        if len(trials) < thresholds.LATE_LEAST_TRIALS:
            yield Inconclusive(
                check="whether the search was long enough",
                arm=name,
                why=f"{pluralize(len(trials), 'trial has', 'trials have')} a value, "
                f"{thresholds.LATE_LEAST_TRIALS} are needed",
            )
            continue
        late = max(2, round(thresholds.LATE_SHARE * len(trials)))
        before, after = record.best_of(trials[:-late]), record.best_of(trials[-late:])
        if before is None or after is None or before.best is None or after.best is None:
            continue
        gain = relative_gain(record, after.best, before.best)
        if gain <= thresholds.GAIN:
            continue
        asked = len(record.of_arm(name, TrialRole.SEARCH))
        yield Finding(
            severity="note",
            title="The search was still improving",
            arm=name,
            sentence=(
                f"The last {late} of {len(trials)} trials improved the best {record.header.objective.metric} from "
                f"{before.best:.4f} to {after.best:.4f} ({after.trial}), by {gain:.1%}: more trials may find more."
            ),
            command=next_command(record, trials=2 * asked),
        )


@check("search")
def rungs_disagree(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where a rung of early stopping ranks finished trials differently than their last epoch."""
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
        if len(finished) < thresholds.RUNG_LEAST_TRIALS:
            yield Inconclusive(
                check="whether early stopping ranked trials rightly",
                arm=name,
                why=f"{pluralize(len(finished), 'trial', 'trials')} ran to the end, "
                f"{thresholds.RUNG_LEAST_TRIALS} are needed",
            )
            continue
        finals = [trial.best for trial in finished if trial.best is not None]
        correlations: dict[int, float] = {}  # by epoch of the rung
        epoch = arm.grace_epochs
        while epoch < last:
            correlation = spearman([_best_at(record, trial, epoch) for trial in finished], finals)
            correlations[epoch] = 1.0 if correlation is None else correlation
            epoch *= factor
        worst = min(correlations, key=lambda epoch: correlations[epoch])
        if correlations[worst] < thresholds.RUNG_CORRELATION:
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
    """Return Spearman's rank correlation of two sequences.

    Args:
        left: One number for each item.
        right: One number for each of the same items.

    Returns:
        From -1 to 1; None where one sequence does not vary.
    """
    from scipy.stats import spearmanr  # type: ignore[import-untyped]  # half a second to import

    if min(len(set(left)), len(set(right))) < 2:
        return None
    return float(spearmanr(left, right).statistic)


def _best_at(record: StudyRecord, trial: TrialRecord, epoch: int) -> float:
    """Return the value that a rung compares: the best until that epoch, or the worst possible without any."""
    objective = record.header.objective
    values = [one.metrics.get(objective.metric) for one in trial.epochs[:epoch]]
    present = [value for value in values if value is not None]
    return objective.best(present) if present else objective.worst
