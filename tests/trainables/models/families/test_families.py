"""The networks that documents define and that are trained from scratch: counted by hand, built, trained."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, assign
from trainables.models.family_registry import model_family

pytestmark = pytest.mark.slow  # imports TensorFlow

STATISTICS: dict[str, Any] = {"channel_mean": (130.0, 110.0, 95.0), "channel_std": (70.0, 71.0, 72.0)}


def conv(before: int, filters: int, kernel: int, *, bias: bool = True) -> int:
    return (kernel * kernel * before + bias) * filters


def dense(before: int, units: int) -> int:
    return (before + 1) * units


def norm(channels: int) -> int:
    """Scale, offset, moving mean and moving variance."""
    return 4 * channels


def conv_norm(before: int, filters: int, kernel: int) -> int:
    return conv(before, filters, kernel) + norm(filters)


def shallownet(side: int, classes: int) -> int:
    return conv(3, 32, 3) + dense(side * side * 32, classes)


def lenet(side: int, classes: int) -> int:
    """One channel, not three; two poolings."""
    return conv(1, 20, 5) + conv(20, 50, 5) + dense((side // 4) ** 2 * 50, 500) + dense(500, classes)


def minivggnet(side: int, classes: int) -> int:
    convolutions = conv_norm(3, 32, 3) + conv_norm(32, 32, 3) + conv_norm(32, 64, 3) + conv_norm(64, 64, 3)
    return convolutions + dense((side // 4) ** 2 * 64, 512) + norm(512) + dense(512, classes)


def without_batch_norm(side: int, classes: int) -> int:
    return minivggnet(side, classes) - norm(32 + 32 + 64 + 64 + 512)


def alexnet(side: int, classes: int) -> int:
    """A stride of 4, padded; three poolings of 3 with stride 2, not padded: 227 becomes 57, 28, 13, 6."""
    side = -(-side // 4)
    for _ in range(3):
        side = (side - 3) // 2 + 1
    convolutions = conv_norm(3, 96, 11) + conv_norm(96, 256, 5)
    convolutions += conv_norm(256, 384, 3) + conv_norm(384, 384, 3) + conv_norm(384, 256, 3)
    hidden = dense(side * side * 256, 4096) + norm(4096) + dense(4096, 4096) + norm(4096)
    return convolutions + hidden + dense(4096, classes)


def minigooglenet(side: int, classes: int) -> int:
    """An inception's filters follow those of the one before; a step down keeps them and adds its convolution's."""
    total, channels = conv_norm(3, 96, 3), 96
    for ones, threes in [(32, 32), (32, 48), (0, 80), (112, 48), (96, 64), (80, 80), (48, 96), (0, 96)] + 2 * [
        (176, 160)
    ]:
        total += (conv_norm(channels, ones, 1) if ones else 0) + conv_norm(channels, threes, 3)
        channels = ones + threes if ones else channels + threes
    return total + dense(336, classes)


def deepergooglenet(side: int, classes: int) -> int:
    total = conv_norm(3, 64, 5) + conv_norm(64, 64, 1) + conv_norm(64, 192, 3)
    channels = 192
    for ones, before3, threes, before5, fives, projected in [
        (64, 96, 128, 16, 32, 32),
        (128, 128, 192, 32, 96, 64),
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ]:
        total += conv_norm(channels, ones, 1) + conv_norm(channels, projected, 1)
        total += conv_norm(channels, before3, 1) + conv_norm(before3, threes, 3)
        total += conv_norm(channels, before5, 1) + conv_norm(before5, fives, 5)
        channels = ones + threes + fives + projected
    return total + dense(channels, classes)


def resnet(stages: tuple[int, ...], filters: tuple[int, ...], classes: int, stem: int) -> int:
    """stem: what it has beside the images' normalization. No convolution has a bias."""
    total, channels = norm(3) + stem, filters[0]
    for count, width in zip(stages, filters[1:], strict=True):
        inner = width // 4
        total += conv(channels, width, 1, bias=False)  # the projected shortcut
        for _ in range(count):
            total += norm(channels) + conv(channels, inner, 1, bias=False)
            total += norm(inner) + conv(inner, inner, 3, bias=False)
            total += norm(inner) + conv(inner, width, 1, bias=False)
            channels = width
    return total + norm(channels) + dense(channels, classes)


def small_cifar_resnet(side: int, classes: int) -> int:
    return resnet((1, 2), (8, 16, 32), classes, conv(3, 8, 3, bias=False))


def small_tiny_resnet(side: int, classes: int) -> int:
    return resnet((1, 2), (8, 16, 32), classes, conv(3, 8, 5, bias=False) + norm(8))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A family at a small size: what it has, and what it refuses."""

    model: str
    count: Any  # its parameters by (side, classes)
    side: int = 16
    smallest: int
    config: dict[str, Any] = field(default_factory=dict)
    features: tuple[int, ...]  # shape of what the classifier reads
    dropout: tuple[float, ...] = ()
    penalized: int = 0  # kernels that L2 counts


SMALL_RESNET = {"stages": "1-2", "filters": "8-16-32"}
CASES = {
    "shallownet": Case(model="shallownet", count=shallownet, smallest=1, features=(16 * 16 * 32,)),
    "lenet": Case(model="lenet", count=lenet, smallest=4, features=(4 * 4 * 50,)),
    "minivggnet": Case(
        model="minivggnet", count=minivggnet, smallest=4, features=(4 * 4 * 64,), dropout=(0.25, 0.25, 0.5)
    ),
    "minivggnet without BN": Case(
        model="minivggnet",
        count=without_batch_norm,
        smallest=4,
        config={"batch_norm": False},
        features=(4 * 4 * 64,),
        dropout=(0.25, 0.25, 0.5),
    ),
    "alexnet": Case(
        model="alexnet",
        count=alexnet,
        side=57,
        smallest=57,
        features=(256,),
        dropout=(0.25, 0.25, 0.25, 0.5, 0.5),
        penalized=5 + 3,
    ),
    "minigooglenet": Case(model="minigooglenet", count=minigooglenet, smallest=7, features=(336,), dropout=(0.5,)),
    "deepergooglenet": Case(
        model="deepergooglenet",
        count=deepergooglenet,
        smallest=16,
        features=(832,),
        dropout=(0.4,),
        penalized=3 + 7 * 6 + 1,
    ),
    "resnet": Case(
        model="resnet",
        count=small_cifar_resnet,
        smallest=2,
        config=SMALL_RESNET,
        features=(32,),
        penalized=1 + 3 * 3 + 2 + 1,
    ),
    "resnet, tiny_imagenet": Case(
        model="resnet",
        count=small_tiny_resnet,
        smallest=4,
        config={**SMALL_RESNET, "stem": "tiny_imagenet"},
        features=(32,),
        penalized=1 + 3 * 3 + 2 + 1,
    ),
}


def build(name: str, side: int | None = None, **config: Any) -> Any:
    from trainables.models.parts.built_network import BuildSpec

    case = CASES[name]
    family = model_family(case.model)
    size = side or case.side
    return family.build(BuildSpec({**case.config, **config}, (size, size, 3), 3, **STATISTICS))


def test_documents_own_sizes() -> None:
    """The counts by hand at the sizes that the reports train."""
    assert shallownet(32, 3) == 99_203
    assert lenet(28, 10) == 1_256_080
    assert minivggnet(32, 10) == 2_171_178
    assert alexnet(227, 2) == 58_327_810
    assert minigooglenet(32, 10) == 1_656_250
    assert resnet((9, 9, 9), (64, 64, 128, 256), 10, conv(3, 64, 3, bias=False)) == 886_102
    assert resnet((3, 4, 6), (64, 128, 256, 512), 200, conv(3, 64, 5, bias=False) + norm(64)) == 2_265_748
    assert deepergooglenet(64, 200) == 3_667_976


@pytest.fixture(scope="module", params=CASES)
def started(request: pytest.FixtureRequest) -> tuple[Case, Any]:
    """Each family, and a learner about to train it."""
    from trainables.learners import keras_network

    case = CASES[request.param]
    train: Any = SmallImages(16, case.side)
    val: Any = SmallImages(8, case.side, seed=5, split="val")
    config = {**case.config, "optimizer": "sgd", "learning_rate": 1e-3, "batch_size": 8, "dropout": 0.1}
    learner = keras_network.create()
    learner.start(assign(case.model, config, side=case.side), train, val)
    return case, learner


def test_a_family_is_as_its_document_defines_it(started: tuple[Case, Any]) -> None:
    import keras

    case, learner = started
    network = learner.warm.network
    model = network.model
    assert model.count_params() == case.count(case.side, 3)
    assert model.output_shape == (None, 3)
    assert model.input_shape == (None, case.side, case.side, 3)
    assert model.get_layer("features").output.shape[1:] == case.features
    rates = tuple(layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout))
    assert rates == case.dropout  # not the configuration's 0.1: a document's own rates are not adjustable
    assert network.dropout == ()
    assert sum(weight.regularizer is not None for weight in model.weights) == case.penalized
    assert (network.blocks, network.pretrained) == ((), ())


@pytest.mark.parametrize("name", CASES)
def test_the_smallest_image_is_the_smallest_that_works(name: str) -> None:
    case = CASES[name]
    if case.smallest > 1:
        with pytest.raises(ValueError, match=f"image size is {case.smallest - 1}, ") as raised:
            build(name, case.smallest - 1)
        assert "\n" not in str(raised.value)
    if case.smallest < case.side:  # else every test builds it at its smallest
        assert build(name, case.smallest).model.output_shape == (None, 3)


def test_a_family_learns_with_its_dropout(started: tuple[Case, Any]) -> None:
    import keras

    _, learner = started
    layers = learner.warm.network.model.layers
    dropout = [layer for layer in layers if isinstance(layer, keras.layers.Dropout)]
    states = [np.asarray(layer.seed_generator.state) for layer in dropout]
    assert len({tuple(state) for state in states}) == len(dropout)  # each draws by itself
    kernels = [np.asarray(layer.kernel) for layer in layers if hasattr(layer, "kernel")]
    metrics = learner.epoch(0)
    assert np.isfinite(metrics["loss"])
    for layer, before in zip(dropout, states, strict=True):  # random numbers were drawn, in each of two steps
        assert int(np.asarray(layer.seed_generator.state)[1]) == int(before[1]) + 2
    moved = [layer.kernel for layer in layers if hasattr(layer, "kernel")]
    assert all(np.any(np.asarray(new) != old) for new, old in zip(moved, kernels, strict=True))
    probabilities = learner.validate()
    np.testing.assert_array_equal(probabilities, learner.validate())  # nothing random in prediction
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def trial(name: str, seed: int) -> str:
    """What a trial ends with: a digest of every variable, random states and moving statistics among them."""
    from trainables.learners import keras_network

    case = CASES[name]
    config = {**case.config, "optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01, "batch_size": 8}
    images: Any = SmallImages(16, case.side)
    learner = keras_network.create()
    learner.start(assign(case.model, config, seed=seed, side=case.side), images, images)
    learner.epoch(0)
    assert learner.warm is not None
    variables = learner.warm.network.model.variables
    return hashlib.sha256(b"".join(np.asarray(variable).tobytes() for variable in variables)).hexdigest()


@pytest.mark.parametrize("name", ["minivggnet", "resnet"])
def test_a_warm_trial_is_one_on_a_network_just_built(name: str) -> None:
    """With dropout, batch normalization after the activation; with L2, batch normalization before it.

    That a new process makes no difference, tests/trainables/training/test_equivalence.py holds for every network.
    """
    from trainables.training.model_cache import MODEL_CACHE

    MODEL_CACHE.drop_others(keep=None)
    cold = trial(name, seed=3)
    assert trial(name, seed=4) != cold
    assert trial(name, seed=3) == cold


def test_l2_pulls_weights_towards_zero() -> None:
    """With SGD one step moves a kernel by learning_rate * 2 * l2 * kernel more than without."""
    from trainables.learners import keras_network

    kernels = []
    for l2 in (0.0, 0.5):
        learner = keras_network.create()
        images: Any = SmallImages(8)
        config = {**SMALL_RESNET, "l2": l2, "optimizer": "sgd", "learning_rate": 0.125, "batch_size": 8}
        learner.start(assign("resnet", config), images, images)
        assert learner.warm is not None
        kernel = learner.warm.network.model.get_layer("stem_conv").kernel
        before = np.asarray(kernel)
        learner.epoch(0)
        kernels.append(np.asarray(kernel))
    np.testing.assert_allclose(kernels[0] - kernels[1], 0.125 * 2 * 0.5 * before, atol=1e-6)


def test_pixels_enter_as_the_documents_have_it() -> None:
    import keras

    image = np.full((1, 16, 16, 3), 0, np.uint8) + np.array([200, 100, 60], np.uint8)
    for name, first, expected in (
        ("lenet", "block1_conv", [120 / 255]),  # the mean of the colours
        ("minivggnet", "block1_1_conv", [200 / 255, 100 / 255, 60 / 255]),
        ("resnet", "images_normalization", [70, -10, -35]),
    ):
        model = build(name).model
        seen = keras.Model(model.input, model.get_layer(first).input)(image)
        np.testing.assert_allclose(seen[0, 3, 5], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("minivggnet", {"batch_norm": "no"}, "batch_norm is 'no', but must be true or false"),
        ("alexnet", {"l2": -1.0}, "l2 is -1, but must be at least 0"),
        ("deepergooglenet", {"l2": float("nan")}, "l2 is nan"),
        ("resnet", {"stages": "9-x"}, "stages is '9-x', but must be whole numbers above 0"),
        ("resnet", {"stages": "1-0"}, "stages is '1-0'"),
        ("resnet", {"stages": "1-2-3"}, "filters names 3 numbers and stages 3"),
        ("resnet", {"filters": "8-16-30"}, "filters has 30, but must be multiples of 4"),
        ("resnet", {"stem": "imagenet"}, "did you mean tiny_imagenet"),
    ],
)
def test_impossible_configurations_are_one_line(name: str, config: dict[str, Any], message: str) -> None:
    from trainables.models.parts.built_network import BuildSpec

    with pytest.raises(ValueError, match=message) as raised:
        build(name, **config)
    assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match=r"weights is x.h5, .*from scratch"):
        model_family(CASES[name].model).build(BuildSpec({}, (64, 64, 3), 3, **STATISTICS, weights="x.h5"))
