"""Effects of axes as data: which trial is where, and what each value or bin reached."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.plots.axis_effects import AxisEffect, effect_picture, effects, importance_picture
from reporting.plots.trial_curves import MOST, POINTS, axis_curves, thinned, trial_curves
from reporting.results.trial_rows import ended_value
from search_spaces.objective import SCORE
from tests.fixtures.report import study
from tests.fixtures.study import record_of
from tuning.listeners.param_importances import Importances
from tuning.records.study_record import StudyRecord

LEARNING_RATE = {"name": "learning_rate", "kind": "real", "low": 1e-4, "high": 1e-2, "log": True}
DROPOUT = {"name": "dropout", "kind": "real", "low": 0.0, "high": 1.0, "log": False}
OPTIMIZER = {"name": "optimizer", "kind": "choice", "values": ["adam", "sgd"], "allowed": ["rmsprop", "adam"]}
MOMENTUM = {**DROPOUT, "name": "momentum", "when": {"axis": "optimizer", "values": ["sgd"]}}


def small_study(*trials: tuple[dict[str, Any], float | None, str], direction: str = "max") -> StudyRecord:
    """One arm; each trial a configuration, the objective of its only epoch, and how it ended."""
    axes = [LEARNING_RATE, DROPOUT, OPTIMIZER, MOMENTUM]
    events: list[dict[str, Any]] = [
        {
            "event": "study_started",
            "task": "t",
            "study": "s",
            "arms": [{"name": "a", "label": "A", "axes": axes}],
            "objective": {"metric": "val_accuracy", "direction": direction},
        }
    ]
    for number, (config, value, status) in enumerate(trials):
        name = f"a-{number}"
        asked = {"trial": name, "arm": "a", "role": "search", "number": number, "config": config, "seed": 0}
        events.append({"event": "trial_asked", **asked, "max_epochs": 1})
        if value is not None:
            metrics = {"val_accuracy": value, "train_loss": 1.0}
            shared = {"metrics": metrics, "seconds": {}, "best": value, "best_epoch": 1}
            events.append({"event": "epoch", "trial": name, "epoch": 1, **shared})
        events.append({"event": "trial_ended", "trial": name, "status": status})
    return record_of({**event, "time": 0.0} for event in events)


def effect_of(record: StudyRecord, axis: str) -> AxisEffect:
    [found] = [effect for effect in effects(record, "a") if effect.axis == axis]
    return found


def by_optimizer() -> StudyRecord:
    return small_study(
        ({"optimizer": "sgd"}, 0.2, "completed"),
        ({"optimizer": "adam"}, 0.5, "completed"),
        ({"optimizer": "sgd"}, 0.6, "completed"),
        ({"optimizer": "sgd"}, 0.4, "stopped"),
        ({"optimizer": "adam"}, 0.9, "infeasible"),  # what it reached before is no result
    )


def test_a_choice_by_hand() -> None:
    effect = effect_of(by_optimizer(), "optimizer")
    assert effect.ticks == ("adam", "sgd")  # in the order of the space
    assert [(point.position, point.value) for point in effect.points] == [
        (1, 0.2),
        (0, 0.5),
        (1, 0.6),
        (1, 0.4),
        (0, None),
    ]
    adam, sgd = effect.groups
    assert (adam.label, adam.trials, adam.best, adam.median) == ("adam", 1, 0.5, 0.5)
    assert (sgd.trials, sgd.best, sgd.quarter, sgd.median) == (3, 0.6, pytest.approx(0.3), 0.4)
    assert sgd.three_quarters == pytest.approx(0.5)


def test_the_best_of_a_loss_is_the_least() -> None:
    trials = [({"optimizer": name}, value, "completed") for name, value in (("sgd", 0.2), ("sgd", 0.6), ("adam", 0.5))]
    effect = effect_of(small_study(*trials, direction="min"), "optimizer")
    assert [group.best for group in effect.groups] == [0.5, 0.2]


def test_bins_of_a_logarithmic_axis() -> None:
    rates = [1e-4, 2e-4, 9e-4, 1e-3, 2e-3, 1e-2]
    record = small_study(*(({"learning_rate": rate}, rate * 10, "completed") for rate in rates))
    effect = effect_of(record, "learning_rate")
    assert effect.log
    # Six trials make two bins of three; their bound is the geometric mean, 1e-3, which opens the second.
    assert [(group.trials, group.label) for group in effect.groups] == [(3, "1e-4 to 1e-3"), (3, "1e-3 to 0.01")]
    assert [group.best_at for group in effect.groups] == [9e-4, 1e-2]


def test_numbers_that_recur_stand_for_themselves() -> None:
    values = [0.0, 0.0, 0.0, 0.5, 0.5, 0.5]
    record = small_study(*(({"dropout": value}, 0.1 + value, "completed") for value in values))
    assert [group.label for group in effect_of(record, "dropout").groups] == ["0", "0.5"]
    few = small_study(*(({"dropout": value}, 0.5, "completed") for value in (0.0, 0.1, 0.2)))
    assert effect_of(few, "dropout").groups == ()


def test_an_axis_under_a_condition_counts_the_trials_that_have_it() -> None:
    record = small_study(
        ({"optimizer": "adam"}, 0.5, "completed"),
        ({"optimizer": "sgd", "momentum": 0.8}, 0.6, "completed"),
        ({"optimizer": "sgd", "momentum": 0.9}, 0.7, "completed"),
    )
    effect = effect_of(record, "momentum")
    assert effect.condition == "with optimizer sgd"
    assert [point.trial for point in effect.points] == ["a-1", "a-2"]
    assert [effect.axis for effect in effects(record, "a")] == ["optimizer", "momentum"]  # the others did not vary


@given(
    st.lists(
        st.tuples(st.floats(1e-4, 1e-2), st.floats(0, 1), st.sampled_from(["completed", "stopped", "infeasible"])),
        min_size=2,
        max_size=40,
    ),
    st.sampled_from(["max", "min"]),
)
def test_every_trial_with_a_value_is_in_one_group(trials: list[tuple[float, float, str]], direction: str) -> None:
    record = small_study(
        *(({"learning_rate": rate}, value, status) for rate, value, status in trials), direction=direction
    )
    for effect in effects(record, "a"):
        valued = [value for _, value, status in trials if status != "infeasible"]
        if not effect.groups:
            continue
        assert sum(group.trials for group in effect.groups) == len(valued)
        best = max if direction == "max" else min
        assert best(group.best for group in effect.groups) == best(valued)
        for group in effect.groups:
            assert min(valued) <= group.quarter <= group.median <= group.three_quarters <= max(valued)
            assert group.low <= group.best_at <= group.high


def test_curves_of_all_trials_the_best_on_top() -> None:
    record = study()
    shown = trial_curves(record, "fine_tuned")
    assert shown.of == len(shown.curves) == 24
    values = [value for value in map(ended_value, shown.curves) if value is not None]
    assert values == sorted(values)
    trial = record.trials[shown.curves[-1].trial]
    assert shown.curves[-1].epochs == trial.epochs
    found = axis_curves(record, "fine_tuned", "schedule")
    assert found is not None
    assert found.ticks == ("reduce_on_plateau", "constant")
    assert found.positions[trial.trial] == found.ticks.index(trial.config["schedule"])
    assert axis_curves(record, "fine_tuned", "backbone") is None  # it did not vary
    assert axis_curves(record, "fine_tuned", "conv_blocks") is None  # it has none


@pytest.mark.slow
def test_many_long_curves_are_thinned_out() -> None:
    record = study(trials=300, epochs=400)
    shown = trial_curves(record, "from_scratch")
    assert (len(shown.curves), shown.of) == (MOST, 300)
    assert max(len(curve.epochs) for curve in shown.curves) == POINTS
    best = record.best_trial("from_scratch")
    assert best is not None
    assert shown.curves[-1].trial == best.trial
    assert shown.curves[-1].epochs[-1].epoch == 400


@given(st.lists(st.integers(), min_size=1, max_size=300), st.integers(2, 50))
def test_thinning_keeps_both_ends_and_the_order(items: list[int], most: int) -> None:
    kept = thinned(list(enumerate(items)), most)
    assert len(kept) == min(len(items), most)
    assert kept == sorted(set(kept))
    assert (kept[0][0], kept[-1][0]) == (0, len(items) - 1)


def test_pictures_say_in_words_what_they_show() -> None:
    effect = effect_of(by_optimizer(), "optimizer")
    assert effect_picture(effect, SCORE).alt == (
        "Effect of optimizer on val_accuracy. adam: best 0.5000, median 0.5000 of 1; sgd: best 0.6000, median 0.4000 "
        "of 3. 1 infeasible or failed trials are marked at the edge."
    )
    important = Importances(arm="a", trials=12, shares={"optimizer": 0.75, "dropout": 0.25})
    assert "optimizer 0.75; dropout 0.25" in importance_picture(important).alt
    assert "hint" in importance_picture(important).caption
