from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow


@pytest.mark.parametrize(
    "config",
    [
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "sgd", "momentum": 0.85, "nesterov": True},
        {"optimizer": "adam"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "adamw"},
        {"optimizer": "rmsprop"},
        {"optimizer": "rmsprop", "momentum": 0.9},
    ],
)
def test_steps_are_those_of_keras(config: dict[str, Any]) -> None:
    import keras
    import tensorflow as tf

    from trainables import optimizers

    classes = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
    arguments = {key: value for key, value in config.items() if key != "optimizer"}
    theirs = getattr(keras.optimizers, classes[config["optimizer"]])(0.01, **arguments)
    ours = optimizers.build({"learning_rate": 0.01, **config})
    random = np.random.default_rng(0)
    start = random.normal(size=(3, 4)).astype(np.float32)
    a, b = keras.Variable(start), tf.Variable(start)
    theirs.build([a])
    ours.build([b])
    apply = tf.function(ours.apply)
    for step in range(12):
        if step == 6:  # a schedule
            theirs.learning_rate.assign(0.003)
            ours.learning_rate.assign(0.003)
        gradient = tf.constant(random.normal(size=(3, 4)), tf.float32)
        theirs.apply([gradient], [a])
        apply([gradient])
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)
    assert np.abs(b.numpy() - start).max() > 0.01


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
    from trainables import optimizers

    with pytest.raises(ValueError, match=message) as raised:
        optimizers.build(config)
    assert "\n" not in str(raised.value)


def test_names_are_found_in_upper_and_lower_case() -> None:
    from trainables import optimizers

    assert isinstance(
        optimizers.build({"optimizer": "SGD", "learning_rate": 0.1}), optimizers.StochasticGradientDescent
    )
