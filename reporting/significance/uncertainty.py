"""The uncertainty of a study's results: intervals, comparisons of arms, and the compute behind each row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reporting.results.arm_results import ArmResult, Metric, best_arm, summarize_arms
from reporting.results.correct_predictions import CorrectPredictions, correctness, read_correct_predictions
from reporting.results.reproduce_command import reproduce
from reporting.significance.confidence_intervals import Interval, mean_accuracy_interval, wilson
from reporting.significance.expected_best import expected_best, shown
from reporting.significance.paired_tests import SIGNIFICANT, Difference, compare, holm
from tuning.records.study_record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class ArmEvidence:
    """The evidence for one row."""

    arm: str
    answers: CorrectPredictions | None  # test answers of the seeds whose predictions are stored
    without_answers: str  # seeds whose predictions are missing, with reasons; empty where none is
    images: int | None  # number of test images; None where nothing was tested
    metric: str  # metric of the interval, such as "test_accuracy": see correct_predictions.Correctness
    interval: Interval | None  # 95 % interval of the metric's mean over seeds: see confidence_intervals.py
    epochs: int  # epochs of all its trials: search, confirmation and pre-training
    compute_seconds: float  # time of workers in all phases of all trials that reported
    best_of_n: dict[int, float]  # expected best validation value by number of trials: 1, 2, 5, 10, ...
    command: str | None  # command that reproduces the row


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The difference between the row best by validation and another one, on the test split, which chose neither."""

    arm: str
    minus: str
    result: Difference | None  # None where they cannot be compared
    p: float | None  # p-value, after Holm's correction where there are several comparisons
    reason: str  # reason for a missing result, or the seeds that it leaves out; else empty

    @property
    def within_noise(self) -> bool | None:
        """Whether the difference is not significant; None where there is no result."""
        return None if self.p is None else self.p >= SIGNIFICANT


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence for one study, its arms in the task's order."""

    arms: tuple[ArmEvidence, ...]
    comparisons: tuple[Comparison, ...]

    def of(self, arm: str) -> ArmEvidence:
        """Return the evidence for an arm."""
        return next(evidence for evidence in self.arms if evidence.arm == arm)


def collect_uncertainty(record: StudyRecord, found: Sequence[ArmResult] | None = None) -> Evidence:
    """Return the evidence for a study from its events and its stored predictions.

    Args:
        record: The study.
        found: Its rows; None computes them.
    """
    found = summarize_arms(record) if found is None else found
    arms = tuple(_of_arm(record, row) for row in found)
    return Evidence(arms=arms, comparisons=tuple(_comparisons(record, found, arms)))


def _of_arm(record: StudyRecord, row: ArmResult) -> ArmEvidence:
    metric = correctness(record).metric
    tested = [trial for trial in record.confirmed(row.arm) if metric in trial.test]
    answers, missing = (None, "") if record.folder is None else read_correct_predictions(record.folder, tested, metric)
    trials = record.of_arm(row.arm)
    searched = [trial.best for trial in record.best_trials(row.arm, len(trials)) if trial.best is not None]
    counted = (record.header.data.counts.get("test") or None) if tested or row.members else None
    images = answers.correct.shape[1] if answers else counted
    return ArmEvidence(
        arm=row.arm,
        answers=answers,
        without_answers=missing,
        images=images,
        metric=metric,
        interval=_interval(row.metrics.get(metric), answers, len(tested), images),
        epochs=sum(len(trial.epochs) for trial in trials),
        compute_seconds=math.fsum(sum(trial.seconds.values()) for trial in trials),
        best_of_n={n: expected_best(searched, n, record.header.objective) for n in shown(len(searched))},
        command=reproduce(record, row.arm, row.config),
    )


def _interval(
    share: Metric | None, answers: CorrectPredictions | None, tested: int, images: int | None
) -> Interval | None:
    """Return the interval over all seeds' answers, or a wider one where some answers are not stored.

    The wider one assumes that all seeds make errors on the same images.
    """
    if answers is not None and len(answers.trials) == tested:
        return mean_accuracy_interval(answers.correct)
    return None if share is None or images is None else wilson(share.mean, images)


def _comparisons(record: StudyRecord, found: Sequence[ArmResult], arms: Sequence[ArmEvidence]) -> list[Comparison]:
    """Compare the tested row best by validation with every other tested row; empty where none was tested."""
    metric = correctness(record).metric
    best = best_arm(record, [row for row in found if metric in row.metrics])
    if best is None:
        return []
    of = {evidence.arm: evidence for evidence in arms}
    others = [row.arm for row in found if row.arm != best.arm and metric in row.metrics]
    return holm_correct([compare_arms(of[best.arm], of[other]) for other in others])


def compare_arms(first: ArmEvidence, second: ArmEvidence, names: tuple[str, str] | None = None) -> Comparison:
    """Compare the first arm with the second on the test images that both were tested on.

    Args:
        first: Evidence for the arm.
        second: Evidence for the arm to subtract.
        names: Names of both in the result; None takes the arms' own.

    Returns:
        A comparison without a result, but with the reason, where predictions are missing or the images differ.
    """
    arm, minus = names or (first.arm, second.arm)
    without = Comparison(arm=arm, minus=minus, result=None, p=None, reason="")
    if first.answers is None or second.answers is None:
        missing = " and ".join(name for name, one in ((arm, first), (minus, second)) if one.answers is None)
        return replace(without, reason=f"the predictions of {missing} on the test images are not stored")
    one, other = first.answers, second.answers
    if (one.names, one.labels) != (other.names, other.labels):
        return replace(without, reason=f"they met other test images ({len(one.names)} and {len(other.names)})")
    result = compare(one.correct, other.correct)
    left_out = "; ".join(filter(None, (first.without_answers, second.without_answers)))
    return replace(without, result=result, p=result.p, reason=f"without {left_out}" if left_out else "")


def holm_correct(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Apply Holm's correction to the p-values of all comparisons."""
    values = iter(holm([comparison.result.p for comparison in comparisons if comparison.result is not None]))
    return [
        comparison if comparison.result is None else replace(comparison, p=next(values)) for comparison in comparisons
    ]


def across_studies(evidence: Mapping[str, Evidence]) -> list[Comparison]:
    """Compare arms within each study, then each later study's arms with the first study's, corrected together.

    Args:
        evidence: Evidence for each study, by the study's name.
    """
    (first_name, first), *later = evidence.items()
    pairs = [
        (name, of_study.of(one.arm), name, of_study.of(one.minus))
        for name, of_study in evidence.items()
        for one in of_study.comparisons
    ]
    tested = {one.arm: one for one in first.arms if one.images is not None}
    pairs += [
        (name, one, first_name, tested[one.arm])
        for name, of_study in later
        for one in of_study.arms
        if one.images is not None and one.arm in tested
    ]
    return holm_correct(
        [compare_arms(one, other, (f"{name}/{one.arm}", f"{minus}/{other.arm}")) for name, one, minus, other in pairs]
    )


def evidence_fields(evidence: ArmEvidence) -> dict[str, Any]:
    """Return the evidence as JSON fields, part of the contract: names are added and never renamed."""
    return {
        "test_images": evidence.images,
        "test_accuracy_interval": None,
        f"{evidence.metric}_interval": list(evidence.interval) if evidence.interval else None,
        "seeds_with_predictions": len(evidence.answers.trials) if evidence.answers else 0,
        "epochs": evidence.epochs,
        "compute_seconds": evidence.compute_seconds,
        "expected_best_of_n": {str(n): value for n, value in evidence.best_of_n.items()},
    }


def comparison_fields(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON fields; `p` is the comparison's own p-value, `p_corrected` Holm's."""
    result = comparison.result
    return {
        "arm": comparison.arm,
        "minus": comparison.minus,
        "difference": result.difference if result else None,
        "interval": list(result.interval) if result else None,
        "p": result.p if result else None,
        "p_corrected": comparison.p,
        "within_noise": comparison.within_noise,
        "test": result.test if result else None,
        "images": result.images if result else None,
        "reason": comparison.reason or None,
    }
