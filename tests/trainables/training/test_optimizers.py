from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

CONFIGS: list[dict[str, Any]] = [
    {"optimizer": "sgd"},
    {"optimizer": "sgd", "momentum": 0.9},
    {"optimizer": "sgd", "momentum": 0.85, "nesterov": True},
    {"optimizer": "adam"},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"optimizer": "adamw", "weight_decay": 0.0},
    {"optimizer": "adamw"},
    {"optimizer": "rmsprop"},
    {"optimizer": "rmsprop", "momentum": 0.9},
]
GRADIENTS = [np.random.default_rng(step).normal(size=(3, 4)).astype(np.float32) for step in range(12)]


def start_values() -> np.ndarray:
    values: np.ndarray = np.random.default_rng(99).normal(size=(3, 4)).astype(np.float32)
    return values


def ours(config: dict[str, Any]) -> tuple[Any, Any, Any]:
    """An optimizer that has started, the variable it moves, and its traced step."""
    import tensorflow as tf

    from trainables.training import optimizers

    settings = optimizers.settings({"learning_rate": 0.01, **config})
    variable = tf.Variable(start_values())
    optimizer = optimizers.make(settings.kind, [variable])
    optimizer.start(settings)
    return optimizer, variable, tf.function(optimizer.apply)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_steps_are_those_of_keras(config: dict[str, Any]) -> None:
    import keras
    import tensorflow as tf

    classes = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
    arguments = {key: value for key, value in config.items() if key != "optimizer"}
    theirs = getattr(keras.optimizers, classes[config["optimizer"]])(0.01, **arguments)
    expected = keras.Variable(start_values())
    theirs.build([expected])
    optimizer, variable, apply = ours(config)
    for step, gradient in enumerate(GRADIENTS):
        if step == 6:  # a schedule
            theirs.learning_rate.assign(0.003)
            optimizer.learning_rate.assign(0.003)
        theirs.apply([tf.constant(gradient)], [expected])
        apply([tf.constant(gradient)])
    np.testing.assert_allclose(expected.numpy(), variable.numpy(), rtol=2e-5, atol=1e-6)
    assert np.abs(variable.numpy() - start_values()).max() > 0.01


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_started_again_an_optimizer_is_as_new(config: dict[str, Any]) -> None:
    """With other numbers before: nothing of a trial's steps, rate, momentum or decay reaches the next trial."""
    import tensorflow as tf

    from trainables.training import optimizers

    _, expected, fresh = ours(config)
    optimizer, variable, apply = ours({**config, "learning_rate": 0.5} | _other_numbers(config))
    for gradient in GRADIENTS:
        fresh([tf.constant(gradient)])
        apply([tf.constant(gradient[::-1])])
    assert not np.array_equal(variable.numpy(), expected.numpy())
    variable.assign(start_values())
    settings = optimizers.settings({"learning_rate": 0.01, **config})
    optimizer.start(settings)
    for gradient in GRADIENTS:
        apply([tf.constant(gradient)])
    np.testing.assert_array_equal(variable.numpy(), expected.numpy())
    assert apply.experimental_get_tracing_count() == 1


def _other_numbers(config: dict[str, Any]) -> dict[str, Any]:
    """Of the same kind of optimizer: only these may differ between trials that share its graph."""
    momentum = {"momentum": 0.3} if config.get("momentum", 0) > 0 else {}
    return momentum | (
        {"weight_decay": 0.4} if config["optimizer"] == "adamw" and config.get("weight_decay", 1) else {}
    )


def test_a_kind_holds_what_a_graph_catches_and_no_numbers() -> None:
    from trainables.training.optimizers import OptimizerKey, settings

    def kind(**config: Any) -> OptimizerKey:
        return settings({"learning_rate": 0.1, **config}).kind

    assert kind(optimizer="sgd", momentum=0.9) == kind(optimizer="sgd", momentum=0.5, learning_rate=1e-5)
    assert kind(optimizer="sgd", momentum=0.9) != kind(optimizer="sgd", momentum=0.9, nesterov=True)
    assert kind(optimizer="sgd") == kind(optimizer="sgd", momentum=0.0, nesterov=True)  # nothing to look ahead with
    assert kind(optimizer="sgd") != kind(optimizer="sgd", momentum=0.9)
    assert kind(optimizer="adamw", weight_decay=1e-5) == kind(optimizer="adamw", weight_decay=0.1)
    assert kind(optimizer="adamw") != kind(optimizer="adam")
    assert kind(optimizer="rmsprop", momentum=0.9) == kind(optimizer="rmsprop")


def test_what_a_configuration_leaves_out_is_as_in_keras() -> None:
    from trainables.training.optimizers import settings

    assert settings({"learning_rate": 0.1}).kind.name == "adam"
    assert settings({"learning_rate": 0.1, "optimizer": "adamw"}).weight_decay == 0.004
    plain = settings({"learning_rate": 0.1, "optimizer": "sgd"})
    assert (plain.learning_rate, plain.momentum, plain.weight_decay) == (0.1, 0.0, 0.0)
    # A decay is AdamW's alone, momentum SGD's and RMSprop's.
    other = settings({"learning_rate": 0.1, "optimizer": "adam", "weight_decay": 0.3, "momentum": 0.9})
    assert (other.momentum, other.weight_decay) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"optimizer": "adma", "learning_rate": 0.1}, "did you mean adam"),
        ({"optimizer": "adam"}, "learning_rate is missing"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"optimizer": "sgd", "learning_rate": 0.1, "momentum": 1.0}, "momentum is 1"),
        ({"optimizer": "adamw", "learning_rate": 0.1, "weight_decay": -1}, "weight_decay is -1"),
    ],
)
def test_impossible_configurations_are_one_line(config: dict[str, Any], message: str) -> None:
    from trainables.training import optimizers

    with pytest.raises(ValueError, match=message) as raised:
        optimizers.settings(config)
    assert "\n" not in str(raised.value)


def test_names_are_found_in_upper_and_lower_case() -> None:
    optimizer, _, _ = ours({"optimizer": "SGD"})
    assert type(optimizer).__name__ == "SGD"
