from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import backbones, cifar10, digits, dogs_vs_cats, food10, images, pixel_logistic, traffic_signs
from search_spaces.aliases import FORMER
from search_spaces.known_names import SCHEDULES
from search_spaces.overrides import parse_value, set_in_arms
from search_spaces.parameters import CategoricalParameter, Condition, FloatParameter, IntParameter, SpaceError, fixed
from search_spaces.space import Space
from trainables.training.schedule import check

SPACES = {
    "from_scratch": food10.FROM_SCRATCH,
    "fine_tuned": food10.FINE_TUNED,
    "pixels": pixel_logistic.SPACE,
    "images_from_scratch": images.FROM_SCRATCH,
    "images_fine_tuned": images.FINE_TUNED,
    "sgd": dogs_vs_cats.of_optimizer("sgd"),
    "adam": dogs_vs_cats.of_optimizer("adam"),
    "signs": traffic_signs.AS_FEATURES[1],
    "signs_as_they_come": traffic_signs.as_it_comes(zoom=False),
    "resnet": cifar10.RESNET,
    "network": digits.NUMPY_NETWORK,
}


class Draws:
    """A suggester that answers from a stream of fractions in [0, 1)."""

    def __init__(self, fractions: list[float]) -> None:
        self._fractions = iter(fractions)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        fraction = next(self._fractions)
        return low * (high / low) ** fraction if log else low + fraction * (high - low)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return low + math.floor(next(self._fractions) * (high - low + 1))

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return choices[math.floor(next(self._fractions) * len(choices))]


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@given(fractions=st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12))
def test_whatever_is_drawn_is_complete_and_obeys_its_conditions(space: Space, fractions: list[float]) -> None:
    config = space.suggest(Draws(fractions))
    assert space.complete(config) == config
    if "optimizer" in config:
        assert ("momentum" in config) == (config["optimizer"] == "sgd")
        assert "weight_decay" not in config


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_published_settings_are_complete_and_every_axis_names_its_source(space: Space) -> None:
    for config in space.published:
        complete = space.complete(config)
        for axis in space.axes:  # a search tries them first, and a sampler knows no value but the searched ones
            if isinstance(axis, CategoricalParameter) and axis.name in complete:
                assert complete[axis.name] in axis.values
    assert all(axis.source.strip() for axis in space.axes)


def test_the_documents_ranges() -> None:
    axis = food10.FROM_SCRATCH.parameter("learning_rate")
    assert isinstance(axis, FloatParameter)
    assert (axis.low, axis.high, axis.log) == (1e-4, 1e-2, True)
    blocks = food10.FROM_SCRATCH.parameter("conv_blocks")
    assert isinstance(blocks, CategoricalParameter)
    assert blocks.values == (3, 4)
    frozen = food10.FINE_TUNED.parameter("frozen_fraction")
    assert isinstance(frozen, CategoricalParameter)
    assert frozen.values == (0.5, 0.6, 0.7, 0.8)


SMALL = Space(
    parameters=(
        *fixed(batch_size=32),
        CategoricalParameter(name="optimizer", values=("adam", "sgd"), source="test"),
        CategoricalParameter(
            name="nesterov", values=(False, True), when=Condition(parameter="optimizer", values=("sgd",)), source="test"
        ),
        IntParameter(name="blocks", low=3, high=4, source="test"),
    ),
    published=({"optimizer": "sgd", "nesterov": True, "blocks": 3}, {"optimizer": "adam", "blocks": 4}),
)


def test_a_grid_counts_conditions_once() -> None:
    # adam: 2 blocks; sgd: 2 nesterov x 2 blocks; 2 + 4 = 6, not 2 x 2 x 2 = 8.
    grid = list(SMALL.grid(5))
    assert len(grid) == SMALL.size == 6
    assert len({tuple(sorted(config.items())) for config in grid}) == 6
    assert all(config["batch_size"] == 32 for config in grid)


def test_a_grid_of_a_log_axis_is_even_in_the_logarithm() -> None:
    axis = FloatParameter(name="learning_rate", low=1e-4, high=1e-2, log=True, source="test")
    assert axis.grid(3) == [1e-4, pytest.approx(1e-3), 1e-2]
    assert Space(parameters=(axis,)).size == math.inf


def test_a_value_held_leaves_the_search_and_the_published_settings() -> None:
    space = SMALL.with_value("optimizer", "adam")
    assert [axis.name for axis in space.active_parameters if axis.size > 1] == ["blocks"]
    assert space.choices("optimizer") == ("adam",)
    assert space.published == ({"nesterov": True, "blocks": 3}, {"optimizer": "adam", "blocks": 4})
    assert space.complete(space.published[0]) == {"batch_size": 32, "optimizer": "adam", "blocks": 3}
    assert space.suggest(Draws([0.0, 0.0])) == {"batch_size": 32, "optimizer": "adam", "blocks": 3}


def test_a_held_axis_exists_only_under_its_condition() -> None:
    space = set_in_arms({"a": dogs_vs_cats.of_optimizer("sgd")}, ("frozen_fraction=0.5",), ())["a"]
    [published] = space.published
    assert "frozen_fraction" not in space.complete(published)  # trained from random weights: nothing to freeze
    assert space.complete({**published, "initial_weights": "imagenet"})["frozen_fraction"] == 0.5


@pytest.mark.parametrize(
    ("name", "value"),
    [("head", "sigmod"), ("initial_weights", "image"), ("preprocessing", "centred_"), ("backbone", "VGG")],
)
def test_names_of_what_a_network_is_made_of_are_checked_before_anything_runs(name: str, value: str) -> None:
    with pytest.raises(SpaceError, match=f"{name} is '{value}', but must be one of"):
        traffic_signs.FINE_TUNED.with_value(name, value)


def test_a_narrower_axis_leaves_a_published_setting_its_other_values() -> None:
    changed = set_in_arms({"a": SMALL}, (), ("blocks=4..4",))["a"]
    assert changed.published == ({"optimizer": "sgd", "nesterov": True}, {"optimizer": "adam", "blocks": 4})
    assert changed.complete(changed.published[0])["blocks"] == 4  # the only value there is


@pytest.mark.parametrize(
    ("sets", "ranges", "message"),
    [
        (("learning_rat=1",), (), "unknown axis 'learning_rat'; did you mean learning_rate?"),
        (("optimizer=adamm",), (), "optimizer is 'adamm', but must be one of adam, sgd, adamw, rmsprop"),
        (("dropout=1.5",), (), "dropout is 1.5, but must be from 0 to 1"),
        (("learning_rate=0",), (), "learning_rate is 0, but must be above 0"),
        (("batch_size=big",), (), "batch_size is 'big', but must be a whole number such as 32"),
        (("batch_size=0",), (), "batch_size is 0, but must be above 0"),
        (("signs.frozen_fraction=-0.5",), (), "frozen_fraction is -0.5, but must be at least 0, such as 1.0"),
        (("signs.frozen_fraction=nan",), (), "frozen_fraction is nan, but must be at least 0"),
        (("sgd.optimizer=adm",), (), "unknown optimizer 'adm'; did you mean adam?"),
        (("resnet.stem=imagenet",), (), "unknown stem 'imagenet'; did you mean tiny_imagenet?"),
        (("resnet.stages=2.5",), (), "stages is 2.5, but must be a name such as '9-9-9'"),
        (("network.hidden_layers=26",), (), "hidden_layers is 26, but must be one of 25-25, 25,"),
        ((), ("blocks=1..inf",), "blocks is inf, but must be a whole number from 3 to 4"),
        ((), ("blocks=-3..4",), "blocks is -3, but must be a whole number from 3 to 4"),
        ((), ("blocks=3..3.5",), "blocks is 3.5, but must be a whole number from 3 to 4"),
        ((), (f"learning_rate=1e-4..1{'0' * 400}",), "but must be a number from 0.0001 to 0.01"),  # beyond any float
        (("blocks=inf",), (), "blocks is inf, but must be a whole number from 3 to 4"),
        (("backbone=NASNetMobil",), (), "backbone is 'NASNetMobil', but must be one of NASNetMobile"),
        (("nobody.dropout=0",), (), "unknown arm 'nobody'"),
        (("dropout",), (), "must look like name=value"),
        ((), ("learning_rate=1e-2..1e-5",), "its lower end must not exceed its upper end"),
        ((), ("learning_rate=0..1",), "must be above 0"),
        ((), ("optimizer=1..2",), "spaces optimizer=1..2 (from_scratch): optimizer is chosen from a list"),
        ((), ("learning_rate=a..b",), "learning_rate is 'a', but must be a number from 0.0001 to 0.01"),
        ((), ("from_scratch.batch_size=16,32",), "batch_size is not searched but held at 32; hold it elsewhere"),
        ((), ("optimizer=adam,adam",), "each once"),
    ],
)
def test_impossible_changes_say_what_would_be_possible(
    sets: tuple[str, ...], ranges: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpaceError) as raised:
        set_in_arms({**SPACES, "small": SMALL}, sets, ranges)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arm", "name", "text", "value"),
    [
        ("sgd", "dropout", "0", 0.0),
        ("signs", "frozen_fraction", "0", 0.0),
        ("resnet", "momentum", "0.0", 0.0),
        ("resnet", "stages", "9", "9"),
        ("network", "hidden_layers", "25", "25"),
    ],
)
def test_a_rate_may_be_nothing_and_a_number_may_be_a_name(arm: str, name: str, text: str, value: Any) -> None:
    changed = set_in_arms(dict(SPACES), (f"{arm}.{name}={text}",), ())[arm]
    assert changed.choices(name) == (value,)
    assert type(changed.choices(name)[0]) is type(value)


def test_changes_reach_every_arm_that_has_the_axis_or_the_one_named() -> None:
    changed = set_in_arms(
        dict(SPACES), ("dropout=0.1", "fine_tuned.batch_size=64"), ("from_scratch.learning_rate=1e-5..1e-3",)
    )
    assert changed["from_scratch"].parameter("dropout").grid(3) == [0.1]
    assert changed["fine_tuned"].constants["batch_size"] == 64
    axis = changed["from_scratch"].parameter("learning_rate")
    assert isinstance(axis, FloatParameter)
    assert (axis.low, axis.high, axis.log) == (1e-5, 1e-3, True)
    assert changed["fine_tuned"].parameter("learning_rate") == food10.FINE_TUNED.parameter("learning_rate")
    assert changed["pixels"] == pixel_logistic.SPACE


def test_an_axis_is_drawn_only_where_its_condition_can_be_met() -> None:
    names = [axis.name for axis in food10.FROM_SCRATCH.active_parameters]
    assert "momentum" in names
    assert "weight_decay" not in names
    adam = food10.FROM_SCRATCH.with_value("optimizer", "adam")
    assert not {"momentum", "nesterov", "weight_decay"} & {axis.name for axis in adam.active_parameters}
    assert "weight_decay" in [
        axis.name for axis in food10.FROM_SCRATCH.with_value("optimizer", "adamw").active_parameters
    ]


def test_other_optimizers_may_be_asked_for_and_bring_their_own_axes() -> None:
    changed = set_in_arms({"a": food10.FROM_SCRATCH}, (), ("optimizer=adamw",))["a"]
    assert "weight_decay" in changed.suggest(Draws([0.5] * 12))


@given(st.floats(1e-6, 1e6, allow_nan=False), st.floats(1, 1000))
def test_ranges_are_read_as_written(low: float, factor: float) -> None:
    high = low * factor
    space = Space(parameters=(FloatParameter(name="x", low=1e-9, high=1e9, log=True, source="test"),))
    axis = set_in_arms({"a": space}, (), (f"x={low!r}..{high!r}",))["a"].parameter("x")
    assert isinstance(axis, FloatParameter)
    assert (axis.low, axis.high) == (low, high)


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("1e-3", 1e-3), ("true", True), ("False", False), ("adam", "adam"), ("-2", -2)]
)
def test_values_are_read_as_numbers_truths_or_words(text: str, value: Any) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"learning_rate": "fast"}, "learning_rate is 'fast', but must be a number"),
        ({"conv_blocks": 5}, "conv_blocks is 5, but must be one of 3, 4"),
        ({"colour": 1}, "unknown axis 'colour'"),
        ({}, "learning_rate is missing"),
        ({"learning_rate": float("nan")}, "must be a number"),
        ({"learning_rate": True}, "must be a number"),
    ],
)
def test_a_listed_configuration_is_checked_whole(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError) as raised:
        food10.FROM_SCRATCH.complete(config)
    assert message in str(raised.value)


def test_a_published_setting_may_lie_outside_the_searched_range() -> None:
    """The food10 report tried 3e-7; --configs may too."""
    config = {**food10.FINE_TUNED.published[0], "learning_rate": 3e-7}
    assert food10.FINE_TUNED.complete(config)["learning_rate"] == 3e-7


def test_the_backbones_are_those_of_the_catalogue() -> None:
    from trainables.models.backbones.registry import CATALOGUE

    assert set(backbones.BACKBONES) == set(CATALOGUE)


@pytest.mark.parametrize(("former", "current"), FORMER["schedule"].items())
def test_former_words_of_schedules_are_understood(former: str, current: str) -> None:
    arms = {"searched": food10.FROM_SCRATCH, "held": Space(parameters=fixed(schedule="constant"))}
    held = set_in_arms(dict(arms), (f"schedule={former}",), ())
    assert held["searched"].choices("schedule") == held["held"].choices("schedule") == (current,)
    searched = set_in_arms(dict(arms), (), (f"schedule={former},cosine",))["searched"]
    assert searched.choices("schedule") == (current, "cosine")
    [published] = food10.FROM_SCRATCH.published
    assert food10.FROM_SCRATCH.complete({**published, "schedule": former})["schedule"] == current
    assert check(former) == current
    assert {former, current} & set(SCHEDULES) == {current}


def test_each_parameter_stands_once_and_after_what_it_depends_on() -> None:
    optimizer = CategoricalParameter(name="optimizer", values=("adam", "sgd"), source="test")
    momentum = FloatParameter(
        name="momentum", low=0.8, high=0.9, when=Condition(parameter="optimizer", values=("sgd",)), source="test"
    )
    with pytest.raises(SpaceError, match=r"optimizer.*twice"):
        Space(parameters=(optimizer, optimizer))
    with pytest.raises(SpaceError, match=r"momentum.*optimizer.*before"):
        Space(parameters=(momentum, optimizer))
    assert Space(parameters=(optimizer, momentum)).names == ("optimizer", "momentum")
