"""Where a network starts: from (seed, place in the network) alone, whatever the process has built and trained.

That another process makes no difference, tests/trainables/training/test_equivalence.py holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

SIDE = 8


def small() -> Any:
    """A network of every kind of layer that draws, none of them named: Keras numbers them on from build to build."""
    import keras

    from trainables.models.parts.built_network import Network

    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(16, 3)(images)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.DepthwiseConv2D(3)(x)
    x = keras.layers.SeparableConv2D(16, 3, depthwise_initializer="he_uniform", pointwise_initializer="he_normal")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(x))
    x = keras.layers.Dense(16, kernel_initializer="he_normal", bias_initializer="random_normal")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(16, kernel_initializer="he_normal")(x))
    return Network(model=keras.Model(images, keras.layers.Dense(3, activation="softmax")(x)))


# Of `small`: the variables that a seed draws, by number. The others are constants.
DRAWN = {0: "conv", 6: "depthwise", 8: "separable depthwise", 9: "separable pointwise", 11: "dropout"}
DRAWN |= {12: "dense", 13: "its bias", 14: "dense", 16: "dropout", 17: "dense"}


def values(network: Any) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in network.model.variables]


def restored(seed: int) -> tuple[Any, list[np.ndarray]]:
    from trainables.training.initial_weights import InitialState

    network = small()
    InitialState(network).restore(seed, network.model.layers)
    return network, values(network)


def differing(some: list[np.ndarray], others: list[np.ndarray]) -> set[int]:
    pairs = enumerate(zip(some, others, strict=True))
    return {number for number, (one, other) in pairs if one.tobytes() != other.tobytes()}


def spoil(network: Any, layers: Any = None) -> None:
    """As training does, but every number of it."""
    generator = np.random.default_rng(0)
    for layer in network.model.layers if layers is None else layers:
        for variable in layer.variables:
            variable.assign(generator.integers(1, 100, variable.shape))


def test_two_builds_start_alike_though_keras_names_them_differently() -> None:
    first, one = restored(7)
    second, other = restored(7)
    names = [[layer.name for layer in network.model.layers] for network in (first, second)]
    assert not set(names[0]) & set(names[1])
    assert differing(one, other) == set()


def test_another_seed_draws_every_drawn_variable_anew_and_nothing_else() -> None:
    _, one = restored(7)
    _, other = restored(8)
    assert differing(one, other) == set(DRAWN)


def test_no_two_variables_of_a_network_start_alike() -> None:
    _, drawn = restored(7)
    assert not np.array_equal(drawn[12], drawn[14])  # same shape, same initializer
    assert not np.array_equal(drawn[11], drawn[16])  # two dropouts: else both would drop alike
    _, others = restored(8)
    everything = {values[number].tobytes() for values in (drawn, others) for number in DRAWN}
    assert len(everything) == 2 * len(DRAWN)


def test_after_training_every_variable_comes_back_bit_for_bit() -> None:
    from trainables.training.initial_weights import InitialState

    network = small()
    state = InitialState(network)
    expected: dict[int, list[np.ndarray]] = {}
    for seed in (1, 2, 1, 1, 3, 2):
        state.restore(seed, network.model.layers)
        expected.setdefault(seed, values(network))
        assert differing(values(network), expected[seed]) == set(), seed
        spoil(network)
    assert differing(expected[1], expected[2]) == set(DRAWN)


def test_what_was_not_about_to_train_is_right_in_the_next_trial_too() -> None:
    """Trials freeze different parts: each names what it will change, and every later one starts from the same state."""
    from trainables.training.initial_weights import InitialState

    network = small()
    state = InitialState(network)
    head, all_layers = network.model.layers[-3:], network.model.layers
    state.restore(1, all_layers)
    expected = values(network)
    for seed, layers in ((1, head), (1, all_layers), (2, head), (1, head), (1, [])):
        state.restore(seed, layers)
        assert differing(values(network), expected) == (set(DRAWN) if seed == 2 else set())
        spoil(network, layers)
    # The last trial trained nothing, but the one before it did, with this seed: all of that is undone.
    assert differing(values(network), expected) == set()


@pytest.fixture(scope="module")
def pretrained() -> Any:
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    statistics: dict[str, Any] = {"channel_mean": (0, 0, 0), "channel_std": (1, 1, 1)}
    return fine_tuned.build(BuildSpec({"backbone": "EfficientNetLite0"}, (32, 32, 3), 3, **statistics))


def test_pretrained_weights_are_never_drawn(pretrained: Any) -> None:
    import keras

    from trainables.models.backbones import efficientnet_lite
    from trainables.training.initial_weights import InitialState

    published = efficientnet_lite.build(keras.Input((32, 32, 3), dtype="uint8"))
    efficientnet_lite.load_imagenet(published)
    state = InitialState(pretrained)
    own = [layer for layer in pretrained.model.layers if layer not in set(pretrained.pretrained)]
    heads = []
    for seed in (1, 2):
        state.restore(seed, pretrained.model.layers)
        weights = [weight for layer in pretrained.pretrained for weight in layer.weights]
        for weight, expected in zip(weights, published.weights, strict=True):
            np.testing.assert_array_equal(weight, expected)
        heads.append([np.asarray(weight) for layer in own for weight in layer.weights])
        spoil(pretrained)
    # Two dense kernels; biases and the head's normalization start as constants.
    changed = [heads[0][number].shape for number in differing(*heads)]
    assert sorted(changed) == [(256, 3), (1280, 256)]


def test_a_frozen_part_is_told_by_its_first_weights(pretrained: Any) -> None:
    from trainables.training.initial_weights import InitialState

    state = InitialState(pretrained)
    state.restore(1, pretrained.model.layers)
    state = InitialState(pretrained)
    first, longer = pretrained.pretrained[:20], pretrained.pretrained[:40]
    digest = state.digest(first)
    assert digest is not None
    assert state.digest(longer) not in (None, digest)
    assert state.digest(pretrained.model.layers) is None  # a seed draws the head
    spoil(pretrained)
    assert state.digest(first) == digest  # of the state before training
    state.restore(1, pretrained.model.layers)
    kernel = next(layer for layer in first if layer.weights).weights[0]
    value = kernel.numpy()
    value.flat[0] = np.nextafter(value.flat[0], np.float32(1))
    kernel.assign(value)
    assert InitialState(pretrained).digest(first) not in (None, digest)
    spoil(pretrained)
    state.restore(1, [])


def test_random_weights_of_a_backbone_are_drawn_too() -> None:
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec
    from trainables.training.initial_weights import InitialState

    statistics: dict[str, Any] = {"channel_mean": (0, 0, 0), "channel_std": (1, 1, 1)}
    built = [
        fine_tuned.build(BuildSpec({"backbone": "EfficientNetLite0"}, (32, 32, 3), 3, **statistics, weights="random"))
        for _ in range(2)
    ]
    states = [InitialState(network) for network in built]
    assert differing(*map(values, built))  # as Keras draws them
    for state, network in zip(states, built, strict=True):
        state.restore(5, network.model.layers)
    assert differing(*map(values, built)) == set()
    assert states[0].digest(built[0].model.layers[:20]) is None


@pytest.mark.parametrize(
    ("initializer", "deviation", "limit"),
    [
        ("glorot_uniform", (2 / 900) ** 0.5, (6 / 900) ** 0.5),  # fan in 500, fan out 400
        ("he_normal", (2 / 500) ** 0.5, 2 * (2 / 500) ** 0.5 / 0.87962566),  # cut off at two deviations
        ("random_normal", 0.05, np.inf),
    ],
)
def test_weights_have_the_distribution_of_their_initializer(initializer: str, deviation: float, limit: float) -> None:
    import keras
    from scipy.stats import ks_2samp

    from trainables.models.parts.built_network import Network
    from trainables.training.initial_weights import InitialState

    inputs = keras.Input((500,))
    layer = keras.layers.Dense(400, kernel_initializer=initializer)
    network = Network(model=keras.Model(inputs, layer(inputs)))
    by_keras = layer.kernel.numpy().reshape(-1)
    InitialState(network).restore(3, [])
    drawn = layer.kernel.numpy().reshape(-1)
    assert drawn.mean() == pytest.approx(0, abs=5 * deviation / drawn.size**0.5)
    assert drawn.std() == pytest.approx(deviation, rel=0.01)
    assert np.abs(drawn).max() <= limit
    assert ks_2samp(drawn, by_keras).pvalue > 1e-4
    np.testing.assert_array_equal(layer.bias, np.zeros(400))


def test_a_random_generator_starts_as_one_of_keras_with_a_seed() -> None:
    import keras

    network, drawn = restored(7)
    assert str(network.model.variables[11].path).endswith("seed_generator_state")
    begin = np.asarray(keras.random.SeedGenerator(int(drawn[11][0])).state)
    np.testing.assert_array_equal(drawn[11], begin)
    assert drawn[11].dtype == begin.dtype


def test_a_layer_that_draws_by_an_initializer_nobody_named_is_refused() -> None:
    import keras

    from trainables.models.parts.built_network import Network
    from trainables.training.initial_weights import InitialState

    inputs = keras.Input((4,))
    layer = keras.layers.PReLU(alpha_initializer="random_normal", name="odd")
    with pytest.raises(NotImplementedError, match=r"odd .*alpha_initializer"):
        InitialState(Network(model=keras.Model(inputs, layer(inputs))))
