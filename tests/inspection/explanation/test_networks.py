"""What is read from a saved network itself: answers, heat maps, blocks, exports. TensorFlow is imported once."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_sample_images

import cli
from inspection.loading.best_model import InspectionError, winner
from tests.fixtures.archives import encoded
from tests.fixtures.inspection import keep_predictions, keep_study

pytestmark = pytest.mark.slow
STATISTICS = {"channel_mean": (120.0, 110.0, 100.0), "channel_std": (60.0, 61.0, 62.0)}
# Two maps, the red and the green channel; three classes.
WEIGHTS = np.array([[1.0, 0.0, -1.0], [0.0, 2.0, -1.0]], np.float32)


def known_network(ending: str, weights: np.ndarray = WEIGHTS) -> Any:
    """A 1x1 convolution that lets red and green through, the mean of each map, a dense layer."""
    import keras

    from inspection.loading.silence_tensorflow import start_tensorflow
    from trainables.models.parts import heads

    start_tensorflow()
    images = keras.Input((4, 4, 3), dtype="uint8")
    x = keras.layers.Rescaling(1.0, dtype="float32")(images)
    convolution = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")
    x = keras.layers.GlobalAveragePooling2D()(convolution(x))
    if ending == "sigmoid":
        dense, x = None, heads.decide(x, 2)
    elif ending == "softmax layer":
        dense = keras.layers.Dense(weights.shape[1])
        x = keras.layers.Softmax()(dense(x))
    else:
        dense = keras.layers.Dense(weights.shape[1], activation="softmax")
        x = dense(x)
    network = keras.Model(images, x, name="known")
    convolution.kernel.assign([[[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]])
    dense = dense or network.get_layer("logit")
    dense.kernel.assign(weights)
    return network


def red_and_green() -> np.ndarray:
    """Two images: the first redder, with a gradient from left to right; the second greener."""
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[0, :, :, 0] = [0, 1, 2, 5]
    images[1, :, :, 1] = np.array([[0], [1], [2], [4]])
    images[1, :, :, 0] = 1
    return images


@pytest.mark.parametrize("ending", ["softmax layer", "fused softmax"])
def test_a_heat_map_by_hand(ending: str) -> None:
    from inspection.explanation.grad_cam import grad_cam

    found = grad_cam(known_network(ending), red_and_green(), heat=["maps"], maps=["maps"])
    # Means (2, 0) and (1, 1.75): logits (2, 0, -2) and (1, 3.5, -2.75).
    assert found.explained.tolist() == [0, 1]
    np.testing.assert_array_equal(found.maps["maps"][..., 0], red_and_green()[..., 0])
    # The gradient by each of 16 places is weight / 16, and so is its mean: heat is red / 16, and green * 2 / 16.
    expected = np.stack([red_and_green()[0, :, :, 0] / 16, red_and_green()[1, :, :, 1] / 8])
    np.testing.assert_allclose(found.heat["maps"], expected, rtol=1e-6)


def test_what_speaks_against_a_class_is_not_hot() -> None:
    """The class with the largest bias, though every map speaks against it."""
    from inspection.explanation.grad_cam import grad_cam

    network = known_network("softmax layer", np.array([[-1.0, 0.0], [-1.0, 0.0]]))
    network.layers[-2].bias.assign([100.0, 0.0])
    found = grad_cam(network, red_and_green(), heat=["maps"])
    assert found.explained.tolist() == [0, 0]
    assert found.heat["maps"].max() == 0


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_both_classes_of_one_sigmoid_unit_have_heat(weight: float) -> None:
    """The first class's logit is the constant 0: its own gradient would show nothing."""
    from inspection.explanation.grad_cam import grad_cam

    found = grad_cam(known_network("sigmoid", np.array([[weight], [0.0]])), red_and_green(), heat=["maps"])
    assert found.explained.tolist() == [int(weight > 0)] * 2
    np.testing.assert_allclose(found.heat["maps"], red_and_green()[..., 0] / 16, rtol=1e-6)


def test_the_gradient_flows_through_a_whole_backbone() -> None:
    """Every block of a fine-tuned network has heat that differs from place to place; rows of answers sum to 1."""
    from inspection.explanation.feature_map_layers import block_ends, check_layers, default_layers, maps_layers
    from inspection.explanation.grad_cam import grad_cam
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import BuildSpec

    config = {"backbone": "EfficientNetLite0", "frozen_fraction": 0.6}
    network = fine_tuned.build(BuildSpec(config, (64, 64, 3), 5, **STATISTICS)).model
    ends = block_ends(network)
    assert list(ends) == ["stem", *(f"block{number}" for number in range(16)), "top"]
    assert (ends["block2"], ends["top"]) == ("block2_add", "top_activation")
    heat = default_layers(network)
    assert heat == ["top_activation", "block10_add", "block4_add", "block2_add"]
    assert [maps_layers(network)[name][0] for name in heat] == [2, 4, 8, 16]
    images = np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
    found = grad_cam(network, images, heat=[*heat, "block0_project_bn"])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    for name, maps in found.heat.items():
        assert maps.shape == (10, *maps_layers(network)[name])
        assert maps.std(axis=(1, 2)).max() > 0
    with pytest.raises(InspectionError, match=r"no feature maps named 'top_activatoin'; did you mean top_activation\?"):
        check_layers(network, ["top_activatoin"])


def test_blocks_of_networks_whose_names_say_less() -> None:
    import keras

    from inspection.explanation.feature_map_layers import block_ends
    from trainables.models.families import minigooglenet, plain_cnn, preact_resnet, small_resnet
    from trainables.models.parts.built_network import BuildSpec

    network = small_resnet.build(BuildSpec({"conv_blocks": 2}, (32, 32, 3), 4, **STATISTICS)).model
    assert block_ends(network) == {"stem": "stem_activation", "block1": "block1_sum", "block2": "block2_sum"}
    inceptions = block_ends(minigooglenet.build(BuildSpec({}, (32, 32, 3), 10, **STATISTICS)).model)
    assert len(inceptions) == 11
    assert inceptions["stage2_down"] == "stage2_down_concatenation"
    units = block_ends(
        preact_resnet.build(BuildSpec({"stages": "1-2", "filters": "8-8-16"}, (32, 32, 3), 10, **STATISTICS)).model
    )
    assert list(units) == ["stem", "stage1_unit1", "stage2_unit1", "stage2_unit2", "end"]
    assert units["stage2_unit2"] == "stage2_unit2_sum"
    plain = plain_cnn.build(BuildSpec({}, (32, 32, 3), 43, **STATISTICS)).model
    convolutions = [layer.name for layer in plain.layers if isinstance(layer, keras.layers.Conv2D)]
    assert list(block_ends(plain)) == convolutions
    images = keras.Input((8, 8, 3))
    flat = keras.Model(images, keras.layers.Dense(2)(keras.layers.Flatten()(images)), name="flat")
    with pytest.raises(InspectionError, match="flat has no convolution"):
        block_ends(flat)


@pytest.mark.parametrize(("name", "blocks", "last"), [("Xception", 14, None), ("ResNet50", 17, "conv5_block3_out")])
def test_blocks_of_keras_applications(name: str, blocks: int, last: str | None) -> None:
    import keras

    from inspection.explanation.feature_map_layers import block_ends

    network = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(96, 96, 3))
    ends = list(block_ends(network).values())
    assert len(ends) == blocks
    if last:
        assert ends[-1] == last
    else:  # eleven blocks in the middle end in sums that Keras named, and one before them
        assert sum(isinstance(network.get_layer(end), keras.layers.Add) for end in ends) == 12


def small_network() -> Any:
    import keras

    from inspection.loading.silence_tensorflow import start_tensorflow

    start_tensorflow()
    keras.utils.set_random_seed(3)
    images = keras.Input((16, 16, 3), dtype="uint8", name="images")
    x = keras.layers.Rescaling(1 / 255, dtype="float32")(images)
    x = keras.layers.Conv2D(4, 3, strides=2, name="block1_conv")(x)
    x = keras.layers.BatchNormalization(name="block1_normalization")(x)
    x = keras.layers.Conv2D(4, 3, name="block2_conv")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, keras.layers.Softmax()(keras.layers.Dense(2, name="logits")(x)), name="small")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The winner of fine_tuned is a small network, from_scratch's a logistic regression."""
    from inspection.loading.load_model import classifier

    home = tmp_path_factory.mktemp("home")
    kept = keep_study(home / "results", home / "data", learner="keras_learner")
    network = small_network()
    folder = kept / "winners" / "fine_tuned"
    network.save(folder / "model.keras")
    test = winner(kept).images("test", "a test")
    keep_predictions(folder, home / "data", classifier(network)(test.batches(32)))
    return kept


def run(study: Path, command: str, *arguments: str) -> tuple[int, list[str], list[str]]:
    results = ("--results", str(study.parents[1]))
    done = CliRunner().invoke(cli.cli, [command, "food10", *arguments, *results], prog_name="cli.py")
    return done.exit_code, done.stdout.splitlines(), done.stderr.splitlines()


def test_test_images_files_get_the_stored_predictions(study: Path, tmp_path: Path) -> None:
    """The same pixels bit for bit (tests/inspection/prediction/test_input_images.py).

    The same answers but for the order of sums.
    """
    from datasets.dataset import silent
    from inspection.loading.load_model import load_classifier
    from inspection.prediction.input_images import read, seen_by
    from tests.fixtures.inspection import pictures

    chosen = winner(study)
    with np.load(chosen.paths.folder / "test_predictions.npz") as file:
        stored = dict(zip(file["names"].tolist(), file["probabilities"], strict=True))
    with pictures().images(None, tmp_path, silent) as sources:
        files = {one.name: tmp_path / one.name.replace("/", "-") for one in sources if one.name in stored}
        for one in sources:
            if one.name in files:
                files[one.name].write_bytes(one.read())
    seen = [picture.pixels for picture in read([str(path) for path in files.values()], seen_by(chosen))]
    predict = load_classifier(chosen)
    one_by_one = np.concatenate([predict([square[None]]) for square in seen if square is not None])
    np.testing.assert_allclose(one_by_one, np.stack([stored[name] for name in files]), rtol=0, atol=1e-6)
    # In the batch that they were tested in, and in its order, nothing differs at all.
    again = load_classifier(chosen)(chosen.images("test", "a test").batches(32))
    np.testing.assert_array_equal(again, np.stack(list(stored.values())))


def test_explain_draws_validation_images_and_leaves_the_test_split_closed(study: Path, tmp_path: Path) -> None:
    before = (study / "events.jsonl").read_bytes()
    status, output, _ = run(study, "explain")
    assert status == 0
    assert [Path(line).name for line in output] == ["grad_cam.png", "01_block1.png", "02_block2.png"]
    for line in output:
        with Image.open(line) as sheet:
            assert sheet.width > 500
    assert list((study / "tensorboard" / "explain-fine_tuned").glob("events*"))
    assert (study / "events.jsonl").read_bytes() == before
    picture, empty = tmp_path / "a.png", tmp_path / "empty.png"
    picture.write_bytes(encoded(np.zeros((20, 20, 3), np.uint8), "PNG"))
    empty.touch()
    status, output, errors = run(study, "explain", str(picture), str(empty), "--out", str(tmp_path / "out"))
    assert (status, len(output), errors[-1]) == (2, 3, f"{empty}: the file is empty")
    assert (tmp_path / "out" / "fine_tuned" / "grad_cam.png").is_file()
    status, _, errors = run(study, "explain", "--layers", "block1_con")
    assert (status, len(errors)) == (2, 2)
    assert "did you mean block1_conv?" in errors[-1]


@pytest.mark.parametrize("form", ["keras", "saved_model", "tflite"])
def test_exports_answer_as_the_winner_does(study: Path, tmp_path: Path, form: str) -> None:
    from inspection.prediction.export import TOLERANCE

    out = tmp_path / {"keras": "x.keras", "saved_model": "x", "tflite": "x.tflite"}[form]
    status, output, errors = run(study, "export", "--to", form, "--out", str(out))
    assert (status, output) == (0, [str(out)]), errors
    images = winner(study).images("val")
    answers = importlib.import_module(f"inspection.prediction.exports.{form}").run(out)(next(iter(images.batches(5))))
    expected = np.asarray(small_network()(next(iter(images.batches(5)))))
    np.testing.assert_allclose(answers, expected, atol=TOLERANCE)
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name]
    status, _, errors = run(study, "export", "--to", form, "--out", str(out))
    assert (status, len(errors)) == (2, 1)
    assert "exists; remove it" in errors[0]


def test_an_export_that_answers_otherwise_is_not_kept(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def wrong(path: Path) -> Any:
        return lambda images: np.full((len(images), 2), 0.5, np.float32)

    monkeypatch.setattr("inspection.prediction.exports.keras.run", wrong)
    status, _, errors = run(study, "export", "--to", "keras")
    assert status == 2
    assert "probabilities differ" in errors[0]
    assert not list((study / "exports").iterdir())
    status, _, errors = run(study, "export", "--to", "keras", "--arm", "from_scratch")
    assert (status, len(errors)) == (2, 1)
    assert "no Keras network" in errors[0]


def test_a_damaged_winner_is_one_line(study: Path, tmp_path: Path) -> None:
    from inspection.loading.load_model import load_network

    path = tmp_path / "model.keras"
    path.write_bytes((study / "winners" / "fine_tuned" / "model.keras").read_bytes()[:500])
    with pytest.raises(InspectionError, match="no Keras model") as raised:
        load_network(path)
    assert "\n" not in str(raised.value)


def photographs() -> Iterable[bytes]:
    return (encoded(image, "PNG") for image in load_sample_images().images)


def test_imagenets_names_for_two_photographs() -> None:
    """china.jpg and flower.jpg: classes 698, 442, 663, 483, 975 and 985, 947, 309, 108, 310."""
    from inspection.prediction import imagenet

    name, seen, predict = imagenet.load("efficientnetLITE0", None)
    assert name == "EfficientNetLite0"
    answers = predict([np.stack([seen.square(photograph) for photograph in photographs()])])
    best = np.argsort(-answers, axis=1)[:, :5]
    assert best.tolist() == [[698, 442, 663, 483, 975], [985, 947, 309, 108, 310]]
    assert [imagenet.class_names()[place] for place in best.flat] == [
        *("palace", "bell cote", "monastery", "castle", "lakeside"),
        *("daisy", "mushroom", "bee", "sea anemone", "ant"),
    ]
