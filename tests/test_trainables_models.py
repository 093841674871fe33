from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

STATISTICS: dict[str, Any] = {"channel_mean": (130.0, 110.0, 95.0), "channel_std": (70.0, 71.0, 72.0)}
NAMES = ("NASNetMobile", *(f"EfficientNetB{number}" for number in range(8)), "EfficientNetLite0")


@pytest.fixture(scope="module")
def lite() -> Any:
    """EfficientNetLite0 with its top and ImageNet weights, at 224 px."""
    import keras

    from trainables.models import efficientnet_lite

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


@pytest.mark.parametrize("name", NAMES)
def test_catalogue(name: str) -> None:
    from trainables.models import backbones

    backbone = backbones.find(name.upper())
    assert backbone.name == name
    assert 224 <= backbone.image_size <= 600
    assert 3_000_000 < backbone.parameters < 65_000_000
    assert 150 < backbone.layers < 1000
    if name != "EfficientNetLite0":
        assert backbone.weights is not None
        assert backbone.weights.url.startswith("https://storage.googleapis.com/")
        assert len(backbone.weights.md5) == 32


def test_catalogue_is_complete() -> None:
    from trainables.models import backbones

    assert tuple(backbones.CATALOGUE) == NAMES


def test_unknown_backbone_names_the_nearest() -> None:
    from trainables.learner import Fatal
    from trainables.models import backbones

    with pytest.raises(Fatal, match="did you mean NASNetMobile"):
        backbones.find("NASNet")


@pytest.mark.parametrize("name", ["EfficientNetB0", "EfficientNetLite0", "NASNetMobile"])
def test_frozen_layers_are_those_of_keras_applications(name: str) -> None:
    import keras

    from trainables.models import backbones, fine_tuned

    backbone = backbones.find(name)
    model = backbones.build(backbone, (32, 32, 3), weights="random")
    assert model.count_params() == backbone.parameters
    assert model.input_shape == (None, 32, 32, 3)  # not a list of one
    assert backbones.frozen_layers(backbone, model, 1.0) == len(model.layers)
    assert backbones.frozen_layers(backbone, model, 0.0) <= 1  # at most our own rescaling
    count = backbones.frozen_layers(backbone, model, 0.5)
    assert abs(count - int(backbone.layers * 0.5)) <= 1
    fine_tuned.freeze(model, count)
    assert not any(layer.trainable for layer in model.layers[:count])
    assert all(layer.trainable for layer in model.layers[count:])
    dropouts = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert all((layer.rate == 0) == (not layer.trainable) for layer in dropouts)
    frozen = set(model.layers[:count])
    for layer in frozen:  # nothing frozen reads what learns
        for node in layer._inbound_nodes:
            assert all(operation in frozen for operation in (parent.operation for parent in node.parent_nodes))


def test_efficientnet_input_is_normalized_once_by_mean_and_deviation(tmp_path: Path) -> None:
    import keras

    from trainables.models import backbones

    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    published = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    for layer in published.layers:
        if isinstance(layer, keras.layers.Normalization):  # the published files hold the deviation as variance
            layer.adapt_mean.assign(mean)
            layer.adapt_variance.assign(deviation)
    for suffix in ("b0_notop.h5", "b0.weights.h5"):
        path = tmp_path / suffix
        published.save(path) if suffix == "b0_notop.h5" else published.save_weights(path)
        model = backbones.build(backbones.find("EfficientNetB0"), (32, 32, 3), weights=path)
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
    from trainables.models import backbones

    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    other.save(tmp_path / "other.keras")
    (tmp_path / "page.h5").write_text("<html>404</html>")
    (tmp_path / "lite.pth").write_text("<html>404</html>")
    (tmp_path / "notes.txt").write_text("")
    for name, file in [
        ("EfficientNetLite0", "other.weights.h5"),
        ("EfficientNetLite0", "other.keras"),
        ("EfficientNetB0", "page.h5"),
        ("EfficientNetLite0", "lite.pth"),
        ("EfficientNetLite0", "notes.txt"),
        ("EfficientNetB0", "missing.h5"),
    ]:
        with pytest.raises(Fatal, match=file.split(".")[0]) as raised:
            backbones.build(backbones.find(name), (32, 32, 3), weights=tmp_path / file)
        assert "\n" not in str(raised.value), file


def test_residual_is_the_documents_network() -> None:
    import keras

    from trainables.models import residual

    model = residual.build({}, (64, 64, 3), 10, **STATISTICS)
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

    from trainables.models import residual

    model = residual.build({"conv_blocks": 1}, (16, 16, 3), 3, **STATISTICS)
    scaled = keras.Model(model.input, model.get_layer("standard_scaling").output)
    pixel = scaled(np.full((1, 16, 16, 3), 200, np.uint8))[0, 0, 0]
    np.testing.assert_allclose(pixel, [(200 - 130) / 70, (200 - 110) / 71, (200 - 95) / 72], rtol=1e-5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"conv_blocks": 0}, "conv_blocks is 0"),
        ({"conv_blocks": 5}, "conv_blocks is 5"),
        ({"filter_width": 0}, "filter_width is 0"),
        ({"dropout": 1.0}, "dropout is 1"),
        ({}, "image size is 8"),
    ],
)
def test_residual_refuses_what_cannot_be(config: dict[str, Any], message: str) -> None:
    from trainables.models import residual

    with pytest.raises(ValueError, match=message):
        residual.build(config, (8, 8, 3), 10, **STATISTICS)


@pytest.mark.parametrize("policy", ["mixed_bfloat16"])  # float32 is what every test of the learner saves and loads
def test_a_saved_model_loads_without_this_code(tmp_path: Path, policy: str) -> None:
    import subprocess
    import sys

    import keras

    from trainables.models import fine_tuned

    keras.config.set_dtype_policy(policy)
    try:
        config = {"backbone": "efficientnetlite0", "frozen_fraction": 0.6, "dropout": 0.3}
        model = fine_tuned.build(config, (32, 32, 3), 5, **STATISTICS)
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import keras, numpy as np\n"
        "model = keras.models.load_model('model.keras')\n"
        "np.save('probabilities.npy', model.predict(np.load('images.npy'), verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    expected = model.predict(images, verbose=0)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy"), expected, atol=1e-6)
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)
