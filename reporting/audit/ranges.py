"""The position of values within the range of an axis, and proposals for the next range."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.audit import thresholds
from search_spaces.formatting import format_value
from tuning.records.header import AnyAxis, ChoiceAxis, FloatAxis, IntAxis


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An end of a range at which the best values are."""

    side: str  # "lower" or "upper"
    searched: str  # the range that was searched, such as "1e-4..0.01"
    proposed: str  # the wider range in the syntax of --space
    near: int  # number of the best values at that end


def edge(axis: AnyAxis, best: Sequence[Any]) -> Edge | None:
    """Return the end of an axis's range at which the best values are.

    Args:
        axis: The axis that was searched.
        best: Values of the axis in the best trials, best trial first.

    Returns:
        None where the values are inside the range, where chance explains them, or where no wider range is possible.
    """
    if isinstance(axis, ChoiceAxis):
        return _edge_of_list(axis, best)
    low, high, log = axis.low, axis.high, axis.log
    if low == high:
        return None
    places = [_place(value, low, high, log) for value in best]
    if places[0] <= thresholds.EDGE_BEST:
        side, near = "lower", sum(place <= thresholds.EDGE_NEAR for place in places)
    elif places[0] >= 1 - thresholds.EDGE_BEST:
        side, near = "upper", sum(place >= 1 - thresholds.EDGE_NEAR for place in places)
    else:
        return None
    wider = _wider(axis, side)
    if _by_chance(len(best), near, 2 * thresholds.EDGE_BEST, thresholds.EDGE_NEAR) or wider == (low, high):
        return None
    searched, proposed = (f"{format_value(start)}..{format_value(end)}" for start, end in ((low, high), wider))
    return Edge(side=side, searched=searched, proposed=proposed, near=near)


def _edge_of_list(axis: ChoiceAxis, best: Sequence[Any]) -> Edge | None:
    """Return the edge of a list of three numbers or more that `--space` can extend beyond its end."""
    values = axis.values
    if len(values) < 3 or any(isinstance(value, (bool, str)) for value in [*values, *axis.allowed]):
        return None
    ordered = sorted(values)
    if best[0] == ordered[0]:
        side, beyond = "lower", sorted(value for value in axis.allowed if value < ordered[0])[-1:]
    elif best[0] == ordered[-1]:
        side, beyond = "upper", sorted(value for value in axis.allowed if value > ordered[-1])[:1]
    else:
        return None
    near = sum(value == best[0] for value in best)
    if not beyond or _by_chance(len(best), near, 2 / len(values), 1 / len(values)):
        return None
    proposed = ",".join(map(format_value, sorted([*ordered, *beyond])))
    return Edge(side=side, searched=", ".join(map(format_value, ordered)), proposed=proposed, near=near)


def _by_chance(number: int, near: int, first: float, others: float) -> bool:
    """Return whether an axis without effect may have so many of the best values at an end.

    `first` is the probability that the best value is at either end, `others` that another one is at the same end.
    """
    rest = number - 1
    tail = math.fsum(math.comb(rest, k) * others**k * (1 - others) ** (rest - k) for k in range(near - 1, number))
    return near < thresholds.EDGE_SHARE * number or first * tail > thresholds.EDGE_CHANCE


def _place(value: float, low: float, high: float, log: bool) -> float:
    """Return a value's position in the range from 0 to 1; listed values may be outside."""
    if log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _wider(axis: FloatAxis | IntAxis, side: str) -> tuple[float, float]:
    """Extend a logarithmic range by a decade, a linear one by half its width, within possible values.

    A fraction stays below 1 and moves at most halfway from its end to 1; a range from 0 or above stays at 0 or above.
    """
    low, high = axis.low, axis.high
    if axis.log:
        wider = (low / 10, high) if side == "lower" else (low, high * 10)
    elif side == "lower":
        wider = (max(0.0, low - (high - low) / 2) if low >= 0 else low - (high - low) / 2, high)
    else:
        fraction = low >= 0 and high <= 1
        room = (1 - high) / 2 if fraction else math.inf
        wider = (low, high + min((high - low) / 2, room))
    if isinstance(axis, IntAxis):
        return max(1 if low >= 1 else 0, math.floor(wider[0])), math.ceil(wider[1])
    return float(f"{wider[0]:.3g}"), float(f"{wider[1]:.3g}")


def narrower(
    axis: AnyAxis, usable: Sequence[Mapping[str, Any]], lost: Sequence[Mapping[str, Any]]
) -> tuple[float, float, str] | None:
    """Return a part of an axis's range without the lost trials.

    Args:
        axis: The axis that was searched.
        usable: Configurations of the trials with a value.
        lost: Configurations of the infeasible and failed trials.

    Returns:
        The part's lower end, its upper end, and where the lost trials are, such as "at the upper end". None where the
        axis does not separate the lost trials from the usable ones.
    """
    if not isinstance(axis, FloatAxis) or axis.low == axis.high:
        return None
    good, bad = ([config[axis.name] for config in side if axis.name in config] for side in (usable, lost))
    if len(bad) < 2 or len(good) < 2:
        return None
    ordered = sorted(good)
    above = sum(bisect_left(ordered, one) for one in bad) / (len(bad) * len(good))
    low, high = axis.low, axis.high
    if above >= thresholds.LOST_ORDER:
        bound = float(f"{max(one for one in good if one < min(bad) or one == min(good)):.2g}")
        return (low, bound, "at the upper end") if low < bound < high else None
    if above <= 1 - thresholds.LOST_ORDER:
        bound = float(f"{min(one for one in good if one > max(bad) or one == max(good)):.2g}")
        return (bound, high, "at the lower end") if low < bound < high else None
    return None
