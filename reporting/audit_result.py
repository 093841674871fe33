"""Checks of the table itself: whether its best arm is the best, and whether its test numbers keep what validation
promised.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from errors import pluralize
from reporting.audit_finding import Finding, Unjudged, next_command
from reporting.rows import Row, best_row, rows
from tuning.records import StudyRecord

MOST_SEEDS = 30
# Student's t, two-sided 95 %, by degrees of freedom 1 to 10; then 1.96 + 2.7 / df is within 0.01.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
POWER = 2.8  # 1.96 + 0.84: standard errors apart that a difference is found in 80 % of studies
BEYOND = 3.0  # standard errors of the two splits together
LEAST_DROP = 0.02  # a smaller one is what choosing by validation costs


def within_noise(record: StudyRecord) -> Iterator[Finding | Unjudged]:
    """The best arm by validation, and the next one, are no further apart than seeds of one arm are (Student's t
    test, one deviation for both: two or three seeds are too few to have one each)."""
    found = [row for row in rows(record) if row.objective is not None]
    best = best_row(record, found)
    second = best_row(record, [row for row in found if row is not best])
    if best is None or second is None or best.objective is None or second.objective is None:
        return
    metric = record.header["objective"]["metric"]
    apart = abs(best.objective.mean - second.objective.mean)
    names = (
        f"{best.label} ({best.objective.mean:.4f}) and {second.label} ({second.objective.mean:.4f}) are {apart:.4f} "
        f"apart in {metric}"
    )
    pair = [row for row in (best, second) if _trains(record, row)]
    if any(row.objective is None or row.objective.n < 2 for row in pair):
        seeds = min(len(row.seeds) if row.state == "confirmed" else 0 for row in pair)
        error = _image_error(record, best.objective.mean, second.objective.mean)
        clear = error is not None and apart > BEYOND * error
        images = f", {apart / error:.1f} standard errors of so few validation images" if error else ""
        who = "no fresh seed confirms" if seeds == 0 else "one seed alone stands for"
        yield Finding(
            name="within_noise",
            severity="note" if clear else "serious",
            title="One seed cannot tell the arms apart",
            sentence=(
                f"{names}{images}; but {who} one of them: how far two seeds of one configuration lie apart is not "
                "known. Confirm with three or more."
            ),
            evidence={"difference": apart, "seeds": seeds},
            command=_more_seeds(record, 3),
        )
        return
    measured = [row.objective for row in pair if row.objective is not None]
    freedom = sum(one.n - 1 for one in measured)
    if not freedom:
        return
    deviation = math.sqrt(sum((one.n - 1) * (one.std or 0.0) ** 2 for one in measured) / freedom)
    needed = _t95(freedom) * deviation * math.sqrt(sum(1 / one.n for one in measured))
    if apart > needed or deviation == 0:
        return
    seeds = max(one.n for one in measured)
    wanted = math.ceil(len(measured) * (POWER * deviation / apart) ** 2) if apart else MOST_SEEDS
    wanted = min(MOST_SEEDS, max(seeds + 2, wanted))
    yield Finding(
        name="within_noise",
        severity="serious",
        title="The difference between the arms is within noise",
        sentence=(
            f"{names}; with {' and '.join(str(one.n) for one in measured)} seeds that deviate by {deviation:.4f} "
            f"within an arm, less than {needed:.4f} may be chance (95 %). {wanted} seeds would "
            f"{'tell it better' if wanted == MOST_SEEDS else 'tell a difference of this size'}."
        ),
        evidence={"difference": apart, "needed": needed, "deviation": deviation, "seeds": seeds, "wanted": wanted},
        command=_more_seeds(record, wanted),
    )


def not_reproduced(record: StudyRecord) -> Iterator[Finding | Unjudged]:
    """Fresh seeds of the best configuration lie below what the search saw of it by more than the validation images
    explain. Of shares alone, such as accuracy: of them the images' part of the spread is known."""
    for row in rows(record):
        searched, confirmed = record.best_trial(row.arm), row.objective
        if row.members or row.state != "confirmed" or searched is None or searched.best is None or confirmed is None:
            continue
        both = (searched.best + confirmed.mean) / 2  # as if they were one: no error of 0 where there is a drop
        error = _image_error(record, both, both)
        drop = searched.best - confirmed.mean
        if error is None or drop <= max(LEAST_DROP, BEYOND * error):
            continue
        metric = record.header["objective"]["metric"]
        yield Finding(
            name="not_reproduced",
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
            evidence={"searched": searched.best, "confirmed": confirmed.mean, "drop": drop, "seeds": confirmed.n},
            command=_more_seeds(record, max(5, 2 * confirmed.n)),
        )


def below_validation(record: StudyRecord) -> Iterator[Finding | Unjudged]:
    """The test accuracy of an arm lies below its validation accuracy by more than the sizes of the splits explain."""
    counts = (record.header.get("data") or {}).get("counts") or {}
    for row in rows(record):
        validation, test = row.metrics.get("val_accuracy"), row.metrics.get("test_accuracy")
        if validation is None or test is None or not counts.get("val") or not counts.get("test"):
            continue
        drop = validation.mean - test.mean
        # Of two proportions that are one, by the mean over all images: never 0 where there is a drop.
        images = counts["val"] + counts["test"]
        both = (validation.mean * counts["val"] + test.mean * counts["test"]) / images
        error = math.sqrt(max(0.0, both * (1 - both)) * (1 / counts["val"] + 1 / counts["test"]))
        if drop <= max(LEAST_DROP, BEYOND * error):
            continue
        yield Finding(
            name="below_validation",
            severity="serious",
            title="Test accuracy is far below validation accuracy",
            arm=row.arm,
            sentence=(
                f"{row.label}: {test.mean:.4f} on {counts['test']:,} test images, {validation.mean:.4f} on "
                f"{counts['val']:,} validation images. The drop of {drop:.4f} is {drop / error:.1f} standard errors: "
                "the search has fitted the validation split, or the two differ. Validate on several folds."
            ),
            evidence={"validation": validation.mean, "test": test.mean, "drop": drop, "standard_error": error},
            command=next_command(record, folds=5, confirm_seeds=None, goes_on_from=None, configs=None),
        )


def _image_error(record: StudyRecord, *means: float) -> float | None:
    """Standard error of a difference of two shares of the validation images, as if these were other images for each;
    None where the objective is no share, or the images were not counted."""
    counts = (record.header.get("data") or {}).get("counts") or {}
    if not counts.get("val") or record.header["objective"]["direction"] != "max":
        return None
    return math.sqrt(sum(max(0.0, mean * (1 - mean)) for mean in means) / counts["val"])


def _trains(record: StudyRecord, row: Row) -> bool:
    """An arm measured as its authors left it has no seeds, and no spread."""
    return next(bool(arm.get("trains", True)) for arm in record.arms if arm["name"] == row.arm)


def _more_seeds(record: StudyRecord, seeds: int) -> str:
    if (record.header.get("settings") or {}).get("folds"):
        return next_command(record, folds=max(2, seeds))
    return next_command(record, confirm_seeds=seeds)


def _t95(freedom: int) -> float:
    return T95[freedom - 1] if freedom <= len(T95) else 1.96 + 2.7 / freedom
