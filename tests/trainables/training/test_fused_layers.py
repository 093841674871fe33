"""Layers called in fewer operations compute what Keras computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

SHAPE = (6, 5, 5, 4)  # 150 values a channel


def batch(number: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    generator = np.random.default_rng(number)
    drawn = generator.normal(generator.uniform(-2, 2, shape[-1]), generator.uniform(0.5, 3, shape[-1]), shape)
    return drawn.astype(np.float32)


def normalization(shape: tuple[int, ...] = SHAPE, **options: Any) -> Any:
    """A layer whose scale, offset and statistics all differ from where they begin."""
    import keras

    layer = keras.layers.BatchNormalization(momentum=0.9, **options)
    layer.build((None, *shape[1:]))
    generator = np.random.default_rng(5)
    for variable in layer.weights:
        variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    return layer


def gradients(layer: Any, call: Any, values: np.ndarray) -> tuple[Any, Any, list[Any]]:
    """Outputs, and gradients of a weighted sum of them by the inputs and by the layer's weights."""
    import tensorflow as tf

    inputs = tf.constant(values)
    weights = tf.constant(np.random.default_rng(8).normal(size=values.shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = call(inputs)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) * weights)
    by_inputs, *by_weights = tape.gradient(total, [inputs, *(variable.value for variable in layer.trainable_variables)])
    return outputs, by_inputs, by_weights


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
def test_normalization_while_training_is_that_of_keras(scale: bool, center: bool) -> None:
    from trainables.training import fused_layers

    theirs, ours = (normalization(scale=scale, center=center) for _ in range(2))
    call = fused_layers.training({})
    for step in range(6):
        values = batch(step)
        expected, expected_by_inputs, expected_by_weights = gradients(
            theirs, lambda x: theirs(x, training=True), values
        )
        outputs, by_inputs, by_weights = gradients(ours, lambda x: call(ours, (x,), {}), values)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(by_inputs, expected_by_inputs, rtol=1e-4, atol=1e-5)
        assert len(by_weights) == len(expected_by_weights) == scale + center
        for one, other in zip(by_weights, expected_by_weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    for one, other in zip(ours.weights, theirs.weights, strict=True):  # moving statistics after six steps
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        fused_layers.predicting(ours, (batch(9),), {}), theirs(batch(9), training=False), rtol=1e-4, atol=1e-5
    )


def test_moving_statistics_by_hand() -> None:
    """Keras keeps the variance over n; the kernel's own is over n - 1, a fifth more with six values."""
    from trainables.training import fused_layers

    shape = (6, 1, 1, 1)
    layer = normalization(shape)
    layer.moving_mean.assign([2.0])
    layer.moving_variance.assign([4.0])
    values = np.array([1, 2, 3, 4, 5, 9], np.float32)  # mean 4; squares 9 + 4 + 1 + 0 + 1 + 25 = 40, over 6
    fused_layers.training({})(layer, (values.reshape(shape),), {})
    assert float(layer.moving_mean.numpy()[0]) == pytest.approx(0.9 * 2 + 0.1 * 4)
    assert float(layer.moving_variance.numpy()[0]) == pytest.approx(0.9 * 4 + 0.1 * 40 / 6)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
def test_normalization_while_predicting_is_that_of_keras(scale: bool, center: bool) -> None:
    from trainables.training import fused_layers

    layer = normalization(scale=scale, center=center)
    before = [variable.numpy() for variable in layer.weights]
    expected = layer(batch(1), training=False)
    np.testing.assert_allclose(fused_layers.predicting(layer, (batch(1),), {}), expected, rtol=1e-5, atol=1e-5)
    for variable, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize("training", [True, False])
def test_normalization_in_bfloat16(training: bool) -> None:
    import tensorflow as tf

    from trainables.training import fused_layers

    theirs, ours = (normalization(dtype="mixed_bfloat16") for _ in range(2))
    call = fused_layers.training({}) if training else fused_layers.predicting
    for step in range(3):
        values = tf.cast(batch(step), tf.bfloat16)
        expected, outputs = theirs(values, training=training), call(ours, (values,), {})
        assert outputs.dtype == expected.dtype == tf.bfloat16
        # One bit of bfloat16's eight: both compute in float32 and round at the end.
        np.testing.assert_allclose(tf.cast(outputs, tf.float32), tf.cast(expected, tf.float32), rtol=2**-7, atol=2**-7)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        assert one.dtype == "float32"
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_single_value_has_no_variance() -> None:
    """A batch of one image in the deepest map: n - 1 is 0."""
    from trainables.training import fused_layers

    shape = (1, 1, 1, 3)
    theirs, ours = (normalization(shape) for _ in range(2))
    np.testing.assert_allclose(
        fused_layers.training({})(ours, (batch(0, shape),), {}),
        theirs(batch(0, shape), training=True),
        rtol=1e-4,
        atol=1e-5,
    )
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "options"),
    [((6, 4), {}), ((6, 5, 4), {}), ((6, 4, 5, 5), {"axis": 1}), ((6, 5, 5, 4), {"renorm": True})],
    ids=["vectors", "sequences", "channels first", "renormalized"],
)
def test_what_the_kernel_does_not_take_is_left_to_keras(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    from trainables.training import fused_layers

    theirs, ours = (normalization(shape, **options) for _ in range(2))
    values = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    np.testing.assert_array_equal(fused_layers.training({})(ours, (values,), {}), theirs(values, training=True))
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(fused_layers.predicting(ours, (values,), {}), theirs(values, training=False))


def dropping(rate: float) -> tuple[Any, Any, Any]:
    """A dropout layer built with another rate, the variable its rate is read from, and its call while training."""
    import keras
    import tensorflow as tf

    from trainables.training import fused_layers

    layer, variable = keras.layers.Dropout(0.5, seed=3), tf.Variable(rate)
    call = fused_layers.training({layer: variable})
    return layer, variable, tf.function(lambda inputs: call(layer, (inputs,), {}))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_a_rate_drops_as_many_and_keeps_the_mean(rate: float) -> None:
    layer, _, call = dropping(rate)
    outputs = call(np.ones((100, 1000), np.float32)).numpy()
    deviation = (rate * (1 - rate) / outputs.size) ** 0.5
    assert (outputs == 0).mean() == pytest.approx(rate, abs=5 * deviation)
    assert outputs.mean() == pytest.approx(1, abs=5 * deviation / (1 - rate))
    np.testing.assert_allclose(np.unique(outputs), [0, 1 / (1 - rate)], rtol=1e-6)
    assert layer.rate == 0.5


def test_dropout_follows_from_the_state_of_its_generator() -> None:
    layer, _, call = dropping(0.4)
    state = layer.seed_generator.state
    values = batch(0, (30, 40))
    begin = state.numpy()
    first, second = call(values).numpy(), call(values).numpy()
    assert not np.array_equal(first, second)
    state.assign(begin)
    np.testing.assert_array_equal(call(values), first)
    np.testing.assert_array_equal(call(values), second)
    state.assign([17, 0])
    assert not np.array_equal(call(values), first)


def test_dropout_is_that_of_keras() -> None:
    import keras

    layer, _, call = dropping(0.3)
    theirs = keras.layers.Dropout(0.3, seed=3)
    theirs.seed_generator.state.assign(layer.seed_generator.state)
    for step in range(3):
        outputs, expected = call(batch(step)).numpy(), theirs(batch(step), training=True).numpy()
        np.testing.assert_array_equal(outputs == 0, expected == 0)
        np.testing.assert_allclose(outputs, expected, rtol=1e-6)  # a rate in float32 scales by other last digits


def test_another_rate_needs_no_other_trace() -> None:
    layer, variable, call = dropping(0.1)
    values = np.ones((200, 200), np.float32)
    dropped = []
    for rate in (0.1, 0.7):
        variable.assign(rate)
        dropped.append(float((call(values).numpy() == 0).mean()))
    assert dropped == pytest.approx([0.1, 0.7], abs=0.02)
    assert call.experimental_get_tracing_count() == 1
    assert layer.rate == 0.5


def test_dropout_in_bfloat16_keeps_the_type() -> None:
    import tensorflow as tf

    _, _, call = dropping(0.25)
    outputs = call(tf.ones((50, 50), tf.bfloat16))
    assert outputs.dtype == tf.bfloat16
    assert set(np.unique(outputs.numpy().astype(np.float32))) == {0.0, np.float32(tf.cast(1 / 0.75, tf.bfloat16))}


def test_whole_branches_are_dropped_by_their_own_rate() -> None:
    """Drop connect of a backbone is no configuration's: it stays at its own rate, one coin an image."""
    import keras
    import tensorflow as tf

    from trainables.training import fused_layers

    layer = keras.layers.Dropout(0.5, noise_shape=(None, 1, 1, 1), seed=1)
    adjustable = keras.layers.Dropout(0.5)
    outputs = fused_layers.training({adjustable: tf.Variable(0.0)})(
        layer, (np.ones((400, 2, 2, 3), np.float32),), {}
    ).numpy()
    of_images = outputs.reshape(400, -1)
    assert (of_images == of_images[:, :1]).all()
    assert (of_images[:, 0] == 0).mean() == pytest.approx(0.5, abs=0.125)


def test_nothing_is_random_while_predicting() -> None:
    from trainables.training import fused_layers

    layer, _, _ = dropping(0.9)
    before = layer.seed_generator.state.numpy()
    np.testing.assert_array_equal(fused_layers.predicting(layer, (batch(0),), {}), batch(0))
    np.testing.assert_array_equal(layer.seed_generator.state, before)


def test_without_dropout_other_layers_are_called_as_before() -> None:
    from trainables.training import fused_layers

    layer, _, _ = dropping(0.9)
    theirs, ours = normalization(), normalization()
    call = fused_layers.without_dropout((layer,), fused_layers.training({}))
    np.testing.assert_array_equal(call(layer, (batch(0),), {}), batch(0))
    np.testing.assert_array_equal(call(ours, (batch(0),), {}), fused_layers.training({})(theirs, (batch(0),), {}))
    np.testing.assert_array_equal(ours.moving_mean, theirs.moving_mean)
