"""Networks stay warm for every trial of their structure, and go when memory is short."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.input_config import InputConfig
from tests.fixtures.trainables import SmallImages, assign
from trainables import devices
from trainables.trial_spec import TrainingSpec

pytestmark = pytest.mark.slow  # imports TensorFlow

STATISTICS: dict[str, Any] = {"channel_mean": (120.0, 110.0, 100.0), "channel_std": (60.0, 61.0, 62.0)}
CONFIG: dict[str, Any] = {"conv_blocks": 1, "filter_width": 0.25, "learning_rate": 1e-2, "batch_size": 8}
PLENTY = 10**12


def residual(memory_bytes: int = PLENTY, **config: Any) -> TrainingSpec:
    return assign("residual", CONFIG | config, memory_bytes=memory_bytes)


def model_cache() -> Any:
    from trainables.training.model_cache import ModelCache

    return ModelCache()


@pytest.mark.parametrize(
    "config",
    [
        {"learning_rate": 1e-4},
        {"dropout": 0.4},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"schedule": "cosine"},
        {"batch_size": 5},
    ],
    ids=str,
)
def test_trials_of_one_structure_share_a_network(config: dict[str, Any]) -> None:
    networks = model_cache()
    warm = networks.get(residual(), STATISTICS)
    assert networks.get(residual(**config), STATISTICS) is warm
    assert networks.get(dataclasses.replace(residual(**config), seed=9, max_epochs=50), STATISTICS) is warm


def test_freezing_shares_a_network_too() -> None:
    networks = model_cache()
    taken = {
        networks.get(assign("fine_tuned", {"backbone": "EfficientNetLite0", **config}, side=32), STATISTICS)
        for config in ({}, {"frozen_fraction": 0.6}, {"frozen_fraction": 1.0}, {"frozen_layers": 12})
    }
    assert len(taken) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"config": CONFIG | {"conv_blocks": 2}},
        {"config": CONFIG | {"filter_width": 0.5}},
        {"num_classes": 4},
        {"view": InputConfig(image_size=18)},
        {"precision": "mixed_bfloat16"},
        {"channel_mean": (120.0, 110.0, 100.5)},
        {"channel_std": (60.0, 61.0, 62.5)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_structure_is_another_network(change: dict[str, Any]) -> None:
    import keras

    networks = model_cache()
    warm = networks.get(residual(), STATISTICS)
    statistics = STATISTICS | {name: change[name] for name in STATISTICS if name in change}
    fields = {name: value for name, value in change.items() if name not in STATISTICS}
    try:
        other = networks.get(dataclasses.replace(residual(), **fields), statistics)
        assert other is not warm
        assert networks.get(dataclasses.replace(residual(), **fields), statistics) is other
        assert networks.get(residual(), STATISTICS) is warm
    finally:
        keras.config.set_dtype_policy("float32")


def test_another_file_of_weights_is_another_network(tmp_path: Path) -> None:
    from trainables.models.backbones import builder

    paths = [tmp_path / "one.weights.h5", tmp_path / "two.weights.h5"]
    for path in paths:
        builder.build(builder.find("EfficientNetLite0"), (32, 32, 3), weights="random").save_weights(path)
    networks = model_cache()
    config = {"backbone": "EfficientNetLite0"}
    one, two, packaged = (
        networks.get(assign("fine_tuned", config, side=32, weights=path), STATISTICS) for path in (*paths, None)
    )
    kernels = [np.asarray(warm.network.pretrained[2].weights[0]) for warm in (one, two, packaged)]
    assert not np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


class Memory:
    """What this worker seems to hold: too much, until so many networks were given back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.too_much = 0
        monkeypatch.setattr(devices, "resident_bytes", lambda: 600 if self.too_much > 0 else 400)
        monkeypatch.setattr(devices, "give_memory_back", self._give_back)

    def _give_back(self) -> None:
        self.too_much -= 1


def test_the_least_recently_used_network_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(monkeypatch)
    networks = model_cache()

    def take(width: float) -> Any:
        return networks.get(residual(memory_bytes=1000, filter_width=width), STATISTICS)

    first, second, third = take(0.1), take(0.2), take(0.3)
    assert take(0.1) is first  # used now
    memory.too_much = 1  # half of 1000 is exceeded until one network is let go
    fourth = take(0.4)
    assert [take(0.1), take(0.3), take(0.4)] == [first, third, fourth]
    assert take(0.2) is not second


def test_no_network_goes_for_one_that_is_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(monkeypatch)
    networks = model_cache()
    warm = [networks.get(residual(memory_bytes=1000, filter_width=width), STATISTICS) for width in (0.1, 0.2)]
    memory.too_much = 5
    assert networks.get(residual(memory_bytes=1000, filter_width=0.1), STATISTICS) is warm[0]
    memory.too_much = 0
    assert networks.get(residual(memory_bytes=1000, filter_width=0.2), STATISTICS) is warm[1]


def trained(assignment: TrainingSpec) -> None:
    """A trial through the worker's own bench, with every graph that a trial traces."""
    from trainables.learners import keras_network

    learner = keras_network.create()
    images: Any = SmallImages(16, side=assignment.view.image_size)
    learner.start(assignment, images, images)
    learner.epoch(0)
    learner.validate()
    learner.predict(images.batches(8))


def watched(assignment: TrainingSpec) -> list[weakref.ref[Any]]:
    from trainables.training.model_cache import MODEL_CACHE

    warm = MODEL_CACHE.get(assignment, STATISTICS)
    gradients = next(made for (kind, _), made in warm._made.items() if kind == "gradients")
    return [weakref.ref(each) for each in (warm, warm.network.model, warm.network.model.layers[2], gradients)]


@pytest.mark.parametrize(
    "assignment",
    [
        residual(memory_bytes=1, dropout=0.3, optimizer="adamw"),
        assign(
            "fine_tuned",
            {"backbone": "EfficientNetLite0", "frozen_fraction": 0.9, "learning_rate": 1e-3, "batch_size": 8},
            side=32,
            memory_bytes=1,
        ),
    ],
    ids=lambda assignment: assignment.model,
)
def test_a_network_that_goes_is_really_gone(assignment: TrainingSpec, tmp_path: Path) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    MODEL_CACHE.drop_others(keep=None)
    trained(dataclasses.replace(assignment, features=tmp_path, features_bytes=10**9, arm_epochs=1000))
    references = watched(assignment)
    assert all(reference() is not None for reference in references)
    trained(residual(memory_bytes=1, filter_width=0.5))  # 1 byte: everything else must go
    gc.collect()
    assert [reference() for reference in references] == [None] * len(references)
    assert not MODEL_CACHE.drop_others(keep=MODEL_CACHE.get(residual(filter_width=0.5), STATISTICS))


def test_letting_go_of_all_others() -> None:
    networks = model_cache()
    assert not networks.drop_others(keep=None)
    one, two = (networks.get(residual(filter_width=width), STATISTICS) for width in (0.1, 0.2))
    reference = weakref.ref(two)
    del two
    assert networks.drop_others(keep=one)
    assert reference() is None
    assert networks.get(residual(filter_width=0.1), STATISTICS) is one
    assert not networks.drop_others(keep=one)
    assert networks.drop_others(keep=None)


def test_what_cannot_be_built_is_not_kept() -> None:
    networks = model_cache()
    for _ in range(2):
        with pytest.raises(ValueError, match="conv_blocks is 9"):
            networks.get(residual(conv_blocks=9), STATISTICS)
    assert not networks.drop_others(keep=None)


@pytest.fixture(scope="module")
def warm() -> Any:
    config = {"backbone": "EfficientNetLite0"}
    return model_cache().get(assign("fine_tuned", config, side=32), STATISTICS)


def test_a_prefix_has_one_identity_however_often_it_is_built(warm: Any) -> None:
    again = model_cache().get(assign("fine_tuned", {"backbone": "EfficientNetLite0"}, side=32, classes=4), STATISTICS)
    cuts = range(1, len(warm.network.blocks) + 1)
    identities = [warm.prefix_identity(cut) for cut in cuts]
    assert len(set(identities)) == len(identities)
    assert None not in identities
    assert identities == [again.prefix_identity(cut) for cut in cuts]  # the head does not matter


def prefix_of_two(*, activation: str = "relu", skip: bool = True, first_weight: float = 1.0, scale: float = 2.0) -> Any:
    """A warm network of two convolutions after a preparation in a model of its own; Keras names every layer."""
    import keras

    from trainables.models.parts.built_network import Block, Network
    from trainables.training.model_cache import CachedModel

    raw = keras.Input((4, 4, 3))
    images = keras.Input((4, 4, 3))
    x = keras.Model(raw, keras.layers.Rescaling(scale)(raw))(images)
    x = keras.layers.Conv2D(3, 1, activation=activation, kernel_initializer="ones")(x)
    y = keras.layers.Conv2D(3, 1, kernel_initializer="ones")(x)
    end = keras.layers.Add()([y, x if skip else y])
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(end))
    model = keras.Model(images, outputs)
    kernel = model.layers[2].kernel
    kernel.assign(kernel * first_weight)
    return CachedModel(Network(model=model, blocks=(Block(end=end, layers=4),), pretrained=tuple(model.layers[:-1])))


def test_an_identity_follows_weights_settings_and_joints_and_not_names() -> None:
    identity = prefix_of_two().prefix_identity(1)
    assert identity is not None
    assert prefix_of_two().prefix_identity(1) == identity  # whatever numbers Keras has put into the names
    changes: list[dict[str, Any]] = [{"activation": "elu"}, {"skip": False}, {"first_weight": 1.0001}, {"scale": 2.5}]
    others = {prefix_of_two(**change).prefix_identity(1) for change in changes}
    assert len(others | {identity}) == 1 + len(changes)


def test_multiply_adds_grow_with_the_prefix(warm: Any) -> None:
    """EfficientNet-Lite0 has 407 million at 224 px (its authors): a 49th of them, less its top, at 32 px."""
    counts = [warm.prefix_multiply_adds(cut) for cut in range(len(warm.network.blocks) + 1)]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(407e6 / 49, rel=0.1)


def test_several_cuts_come_out_of_one_pass_as_out_of_their_own(warm: Any) -> None:
    images = SmallImages(10, side=32)
    (batch,) = images.batches(10)
    several = warm.prefix([3, 11, 18])(batch)
    expected = [array for cut in (3, 11, 18) for array in warm.prefix([cut])(batch)]
    assert [array.shape for array in several] == [array.shape for array in expected]
    assert several[-1].shape == (10, 1280)
    for one, other in zip(several, expected, strict=True):
        np.testing.assert_array_equal(one, other)
