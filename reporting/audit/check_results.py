"""Checks of the table: whether its best arm is the best, and whether test confirms validation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from errors import pluralize
from reporting.audit import thresholds
from reporting.audit.finding import Finding, Inconclusive, check, next_command
from reporting.results.arm_results import Metric, best_arm, summarize_arms
from tuning.records.study_record import StudyRecord


@check("result")
def within_noise(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where the two best arms differ by no more than seeds of one arm do.

    The test is Student's t test on the validation objective. Both arms share one pooled deviation, since two or three
    seeds are too few for a deviation of each.
    """
    found = [row for row in summarize_arms(record) if row.objective is not None]
    best = best_arm(record, found)
    second = best_arm(record, [row for row in found if row is not best])
    pair = [(row, row.objective) for row in (best, second) if row is not None and row.objective is not None]
    if len(pair) < 2:
        return
    (first, one), (other, another) = pair
    difference = abs(one.mean - another.mean)
    names = (
        f"{first.label} ({one.mean:.4f}) and {other.label} ({another.mean:.4f}) are {difference:.4f} apart in "
        f"{record.header.objective.metric}"
    )
    # An arm that does not train has neither seeds nor spread.
    trained = [(row, objective) for row, objective in pair if record.arm(row.arm).trains]
    if any(objective.n < 2 for _, objective in trained):
        seeds = min(len(row.seeds) if row.state == "confirmed" else 0 for row, _ in trained)
        yield _one_seed(record, names, difference, seeds, _image_error(record, one.mean, another.mean))
    elif trained:
        yield from _within_spread(record, names, difference, [objective for _, objective in trained])


def _one_seed(record: StudyRecord, names: str, difference: float, seeds: int, error: float | None) -> Finding:
    """Return the finding that an arm of the best two has fewer than two seeds.

    `seeds` is the smallest number of seeds that confirm one of the two arms, `error` the standard error of their
    difference over the validation images.
    """
    clear = error is not None and difference > thresholds.STANDARD_ERRORS * error
    images = f", {difference / error:.1f} standard errors of so few validation images" if error else ""
    who = "no fresh seed confirms" if seeds == 0 else "one seed alone stands for"
    return Finding(
        severity="note" if clear else "serious",
        title="One seed cannot tell the arms apart",
        sentence=(
            f"{names}{images}; but {who} one of them: how far two seeds of one configuration lie apart is not "
            "known. Confirm with three or more."
        ),
        command=_more_seeds(record, 3),
    )


def _within_spread(record: StudyRecord, names: str, difference: float, measured: Sequence[Metric]) -> Iterator[Finding]:
    """Judge the difference by the pooled deviation of seeds within the arms, each of two seeds or more."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    freedom = sum(one.n - 1 for one in measured)
    deviation = math.sqrt(sum((one.n - 1) * (one.std or 0.0) ** 2 for one in measured) / freedom)
    needed = float(stdtrit(freedom, 0.975)) * deviation * math.sqrt(sum(1 / one.n for one in measured))
    if difference > needed or deviation == 0:
        return
    most = thresholds.MOST_SEEDS
    wanted = math.ceil(len(measured) * (thresholds.POWER * deviation / difference) ** 2) if difference else most
    wanted = min(most, max(max(one.n for one in measured) + 2, wanted))
    yield Finding(
        severity="serious",
        title="The difference between the arms is within noise",
        sentence=(
            f"{names}; with {' and '.join(str(one.n) for one in measured)} seeds that deviate by {deviation:.4f} "
            f"within an arm, less than {needed:.4f} may be chance (95 %). {wanted} seeds would "
            f"{'tell it better' if wanted == most else 'tell a difference of this size'}."
        ),
        command=_more_seeds(record, wanted),
    )


@check("result")
def not_reproduced(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where fresh seeds fall below the search's value by more than the validation images explain.

    The check applies to shares such as accuracy alone: only for them the images' part of the spread is known.
    """
    for row in summarize_arms(record):
        searched, confirmed = record.best_trial(row.arm), row.objective
        if row.members or row.state != "confirmed" or searched is None or searched.best is None or confirmed is None:
            continue
        # One share for both keeps the error above 0 where there is a drop.
        both = (searched.best + confirmed.mean) / 2
        error = _image_error(record, both, both)
        drop = searched.best - confirmed.mean
        if error is None or drop <= max(thresholds.LEAST_DROP, thresholds.STANDARD_ERRORS * error):
            continue
        metric = record.header.objective.metric
        yield Finding(
            severity="serious",
            title="Fresh seeds do not reach what the search saw",
            arm=row.arm,
            sentence=(
                f"{row.label}: the search saw {metric} {searched.best:.4f}; with "
                f"{pluralize(confirmed.n, 'fresh seed', 'fresh seeds')} the same configuration reached "
                f"{confirmed.mean:.4f} on average. The drop of {drop:.4f} is {drop / error:.1f} standard errors of so "
                "few validation images: the search's value was luck, or how well this trains hangs on its seed. More "
                "seeds say which."
            ),
            command=_more_seeds(record, max(5, 2 * confirmed.n)),
        )


@check("result")
def below_validation(record: StudyRecord) -> Iterator[Finding | Inconclusive]:
    """Yield a finding where an arm's test accuracy is below its validation accuracy by more than chance.

    The sizes of both splits determine the standard error.
    """
    counts = record.header.data.counts
    for row in summarize_arms(record):
        validation, test = row.metrics.get("val_accuracy"), row.metrics.get("test_accuracy")
        if validation is None or test is None or not counts.get("val") or not counts.get("test"):
            continue
        drop = validation.mean - test.mean
        # The error is that of two samples of one proportion, the mean over all images: above 0 where there is a drop.
        images = counts["val"] + counts["test"]
        both = (validation.mean * counts["val"] + test.mean * counts["test"]) / images
        error = math.sqrt(max(0.0, both * (1 - both)) * (1 / counts["val"] + 1 / counts["test"]))
        if drop <= max(thresholds.LEAST_DROP, thresholds.STANDARD_ERRORS * error):
            continue
        yield Finding(
            severity="serious",
            title="Test accuracy is far below validation accuracy",
            arm=row.arm,
            sentence=(
                f"{row.label}: {test.mean:.4f} on {counts['test']:,} test images, {validation.mean:.4f} on "
                f"{counts['val']:,} validation images. The drop of {drop:.4f} is {drop / error:.1f} standard errors: "
                "the search has fitted the validation split, or the two differ. Validate on several folds."
            ),
            command=next_command(record, folds=5, confirm_seeds=None, goes_on_from=None, configs=None),
        )


def _image_error(record: StudyRecord, *means: float) -> float | None:
    """Return the standard error of a difference of two shares of the validation images.

    The shares count as measured on independent images. None where the objective is no share or the images were not
    counted.
    """
    counts = record.header.data.counts
    if not counts.get("val") or not record.header.objective.maximizes:
        return None
    return math.sqrt(sum(max(0.0, mean * (1 - mean)) for mean in means) / counts["val"])


def _more_seeds(record: StudyRecord, seeds: int) -> str:
    if record.header.folds:
        return next_command(record, folds=max(2, seeds))
    return next_command(record, confirm_seeds=seeds)
