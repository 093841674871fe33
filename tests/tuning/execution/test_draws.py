"""Draws of every search, equal to those of the version before parameters and schedules were renamed.

Equal to nine digits: NumPy's exp and log round the last one differently on processors with other vector instructions.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from search_spaces.aliases import current_word
from tasks.task import load_task
from tests.fixtures.simulated import study_started
from trainables.trial_spec import TrialSpec
from tuning.execution.trial_generator import TrialGenerator
from tuning.plan.make_plan import make_plan
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings
from tuning.records.event_log import EventLog
from tuning.records.study_paths import EVENTS
from tuning.records.study_record import StudyRecord

# "task/full or sample/search/arm": configurations in the order they were drawn.
DRAWS: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("draws.json").read_text())


@pytest.mark.parametrize("key", DRAWS)
def test_configurations_are_drawn_as_ever(key: str, tmp_path: Path) -> None:
    task, data, search, arm = key.split("/")
    settings = StudySettings(
        results=tmp_path,
        data_dir=tmp_path,
        trials=30,
        confirm_seeds=0,
        search=search,  # type: ignore[arg-type]
        seed=3,
        sample=data == "sample",
        scheduler="none",
        arms=_arms(task),
    )
    plan = make_plan(load_task(task), settings, Share(slots=1, cpus=1.0, gpus=0.0), "study")
    plan.folder.mkdir(parents=True)
    log, record = EventLog(plan.folder / EVENTS), StudyRecord()
    log.listen(record.apply)
    log.append(study_started(plan))
    asked = TrialGenerator(plan, log, record, tmp_path / "store.h5")
    drawn: list[dict[str, Any]] = []
    number = 0
    while len(drawn) < len(DRAWS[key]):
        spec = asked.ask()
        assert isinstance(spec, TrialSpec)
        number += 1
        value = (number * 37 % 101) / 101
        asked.tell_started(spec.trial)
        result = {"epoch": 1, "metrics": {plan.objective.metric: value}, "objective": value, "best_epoch": 1}
        asked.tell_epoch(spec.trial, result | {"seconds": {}})
        asked.tell_finished(spec.trial, "completed" if number % 7 else "stopped")
        if spec.arm == arm:
            drawn.append(spec.training.config)
    log.close()
    expected = [{name: current_word(name, value) for name, value in config.items()} for config in DRAWS[key]]
    assert [list(config) for config in drawn] == [list(config) for config in expected]
    values = [(value, config[name]) for one, config in zip(drawn, expected, strict=True) for name, value in one.items()]
    assert [value for value, old in values if not (value == old or math.isclose(value, old, rel_tol=1e-9))] == []  # type: ignore[arg-type]


def _arms(task: str) -> tuple[str, ...]:
    """Return the arms that took turns when the draws were written: all of the task and the baseline."""
    found = load_task(task)
    return (*(arm.name for arm in (*found.arms, *found.more_arms)), "pixels")
