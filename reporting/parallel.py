"""Parallel coordinates: each trial a line across the axes of its arm to the value it reached. Data, no drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.effects import choices_of, ended_value, position_of
from reporting.trial_curves import spread
from search_spaces.formatting import format_value
from tuning.records import StudyRecord, TrialRecord

MOST = 200  # lines; more hide each other
ABSENT = -0.12  # where a line passes an axis that its trial does not have: below it


@dataclass(frozen=True, kw_only=True)
class Coordinate:
    """One upright axis. Positions go from 0, its lower end, to 1."""

    name: str
    ticks: tuple[tuple[float, str], ...]
    lacking: bool  # whether some trial does not have it


@dataclass(frozen=True, kw_only=True)
class Line:
    """One trial of the search."""

    trial: str
    positions: tuple[float, ...]  # one a coordinate; ABSENT where the trial does not have the axis
    value: float | None  # of the objective
    status: str


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """The last coordinate is the objective. Lines come worst first, so that the best are drawn on top."""

    arm: str
    metric: str
    coordinates: tuple[Coordinate, ...]
    lines: tuple[Line, ...]
    of: int  # ended trials, whether they are among `lines` or not


def parallel(record: StudyRecord, arm: str) -> Parallel | None:
    """None where fewer than two axes varied, or fewer than two trials have a value."""
    described = next(one for one in record.arms if one["name"] == arm)
    ended = [trial for trial in record.of_arm(arm, "search") if trial.ended_time is not None]
    trials = spread(record, ended, MOST)
    values = [value for trial in trials if (value := ended_value(trial)) is not None]
    axes = [axis for axis in described.get("axes", ()) if _settings(axis, trials)]
    if len(axes) < 2 or len(values) < 2:
        return None
    metric = record.header["objective"]["metric"]
    scales = [_scale(axis, _settings(axis, trials)) for axis in axes]
    objective = _Scale(low=min(values), high=max(values), log=False, ticks=())
    lines = []
    for trial in reversed(trials):
        value = ended_value(trial)
        places = [
            scale.position(trial.config[axis["name"]]) if axis["name"] in trial.config else ABSENT
            for axis, scale in zip(axes, scales, strict=True)
        ]
        last = ABSENT if value is None else objective.position(value)
        lines.append(Line(trial=trial.trial, positions=(*places, last), value=value, status=trial.status))
    names = [axis["name"] for axis in axes]
    coordinates = [
        Coordinate(name=name, ticks=scale.labels(), lacking=any(line.positions[place] == ABSENT for line in lines))
        for place, (name, scale) in enumerate(zip([*names, metric], [*scales, objective], strict=True))
    ]
    return Parallel(arm=arm, metric=metric, coordinates=tuple(coordinates), lines=tuple(lines), of=len(ended))


def _settings(axis: Mapping[str, Any], trials: Sequence[TrialRecord]) -> list[Any]:
    """What the trials had; nothing where all had the same."""
    values = [trial.config[axis["name"]] for trial in trials if axis["name"] in trial.config]
    return values if len(set(map(repr, values))) > 1 else []


@dataclass(frozen=True, kw_only=True)
class _Scale:
    low: float
    high: float
    log: bool
    ticks: tuple[str, ...]

    def position(self, value: Any) -> float:
        place = position_of(value, self.ticks)
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(place / self.low) / math.log(self.high / self.low)
        return (place - self.low) / (self.high - self.low)

    def labels(self) -> tuple[tuple[float, str], ...]:
        if self.ticks:
            return tuple((self.position(text), text) for text in self.ticks)
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        return tuple((self.position(value), format_value(float(value))) for value in (self.low, middle, self.high))


def _scale(axis: Mapping[str, Any], values: Sequence[Any]) -> _Scale:
    ticks = choices_of(axis, values)
    if ticks:
        return _Scale(low=0.0, high=len(ticks) - 1.0, log=False, ticks=ticks)
    return _Scale(low=min(values), high=max(values), log=bool(axis.get("log")), ticks=())
