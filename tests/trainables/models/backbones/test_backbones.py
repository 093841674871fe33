from __future__ import annotations

import importlib
import inspect
import itertools
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

# One network of each family: the module of keras.applications that prepares its input, and how many blocks it has.
FAMILIES: dict[str, tuple[str | None, int]] = {
    "VGG16": ("vgg16", 5),
    "ResNet50": ("resnet", 1 + 3 + 4 + 6 + 3),
    "ResNet50V2": ("resnet_v2", 1 + 3 + 4 + 6 + 3),
    "InceptionV3": ("inception_v3", 2 + 11),
    "Xception": ("xception", 14),
    "NASNetMobile": ("nasnet", 4 + 3 * 4),
    "EfficientNetB0": ("efficientnet", 1 + 16 + 1),
    "EfficientNetLite0": (None, 1 + 16 + 1),
}
FIRST_AND_LAST = {
    "VGG16": ("block1_pool", "block5_pool"),
    "ResNet50": ("pool1_pool", "conv5_block3_out"),
    "ResNet50V2": ("pool1_pool", "post_relu"),
    "InceptionV3": (r"max_pooling2d(_\d+)?", "mixed10"),
    "Xception": ("block1_conv2_act", "block14_sepconv2_act"),
    "NASNetMobile": ("reduction_concat_stem_1", r"activation(_\d+)?"),
    "EfficientNetB0": ("stem_activation", "top_activation"),
    "EfficientNetLite0": ("stem_activation", "top_activation"),
}


@dataclass
class Built:
    """A network at its smallest side, as its authors publish it and as built from a file of that."""

    backbone: Any
    published: Any  # of keras.applications where it is one of them
    model: Any  # from a file in the published files' format
    again: Any  # from a file as this project writes it after pre-training


DAILY = ("VGG16", "EfficientNetLite0")  # without batch normalization, and with it; all in the nightly run


@pytest.fixture(
    scope="module",
    params=[name if name in DAILY else pytest.param(name, marks=pytest.mark.nightly) for name in FAMILIES],
)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    import keras

    from trainables.models.backbones import builder

    backbone = builder.find(request.param)
    shape = (backbone.minimum_side, backbone.minimum_side, 3)
    if backbone.weights is None:
        published = builder.build(backbone, shape, weights="random")
    else:
        published = getattr(keras.applications, backbone.name)(include_top=False, weights=None, input_shape=shape)
    generator = np.random.default_rng(3)
    for layer in published.layers:
        if not isinstance(
            layer, keras.layers.Normalization
        ):  # EfficientNet's: see tests/trainables/models/test_models.py
            for variable in layer.weights:
                if len(variable.shape) == 1:  # all alike in a new network, so that their order could not be seen
                    variable.assign(variable + generator.uniform(0, 0.1, variable.shape))
    folder = tmp_path_factory.mktemp("weights")
    published.save(folder / "notop.h5")
    model = builder.build(backbone, shape, weights=folder / "notop.h5")
    builder.save(model.layers, folder / "saved.npz")
    again = builder.build(backbone, shape, weights=folder / "saved.npz")
    shutil.rmtree(folder)  # pytest keeps the folders of three runs, and these are a gigabyte a run
    yield Built(backbone, published, model, again)
    keras.backend.clear_session()


def photographs(side: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (2, side, side, 3), dtype=np.uint8)


def ancestors(layer: Any) -> set[Any]:
    """The operations that the layer reads, directly or not."""
    found: set[Any] = set()
    waiting = [layer]
    while waiting:
        for node in waiting.pop()._inbound_nodes:
            parents = {parent.operation for parent in node.parent_nodes} - found
            found |= parents
            waiting.extend(parents)
    return found


def test_parameters_and_layers(built: Built) -> None:
    import keras

    backbone, model = built.backbone, built.model
    assert model.count_params() == backbone.parameters
    assert model.input_shape == (None, backbone.minimum_side, backbone.minimum_side, 3)
    # Ours before the network, one more in EfficientNet with weights="imagenet".
    more = {"EfficientNet": -1, "EfficientNet-Lite": 0}.get(backbone.family, 1)
    assert len(model.layers) == backbone.layers + more
    assert not any(isinstance(layer, keras.layers.Lambda) for layer in model.layers)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["VGG19", "ResNet101V2"])
def test_parameters_and_layers_of_larger_ones(name: str) -> None:
    import keras

    from trainables.models.backbones import builder

    model = getattr(keras.applications, name)(include_top=False, weights=None)
    backbone = builder.find(name)
    assert (model.count_params(), len(model.layers)) == (backbone.parameters, backbone.layers)


def test_blocks_end_one_after_the_other(built: Built) -> None:
    from trainables.models.backbones.freeze_points import block_ends

    backbone, model = built.backbone, built.model
    ends = block_ends(backbone, model)
    assert len(ends) == FAMILIES[backbone.name][1]
    assert ends[-1].output is model.output
    for end, following in itertools.pairwise(ends):
        assert end in ancestors(following)
        assert following not in ancestors(end)
    for end, name in zip((ends[0], ends[-1]), FIRST_AND_LAST[backbone.name], strict=True):
        assert re.fullmatch(name, end.name)
    # A second network in the process has other numbers in its names, and its blocks at the same places.
    again = built.again
    assert [again.layers.index(end) for end in block_ends(backbone, again)] == [model.layers.index(end) for end in ends]


def test_blocks_hold_every_weight(built: Built) -> None:
    """No block is empty, and frozen up to its last end a network has nothing left to learn."""
    from trainables.models.backbones.freeze_points import block_ends

    backbone, model = built.backbone, built.model
    before: set[Any] = set()
    for end in block_ends(backbone, model):
        read = ancestors(end) | {end}
        assert any(layer.weights for layer in read - before)
        before = read
    assert before == set(model.layers)


def test_every_family_of_the_catalogue_has_blocks() -> None:
    from trainables.models.backbones import builder, freeze_points, registry

    assert {backbone.family for backbone in registry.CATALOGUE.values()} == set(freeze_points.BLOCKS)
    assert {builder.find(name).family for name in FAMILIES} == set(freeze_points.BLOCKS)


def test_input_is_prepared_as_in_keras_applications(built: Built) -> None:
    import keras

    backbone, model = built.backbone, built.model
    module = FAMILIES[backbone.name][0]
    if backbone.family.startswith("EfficientNet"):
        pytest.skip("prepares its input in layers of its own")
    prepare = getattr(keras.applications, str(module)).preprocess_input
    images = photographs(backbone.minimum_side)
    prepared = keras.Model(model.input, model.layers[2].input)
    assert not prepared.weights
    np.testing.assert_allclose(prepared(images), prepare(images.astype(np.float32)), rtol=0, atol=1e-6)
    between = images * np.float32(0.99)  # the layer alone does not round, though the model's input is whole numbers
    np.testing.assert_allclose(model.layers[1](between), prepare(between.copy()), rtol=0, atol=1e-6)


def test_weights_files_are_read(built: Built) -> None:
    """A file of the network that keras.applications builds gives the same weights and the same features.

    As Keras 3 writes it (.weights.h5): tests/trainables/models/test_models.py, and
    tests/trainables/training/test_equivalence.py.
    """
    import keras

    for ours, theirs in zip(built.model.weights, built.published.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    images = prepared = photographs(built.backbone.minimum_side)
    if module := FAMILIES[built.backbone.name][0]:
        prepared = getattr(keras.applications, module).preprocess_input(images.astype(np.float32))
    features = np.asarray(built.published(prepared))
    assert np.isfinite(features).all()
    assert features.std() > 0
    np.testing.assert_allclose(built.model(images), features, rtol=1e-3, atol=1e-4 * np.abs(features).max())


def test_what_a_pretraining_keeps_is_the_whole_backbone(built: Built) -> None:
    for ours, theirs in zip(built.again.weights, built.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    images = photographs(built.backbone.minimum_side)
    np.testing.assert_array_equal(built.again(images), built.model(images))  # EfficientNet's own scaling included


def test_too_small_an_image_is_one_line(built: Built) -> None:
    from trainables.models.backbones import builder

    backbone = built.backbone
    side = backbone.minimum_side - 1
    with pytest.raises(ValueError, match=f"image size is {side}, but {backbone.name} needs at least") as raised:
        builder.build(backbone, (side, side, 3), weights="random")
    assert "\n" not in str(raised.value)


def test_saved_preparation_loads_without_this_code(tmp_path: Path) -> None:
    import keras

    from trainables.models.backbones import builder

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = builder.build(builder.find("VGG16"), (32, 32, 3), weights="random")
    finally:
        keras.config.set_dtype_policy("float32")
    path, images = tmp_path / "model.keras", photographs(32)
    keras.Model(model.input, model.layers[2].input).save(path)
    modules = re.findall(r'"module": "([^"]+)"', zipfile.ZipFile(path).read("config.json").decode())
    assert modules
    assert {module.split(".")[0] for module in modules} == {"keras"}
    expected = keras.applications.vgg16.preprocess_input(images.astype(np.float32))
    np.testing.assert_array_equal(keras.models.load_model(path)(images), expected)
    # Not through bfloat16 either, which has 8 bits.
    between = images * np.float32(0.99)
    expected = keras.applications.vgg16.preprocess_input(between.copy())
    np.testing.assert_array_equal(model.layers[1](between), expected)


def test_sources_are_those_of_the_installed_keras() -> None:
    """Addresses, file names, checksums and smallest sides, as the source of keras.applications says them."""
    import keras

    from trainables.models.backbones import registry

    for backbone in registry.CATALOGUE.values():
        top = backbone.weights_with_top
        if backbone.weights is None or top is None:
            assert backbone.weights is top
            continue
        module = importlib.import_module(inspect.unwrap(getattr(keras.applications, backbone.name)).__module__)
        folder, _, file_name = backbone.weights.url.rpartition("/")
        if backbone.family in ("ResNet", "ResNetV2", "EfficientNet"):
            resnet = importlib.import_module("keras.src.applications.resnet")
            module = module if backbone.family == "EfficientNet" else resnet
            ending = (
                "_notop.h5" if backbone.family == "EfficientNet" else "_weights_tf_dim_ordering_tf_kernels_notop.h5"
            )
            network = backbone.name.lower()
            assert folder + "/" == module.BASE_WEIGHTS_PATH
            assert file_name == backbone.weights.file_name == network + ending
            published = module.WEIGHTS_HASHES[network.removeprefix("efficientnet")]
            assert (top.md5, backbone.weights.md5) == published
            assert f"{folder}/{top.file_name}" == top.url
            assert top.file_name == network + ending.replace("_notop", "")
        else:
            fetched = re.findall(
                r'get_file\(\s*"([^"]+)",\s*(\w+),\s*cache_subdir="models",\s*file_hash="(\w+)"',
                inspect.getsource(module),
            )
            files = {(name, getattr(module, address), md5) for name, address, md5 in fetched}
            assert {(each.file_name, each.url, each.md5) for each in (backbone.weights, top)} <= files
            assert top.url != backbone.weights.url
            assert re.search("no_?top", backbone.weights.file_name)
        assert f"min_size={backbone.minimum_side}," in inspect.getsource(module)
