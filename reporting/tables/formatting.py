"""Formatting of numbers for readers: mean and deviation, parameters, sizes, times, and limits of a plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.filesize import decimal

from search_spaces.objective import Objective

ABSENT = "-"
LEGIBLE = 0.95


def mean_and_deviation(mean: float, deviation: float | None, digits: int) -> str:
    """Write 0.8750 ± 0.0021, or the mean alone.

    Args:
        mean: The mean over seeds.
        deviation: The sample deviation; None for one seed.
        digits: Number of decimals.
    """
    if deviation is None:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def count(value: float) -> str:
    """Write a number of parameters: 4.7 M, 393.2 k, 850."""
    # The bounds are where rounding to one decimal reaches the next unit: 999,960 is 1.0 M, not 1000.0 k.
    if value >= 999_950:
        return f"{value / 1e6:,.1f} M"
    if value >= 9_995:
        return f"{value / 1e3:.1f} k"
    return f"{value:,.0f}"


def size(value: float) -> str:
    """Write bytes in decimal units, as disks are labelled: 18.8 MB."""
    return decimal(round(value))


def latency(value: float) -> str:
    """Write milliseconds with three digits: 4.71 ms."""
    return f"{value:.3g} ms" if value < 1000 else f"{value:,.0f} ms"


def duration(value: float) -> str:
    """Write seconds in at most two units: 8.4 s, 12 min 5 s, 3 h 5 min."""
    if value < 59.95:
        return f"{value:.1f} s"
    seconds = round(value)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def legible(values: Sequence[float], objective: Objective) -> tuple[float, float]:
    """Return the limits of a plot of these values.

    All values are inside, except a few far-off losses that would flatten the rest.

    Args:
        values: At least one value.
        objective: Defines which end is the better one and always shown.
    """
    ordered = sorted(values, key=objective.sort_key)
    best, worst = ordered[0], ordered[min(len(ordered) - 1, int(LEGIBLE * len(ordered)))]
    if objective.maximizes:  # accuracies and similar scores are bounded by 0, so that all are shown
        worst = ordered[-1]
    margin = 0.08 * abs(best - worst) or 0.02
    return min(best, worst) - margin, max(best, worst) + margin


# Fields that need a unit instead of four decimals; every other field takes its column's digits.
UNITS: Mapping[str, Callable[[float], str]] = {
    "parameters": count,
    "size_bytes": size,
    "latency_ms": latency,
    "train_seconds": duration,
}
