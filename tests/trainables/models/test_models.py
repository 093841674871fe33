from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

STATISTICS: dict[str, Any] = {"channel_mean": (130.0, 110.0, 95.0), "channel_std": (70.0, 71.0, 72.0)}
NAMES = (
    *("NASNetMobile", "NASNetLarge"),
    *(f"EfficientNetB{number}" for number in range(8)),
    "EfficientNetLite0",
    *(f"ResNet{layers}{version}" for version in ("", "V2") for layers in (50, 101, 152)),
    *("VGG16", "VGG19", "InceptionV3", "Xception"),
)


@pytest.fixture(scope="module")
def lite() -> Any:
    """EfficientNetLite0 with its top and ImageNet weights, at 224 px."""
    import keras

    from trainables.models.backbones import efficientnet_lite

    model = efficientnet_lite.build(keras.Input((224, 224, 3), dtype="uint8"), classes=1000)
    efficientnet_lite.load_imagenet(model)
    return model


def test_lite_has_the_published_number_of_parameters(lite: Any) -> None:
    assert sum(int(np.prod(variable.shape)) for variable in lite.trainable_variables) == 4_652_008


@pytest.mark.parametrize(
    ("number", "expected"), [(0, [698, 442, 663, 483, 975]), (1, [985, 947, 309, 108, 310])], ids=["china", "flower"]
)
def test_lite_knows_photographs(lite: Any, number: int, expected: list[int]) -> None:
    from PIL import Image
    from sklearn.datasets import load_sample_images

    image = Image.fromarray(load_sample_images().images[number])
    side = 0.875 * min(image.size)  # the centre crop of the original's evaluation
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    pixels = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC, box=box))
    probabilities = lite(pixels[None], training=False).numpy()[0]
    assert np.argsort(-probabilities)[:5].tolist() == expected


def test_backbones_are_found_in_upper_and_lower_case() -> None:
    from trainables.models.backbones import builder

    assert [builder.find(name.upper()).name for name in NAMES] == list(NAMES)


def test_catalogue_is_complete() -> None:
    from search_spaces import backbones
    from trainables.models.backbones import registry
    from trainables.models.parts import heads

    assert tuple(registry.CATALOGUE) == NAMES
    assert {*backbones.HEADS, *backbones.BOX_HEADS} == set(heads.HEADS)  # --set may ask for each, and for no other


def test_unknown_backbone_names_the_nearest() -> None:
    from trainables.learner import Fatal
    from trainables.models.backbones import builder

    with pytest.raises(Fatal, match="did you mean NASNetMobile"):
        builder.find("NASNetMobil")


# The last layers of some blocks, by the names of keras.applications.
INNER_ENDS = {
    "VGG16": ("block1_pool", "block3_pool"),
    "ResNet50": ("conv2_block3_out", "conv4_block1_out"),
    "EfficientNetB0": ("block1a_project_bn", "block4c_add"),
    "EfficientNetLite0": ("block0_project_bn", "block10_add"),
}


@pytest.mark.parametrize("name", INNER_ENDS)
def test_frozen_layers_are_counted_as_in_keras_applications(name: str) -> None:
    import keras

    from trainables.models.backbones import builder
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    backbone = builder.find(name)
    network = fine_tuned.build(BuildSpec({"backbone": name}, (32, 32, 3), 3, **STATISTICS, weights="random"))
    if backbone.weights is None:
        published, more = builder.build(backbone, (32, 32, 3), weights="random"), 0
    else:
        published = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(32, 32, 3))
        more = 1 if name == "EfficientNetB0" else 0  # weights="imagenet" adds a Rescaling before all blocks
    of_ours = {block.end._keras_history.operation.name: block.layers for block in network.blocks}
    for end in INNER_ENDS[name]:
        assert of_ours[end] == len(needed_by(published, end)) + more
    assert network.layers == backbone.layers == len(published.layers) + more
    counts = [block.layers for block in network.blocks]
    assert counts == sorted(set(counts))
    assert counts[0] > 0
    assert counts[-1] == network.layers
    assert list(of_ours)[-1] == "features"  # where all is frozen, the head learns from vectors


def needed_by(model: Any, end: str) -> set[str]:
    """Names of the layers that the layer `end` depends on, and its own."""
    found: set[str] = set()
    waiting = [model.get_layer(end)]
    while waiting:
        layer = waiting.pop()
        if layer.name not in found:
            found.add(layer.name)
            waiting += [parent.operation for node in layer._inbound_nodes for parent in node.parent_nodes]
    return found


def test_a_network_names_what_is_pretrained_and_which_dropout_is_the_configurations() -> None:
    from trainables.models.families import fine_tuned, small_resnet
    from trainables.models.parts.built_network import BuildSpec

    tuned = fine_tuned.build(BuildSpec({"backbone": "efficientnetlite0"}, (32, 32, 3), 3, **STATISTICS))
    assert [layer.name for layer in tuned.dropout] == ["head_dropout_1", "head_dropout_2"]  # not its drop connect
    learned = {layer.name for layer in tuned.model.layers if layer.weights} - {layer.name for layer in tuned.pretrained}
    assert learned == {"head_dense", "head_normalization", "logits"}
    drawn = fine_tuned.build(
        BuildSpec({"backbone": "efficientnetlite0"}, (32, 32, 3), 3, **STATISTICS, weights="random")
    )
    assert drawn.pretrained == ()
    scratch = small_resnet.build(BuildSpec({"conv_blocks": 2}, (32, 32, 3), 3, **STATISTICS))
    assert (scratch.blocks, scratch.layers, scratch.pretrained) == ((), 0, ())
    assert len(scratch.dropout) == 2 * 3 + 2  # three in each block, two in the head


def test_one_sigmoid_unit_is_two_probabilities() -> None:
    import keras

    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    config = {"backbone": "efficientnetlite0", "head": "sigmoid"}
    network = fine_tuned.build(BuildSpec(config, (32, 32, 3), 2, **STATISTICS, weights="random"))
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    features = keras.Model(network.model.input, network.model.get_layer("features").output)
    unit = network.model.get_layer("logit")
    assert unit.count_params() == 1280 + 1
    score = 1 / (1 + np.exp(-np.asarray(unit(features(images)))[:, 0]))
    np.testing.assert_allclose(np.asarray(network.model(images)), np.stack([1 - score, score], axis=1), rtol=1e-5)
    with pytest.raises(ValueError, match=r"head is sigmoid, .* 3"):
        fine_tuned.build(BuildSpec(config, (32, 32, 3), 3, **STATISTICS, weights="random"))


def test_weights_may_be_random_by_configuration() -> None:
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    config = {"backbone": "efficientnetlite0", "initial_weights": "random"}
    assert fine_tuned.build(BuildSpec(config, (32, 32, 3), 3, **STATISTICS)).pretrained == ()
    with pytest.raises(ValueError, match="initial_weights is 'imagnet', but must be one of imagenet, random"):
        fine_tuned.build(BuildSpec({**config, "initial_weights": "imagnet"}, (32, 32, 3), 3, **STATISTICS))


def test_images_are_enlarged_and_centred_inside_the_network() -> None:
    """As the traffic-signs report has it: 32 to 256 pixels, bicubic; (x - mean) / 255; more outputs than classes."""
    import keras
    import tensorflow as tf

    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    config = {"backbone": "VGG16", "zoom": 128, "preprocessing": "centred", "outputs": 7, "head": "dense_1024_256"}
    network = fine_tuned.build(BuildSpec(config, (32, 32, 3), 3, **STATISTICS, weights="random"))
    assert network.model.output_shape == (None, 7)
    assert network.model.get_layer("features").output.shape == (None, 512)  # 4 x 4 maps, halved twice
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    seen = keras.Model(network.model.input, network.model.get_layer("preprocessing").output)(images)
    expected = tf.image.resize(images.astype(np.float32), (128, 128), "bicubic", antialias=False)
    expected = (expected - np.array(STATISTICS["channel_mean"], np.float32)) / 255
    np.testing.assert_allclose(np.asarray(seen), np.asarray(expected), atol=1e-4)
    with pytest.raises(ValueError, match=r"outputs is 2, .* 3 classes"):
        fine_tuned.build(BuildSpec({**config, "outputs": 2}, (32, 32, 3), 3, **STATISTICS, weights="random"))


def test_enlarging_inside_is_enlarging_outside() -> None:
    import keras

    from trainables.models.backbones import builder, efficientnet_lite

    inside = builder.build(builder.find("EfficientNetLite0"), (32, 32, 3), weights=None, zoom=64)
    # From numbers, since bicubic enlarging leaves whole numbers and their range.
    outside = efficientnet_lite.build(keras.Input((64, 64, 3), dtype="float32"))
    efficientnet_lite.load_imagenet(outside)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    enlarged = keras.Model(inside.input, inside.get_layer("zoom").output)(images)
    np.testing.assert_allclose(inside(images), outside(enlarged), rtol=1e-4, atol=1e-4)


def test_the_small_network_of_document_3() -> None:
    from trainables.models.families import plain_cnn
    from trainables.models.parts.built_network import BuildSpec

    network = plain_cnn.build(BuildSpec({}, (32, 32, 3), 43, **STATISTICS))
    # Convolutions 3x3 of 6, 12, 24, 48 filters; two poolings leave 8 x 8 x 48; dense 1024 and 43.
    by_hand = (
        (27 * 6 + 6) + (54 * 12 + 12) + (108 * 24 + 24) + (216 * 48 + 48) + (3072 * 1024 + 1024) + (1024 * 43 + 43)
    )
    assert sum(int(np.prod(weight.shape)) for weight in network.model.trainable_weights) == by_hand == 3_204_687
    kinds = [type(layer).__name__ for layer in network.model.layers]
    assert kinds[2:8] == ["Conv2D", "Conv2D", "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D"]


def test_a_network_as_it_comes_names_imagenets_classes() -> None:
    from trainables.models.backbones import efficientnet_lite
    from trainables.models.families import pretrained_classifier
    from trainables.models.parts.built_network import BuildSpec

    network = pretrained_classifier.build(BuildSpec({"backbone": "EfficientNetLite0"}, (64, 64, 3), 5, **STATISTICS))
    assert network.model.output_shape == (None, 1000)
    assert network.pretrained == tuple(network.model.layers)
    import keras

    images = keras.Input((64, 64, 3), dtype="uint8")
    plain = efficientnet_lite.build(images, classes=1000)
    efficientnet_lite.load_imagenet(plain)
    seen = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_allclose(np.asarray(network.model(seen)), np.asarray(plain(seen)), rtol=1e-4, atol=1e-7)


def ends_at(*layers: int, total: int) -> Any:
    from trainables.models.parts.built_network import Block, Network

    model: Any = None
    return Network(model=model, blocks=tuple(Block(end=None, layers=count) for count in layers), layers=total)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, 0),
        ({"frozen_fraction": 0.0}, 0),
        ({"frozen_fraction": 1.0}, 4),
        ({"frozen_fraction": 0.5}, 2),  # int(19 * 0.5) = 9: 1 before 10, 3 after 6
        ({"frozen_fraction": 0.1}, 0),  # int(1.9) = 1: 1 from the start, 3 before 4
        ({"frozen_fraction": 0.11}, 0),  # int(2.09) = 2, equally near 0 and 4: the earlier
        ({"frozen_fraction": 0.16}, 1),  # int(3.04) = 3
        ({"frozen_fraction": 0.99}, 4),  # int(18.81) = 18: 4 after 14, 1 before 19
        ({"frozen_layers": 0}, 0),
        ({"frozen_layers": 4}, 1),
        ({"frozen_layers": 7}, 1),  # equally near 4 and 10
        ({"frozen_layers": 15}, 3),
        ({"frozen_layers": 19}, 4),
    ],
)
def test_freezing_snaps_to_the_nearest_end_of_a_block(config: dict[str, Any], expected: int) -> None:
    from trainables.models.parts.built_network import frozen_blocks

    assert frozen_blocks(ends_at(4, 10, 14, 19, total=19), config) == expected


def test_document_2s_fifteen_layers_of_vgg16_are_four_blocks() -> None:
    """Its code trains layers[15:]; counting the input, the fourth block's pooling is the fifteenth layer."""
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec, frozen_blocks
    from trainables.models.parts.model_graph import Graph

    config = {"backbone": "VGG16", "head": "dense_256"}
    network = fine_tuned.build(BuildSpec(config, (32, 32, 3), 17, **STATISTICS, weights="random"))
    cut = frozen_blocks(network, {"frozen_layers": 15})
    end = network.blocks[cut - 1].end
    assert end._keras_history.operation.name == "block4_pool"
    assert network.blocks[cut - 1].layers == 15
    graph = Graph(network.model)
    learns = [layer.name for layer in graph.after(end, graph.output).layers if layer.weights]
    assert learns == [*(f"block5_conv{number}" for number in (1, 2, 3)), "head_dense", "logits"]


def test_document_2s_surgery() -> None:
    """VGG16 on x / 255, flattened, dense 256, ReLU, dropout of one half whatever the configuration's, the classes."""
    import keras

    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    config = {"backbone": "VGG16", "head": "dense_256", "preprocessing": "scaled"}
    network = fine_tuned.build(BuildSpec(config, (32, 32, 3), 17, **STATISTICS, weights="random"))
    assert network.model.count_params() == 14_714_688 + (512 * 256 + 256) + (256 * 17 + 17)  # one pixel of 512 maps
    assert network.dropout == ()
    assert network.model.get_layer("head_dropout").rate == 0.5
    seen = keras.Model(network.model.input, network.model.get_layer("block1_conv1").input)
    image = np.full((1, 32, 32, 3), 0, np.uint8) + np.array([200, 100, 60], np.uint8)
    np.testing.assert_allclose(seen(image)[0, 3, 5], [200 / 255, 100 / 255, 60 / 255], rtol=1e-6)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"frozen_fraction": -0.1}, "frozen_fraction is -0.1"),
        ({"frozen_fraction": 1.1}, "frozen_fraction is 1.1"),
        ({"frozen_fraction": float("nan")}, "frozen_fraction is nan"),
        ({"frozen_layers": -1}, "frozen_layers is -1"),
        ({"frozen_layers": 20}, "frozen_layers is 20, but must be from 0 to 19"),
        ({"frozen_layers": 3, "frozen_fraction": 0.5}, "both given"),
    ],
)
def test_impossible_freezing_is_one_line(config: dict[str, Any], message: str) -> None:
    from trainables.models.parts.built_network import frozen_blocks

    with pytest.raises(ValueError, match=message) as raised:
        frozen_blocks(ends_at(4, 10, 14, 19, total=19), config)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_an_impossible_dropout_is_one_line(rate: float) -> None:
    from trainables.models.parts.built_network import dropout_rate

    assert dropout_rate({}) == 0
    assert dropout_rate({"dropout": 0.25}) == 0.25
    with pytest.raises(ValueError, match=f"dropout is {rate:g}, .* 0 and below 1"):
        dropout_rate({"dropout": rate})


def test_efficientnet_input_is_normalized_once_by_mean_and_deviation(tmp_path: Path) -> None:
    import keras

    from trainables.models.backbones import builder

    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    published = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    for layer in published.layers:
        if isinstance(layer, keras.layers.Normalization):  # the published files hold the deviation as variance
            layer.adapt_mean.assign(mean)
            layer.adapt_variance.assign(deviation)
    for suffix in ("b0_notop.h5", "b0.weights.h5"):
        path = tmp_path / suffix
        published.save(path) if suffix == "b0_notop.h5" else published.save_weights(path)
        model = builder.build(builder.find("EfficientNetB0"), (32, 32, 3), weights=path)
        normalized = keras.Model(
            model.input, next(layer.output for layer in model.layers if isinstance(layer, keras.layers.Normalization))
        )
        image = np.full((1, 32, 32, 3), 200, np.uint8)
        np.testing.assert_allclose(normalized(image)[0, 0, 0], (200 / 255 - mean) / deviation, rtol=1e-5)
        for ours, theirs in zip(model.weights[3:], published.weights[3:], strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_wrong_weights_are_one_line(tmp_path: Path) -> None:
    import keras

    from trainables.learner import Fatal
    from trainables.models.backbones import builder

    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    other.save(tmp_path / "other.keras")
    (tmp_path / "page.h5").write_text("<html>404</html>")
    (tmp_path / "lite.pth").write_text("<html>404</html>")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "other.keras").read_bytes()[:-100])
    (tmp_path / "cut.npz").write_bytes(b"PK")
    (tmp_path / "notes.txt").write_text("")
    for name, file in [
        ("EfficientNetLite0", "other.weights.h5"),
        ("EfficientNetLite0", "other.keras"),
        ("EfficientNetB0", "page.h5"),
        ("EfficientNetLite0", "cut.keras"),
        ("EfficientNetLite0", "cut.npz"),
        ("EfficientNetLite0", "lite.pth"),
        ("EfficientNetLite0", "notes.txt"),
        ("EfficientNetB0", "missing.h5"),
    ]:
        with pytest.raises(Fatal, match=file.split(".")[0]) as raised:
            builder.build(builder.find(name), (32, 32, 3), weights=tmp_path / file)
        assert "\n" not in str(raised.value), file
        # Of keras.applications no file fits EfficientNetLite0.
        assert name == "EfficientNetB0" or "keras.applications" not in str(raised.value)


def test_residual_is_the_documents_network() -> None:
    import keras

    from trainables.models.families import small_resnet
    from trainables.models.parts.built_network import BuildSpec

    model = small_resnet.build(BuildSpec({}, (64, 64, 3), 10, **STATISTICS)).model
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert sorted((layer.filters, layer.kernel_size[0], layer.use_bias) for layer in convolutions) == sorted(
        [(32, 7, True)]
        + [(filters, 3, True) for filters in (32, 64, 128, 256) for _ in range(3)]
        + [(filters, 1, False) for filters in (32, 64, 128, 256)]
    )
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in model.layers) == 4
    assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [256, 10]
    slopes = [layer.negative_slope for layer in model.layers if isinstance(layer, keras.layers.LeakyReLU)]
    assert len(slopes) == 14
    assert set(np.round(slopes, 6)) == {0.03}
    following = {layer.name: [node.operation.name for node in layer._outbound_nodes] for layer in model.layers}
    assert following["block4_sum"] == ["features"]
    assert following["block1_sum"] == ["block2_pooling"]


def test_residual_scales_by_the_training_split_and_reads_whole_pixels() -> None:
    import keras

    from trainables.models.families import small_resnet
    from trainables.models.parts.built_network import BuildSpec

    model = small_resnet.build(BuildSpec({"conv_blocks": 1}, (16, 16, 3), 3, **STATISTICS)).model
    scaled = keras.Model(model.input, model.get_layer("standard_scaling").output)
    pixel = scaled(np.full((1, 16, 16, 3), 200, np.uint8))[0, 0, 0]
    np.testing.assert_allclose(pixel, [(200 - 130) / 70, (200 - 110) / 71, (200 - 95) / 72], rtol=1e-5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"conv_blocks": 0}, "conv_blocks is 0"),
        ({"conv_blocks": 5}, "conv_blocks is 5"),
        ({"filter_width": 0}, "filter_width is 0"),
        ({}, "image size is 8"),
    ],
)
def test_residual_refuses_what_cannot_be(config: dict[str, Any], message: str) -> None:
    from trainables.models.families import small_resnet
    from trainables.models.parts.built_network import BuildSpec

    with pytest.raises(ValueError, match=message):
        small_resnet.build(BuildSpec(config, (8, 8, 3), 10, **STATISTICS))


def test_a_saved_model_loads_without_this_code(tmp_path: Path) -> None:
    """In mixed_bfloat16; float32 is what every test of the learner saves and loads."""
    import keras

    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = fine_tuned.build(BuildSpec({"backbone": "efficientnetlite0"}, (32, 32, 3), 5, **STATISTICS)).model
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "model.keras")
    described = zipfile.ZipFile(tmp_path / "model.keras").read("config.json").decode()
    assert {module.split(".")[0] for module in re.findall(r'"module": "([^"]+)"', described)} == {"keras"}
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    expected = model.predict(images, verbose=0)
    assert expected.dtype == np.float32
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)
