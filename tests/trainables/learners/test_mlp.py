"""Back-propagation by hand, held to differences, to automatic differentiation, and to the report's own study."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.learners import mlp


def example(sizes: tuple[int, ...], batch: int = 7, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Parameters, inputs and labels; parameters ten times the drawn ones, so that every layer matters."""
    random = np.random.default_rng(seed)
    parameters = [10 * parameter for parameter in mlp.draw(sizes, random)]
    return parameters, random.standard_normal((batch, sizes[0])), random.integers(0, sizes[-1], batch)


def test_one_layer_by_hand() -> None:
    """Logits (1, 0) for the input 1: p = 1 / (1 + 1/e) for class 0. The loss of class 1 is -log(1 - p), its derivative
    by the logits the probabilities less the truth: (p, 1 - p) - (0, 1)."""
    p = 1 / (1 + np.exp(-1))
    parameters = [np.array([[1.0, 0.0]]), np.array([0.0, 0.0])]
    inputs, labels = np.array([[1.0]]), np.array([1])
    np.testing.assert_allclose(mlp.probabilities(parameters, inputs), [[p, 1 - p]])
    loss, hits, gradients = mlp.loss_and_gradients(parameters, inputs, labels)
    assert loss == pytest.approx(-np.log(1 - p))
    assert hits == 0
    np.testing.assert_allclose(gradients[0], [[p, -p]])
    np.testing.assert_allclose(gradients[1], [p, -p])


@settings(max_examples=15, deadline=None, derandomize=True)  # or a ReLU would bend within the step, rarely
@given(st.lists(st.integers(1, 5), min_size=0, max_size=3), st.integers(1, 4), st.integers(2, 4), st.integers(0, 10**6))
def test_gradients_are_those_of_central_differences(hidden: list[int], inputs: int, classes: int, seed: int) -> None:
    parameters, batch, labels = example((inputs, *hidden, classes), seed=seed)
    _, _, gradients = mlp.loss_and_gradients(parameters, batch, labels)
    step = 1e-6
    for parameter, gradient in zip(parameters, gradients, strict=True):
        assert gradient.shape == parameter.shape
        for place in np.ndindex(parameter.shape):
            value = parameter[place]
            losses = []
            for moved in (value + step, value - step):
                parameter[place] = moved
                losses.append(mlp.loss_and_gradients(parameters, batch, labels)[0])
            parameter[place] = value
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4, abs=1e-7)


@pytest.mark.slow
def test_gradients_are_those_of_automatic_differentiation() -> None:
    import tensorflow as tf

    parameters, inputs, labels = example((4, 25, 25, 3), batch=8)  # the report's network and batch
    _, _, gradients = mlp.loss_and_gradients(parameters, inputs, labels)
    variables = [tf.Variable(parameter) for parameter in parameters]
    with tf.GradientTape() as tape:
        x = tf.constant(inputs)
        for layer in range(3):
            x = x @ variables[2 * layer] + variables[2 * layer + 1]
            x = tf.nn.relu(x) if layer < 2 else x
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x))
    for ours, theirs in zip(gradients, tape.gradient(loss, variables), strict=True):
        assert np.linalg.norm(ours - theirs.numpy()) <= 1e-6 * np.linalg.norm(theirs.numpy())
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6, atol=1e-12)


def test_adagrad_steps_by_hand() -> None:
    parameter = np.array([1.0, 1.0])
    optimizer = mlp.AdaGrad([parameter])
    optimizer.step([np.array([3.0, 0.0])], 0.1)
    # The sum of squares is 9 + 1e-8: the first step is the learning rate, whatever the gradient's size.
    np.testing.assert_allclose(parameter, [1 - 0.1 * 3 / np.sqrt(9 + 1e-8), 1.0], rtol=1e-12)
    optimizer.step([np.array([4.0, 0.0])], 0.1)
    # 9 + 16 = 25: a step of 0.1 * 4 / 5.
    np.testing.assert_allclose(parameter, [0.9 - 0.08, 1.0], rtol=1e-8)


def test_parameters_are_drawn_as_the_document_does() -> None:
    parameters = mlp.draw((300, 200, 100), np.random.default_rng(0), np.float32)
    assert [parameter.shape for parameter in parameters] == [(300, 200), (200,), (200, 100), (100,)]
    for parameter in parameters:
        assert parameter.dtype == np.float32
        # 100 numbers at least: the error of their deviation is 0.1 / sqrt(200) = 0.007
        assert parameter.std() == pytest.approx(0.1, abs=0.025)
        assert abs(parameter.mean()) < 0.04


def test_large_logits_overflow_nothing() -> None:
    parameters = [np.array([[1e6, 0.0]]), np.zeros(2)]
    inputs = np.array([[1.0], [-1.0]])
    np.testing.assert_array_equal(mlp.probabilities(parameters, inputs), [[1, 0], [0, 1]])
    assert mlp.loss_and_gradients(parameters, inputs, np.array([1, 1]))[0] == 5e5


def test_the_documents_network_learns_iris() -> None:
    """4-25-25-3 on standardised measurements; even rows train, odd rows test; batch 8, learning rate .01."""
    from sklearn.datasets import load_iris

    measured, species = load_iris(return_X_y=True)
    inputs = (measured - measured.mean(axis=0)) / measured.std(axis=0)
    random = np.random.default_rng(0)
    parameters = mlp.draw((4, 25, 25, 3), random)
    optimizer = mlp.AdaGrad(parameters)
    for _ in range(100):  # a tenth of the report's epochs
        for batch in np.array_split(random.permutation(np.arange(0, 150, 2)), 75 // 8 + 1):
            _, _, gradients = mlp.loss_and_gradients(parameters, inputs[batch], species[batch])
            optimizer.step(gradients, 0.01)
    predicted = mlp.probabilities(parameters, inputs[1::2]).argmax(axis=1)
    assert (predicted == species[1::2]).mean() > 0.9
