"""The list of layers, its picture, and the command."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageChops

import cli
from inspection.explanation.architecture_diagram import MOST_BOXES, boxes, draw
from inspection.explanation.model_summary import Layer, Listing, layers_text, of_arm


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.cli, ["layers", *arguments], prog_name="cli.py")
    return result.exit_code, result.stdout, result.stderr


def rows(text: str) -> dict[str, list[str]]:
    """Cells, which are two spaces apart at least, by the layer's name."""
    found = [[cell for cell in re.split(r"\s{2,}", line.strip()) if cell] for line in text.splitlines()]
    return {cells[1]: cells for cells in found if len(cells) > 3 and cells[0].isdigit()}


def chain(*layers: tuple[str, str, int | None, int | None], backbone_layers: int = 0) -> Listing:
    """Layers by name, kind, block and prefix, each reading the one before."""
    made: list[Layer] = []
    for number, (name, kind, block, prefix) in enumerate(layers):
        reads = (made[-1].name,) if made else ()
        made.append(
            Layer(
                index=number,
                name=name,
                kind=kind,
                shape=(8, 8, 4),
                parameters=10,
                reads=reads,
                block=block,
                prefix=prefix,
                ends_block=prefix is not None,
            )
        )
    return Listing(title="a network, 8 px", layers=tuple(made), backbone_layers=backbone_layers)


def test_the_hand_written_network_has_layers_too() -> None:
    listing = of_arm("digits, mine", "numpy_network", {"hidden_layers": "25-20"}, 8, 10)
    assert [layer.parameters for layer in listing.layers] == [0, 64 * 25 + 25, 25 * 20 + 20, 20 * 10 + 10]
    text = layers_text(listing)
    assert text.startswith("digits, mine: hidden_layers 25-20, 8 px, 10 classes\n")
    assert rows(text)["hidden_2"] == ["2", "hidden_2", "Dense 20, ReLU", "20", "520"]
    assert "4 layers, 2,355 parameters." in text
    assert "Freeze" not in text  # nothing of it can be


def test_few_layers_are_drawn_each_and_many_by_block_or_name() -> None:
    few = chain(("images", "InputLayer", None, None), ("conv", "Conv2D 3x3", None, None))
    assert [(box.name, box.contents, box.sort) for box in boxes(few)] == [
        ("images", "InputLayer", "other"),
        ("conv", "Conv2D 3x3", "convolution"),
    ]
    blocks = [
        (f"b{block}_{number}", "Conv2D 3x3" if number else "ReLU", block, 1 + 10 * (block + 1) if number == 9 else None)
        for block in range(5)
        for number in range(10)
    ]
    many = chain(
        ("images", "InputLayer", None, None), *blocks[:-1], ("b4_9", "Conv2D", 4, 51), ("logits", "Dense 3", None, None)
    )
    backbone = Listing(title="", layers=many.layers, backbone_layers=51)
    assert [box.name for box in boxes(backbone)] == ["images", *(f"to b{block}_9" for block in range(5)), "logits"]
    assert boxes(backbone)[1].contents == "10 layers: 9 convolutions"
    assert sum(len(box.layers) for box in boxes(backbone)) == len(many.layers)  # each once
    units = [
        (f"stage{stage}_unit{unit}_{part}", "Conv2D 3x3", None, None)
        for stage in range(3)
        for unit in range(9)
        for part in range(3)
    ]
    named = boxes(chain(("images", "InputLayer", None, None), *units))
    assert [box.name for box in named[:3]] == ["images", "stage0_unit0", "stage0_unit1"]
    assert len(named) == 1 + 27 <= MOST_BOXES


def test_a_sum_names_what_else_it_reads(tmp_path: Path) -> None:
    """A residual block: `sum` reads the layer before it, and `stem` beside it; `side` reads `stem` alone."""
    listing = chain(*((name, "Conv2D 3x3", None, None) for name in ("stem", "conv", "sum", "side")))
    stem, conv, total, side = listing.layers
    layers = (stem, conv, replace(total, reads=("conv", "stem")), replace(side, reads=("stem",)))
    plain, residual = tmp_path / "plain.png", tmp_path / "residual.png"
    draw(listing, plain)
    draw(replace(listing, layers=layers), residual)
    with Image.open(plain) as first, Image.open(residual) as second:
        assert first.size == second.size
        assert ImageChops.difference(first.convert("L"), second.convert("L")).getbbox() is not None


def test_the_picture_is_legible_where_it_is_drawn(tmp_path: Path) -> None:
    """900 pixels for three columns: at 800, letters of 8 points are 10 pixels high."""
    path = tmp_path / "picture.png"
    draw(chain(*((f"layer{number}", "Conv2D 3x3", None, None) for number in range(30))), path)
    with Image.open(path) as image:
        assert image.width == 900
        assert image.height > 10 * 0.7 * 100  # ten boxes in a column
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 20
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Xcepton"], "unknown task or backbone 'Xcepton'; did you mean Xception?"),
        (["food11"], "did you mean food10?"),
        (["VGG16", "--arm", "x"], "--arm and --set are a task's, but VGG16 is a backbone; leave them out"),
        (["food10", "--arm", "from_scrach"], "unknown arm of food10 'from_scrach'; did you mean from_scratch?"),
        (["food10", "--arm", "pixels"], "--arm is pixels, which is no network; name one of from_scratch, fine_tuned"),
        (["food10", "--set", "conv_block=3"], "did you mean conv_blocks?"),
        (["food10", "--set", "conv_blocks"], "must look like name=value"),
        (["food10", "--image-size", "0"], "'--image-size'"),
        (["food10", "--picture", "nowhere/x.png"], "--picture is nowhere/x.png, but there is no folder"),
        ([], "Missing argument 'TASK|BACKBONE'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    status, _, errors = invoke(*arguments)
    assert (status, errors.count("\n")) == (2, 1)
    assert errors.startswith("Error: ")
    assert message in errors


@pytest.mark.slow
def test_vgg16_counts_as_document_2_does(tmp_path: Path) -> None:
    """Its layers[15:] begin with block5_conv1: the input counts, our own preprocessing does not."""
    status, printed, errors = invoke("vgg16", "--image-size", "32", "--picture", str(tmp_path / "vgg16.png"))
    assert (status, errors) == (0, "")
    found = rows(printed)
    assert found["images"][0] == "0"
    assert found["block1_conv1"] == ["1", "block1_conv1", "Conv2D 3x3", "32 x 32 x 64", "1,792"]
    assert found["block4_pool"][0] == "14"
    assert found["block4_pool"][-1] == "frozen_layers=15 (0.789)"
    assert found["block5_conv1"][0] == "15"
    assert "blue_green_red_centred" not in found  # it has no index
    assert "20 layers, 14,714,688 parameters." in printed
    assert (tmp_path / "vgg16.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EfficientNetB0", pytest.param("InceptionV3", marks=pytest.mark.nightly)])
def test_indices_are_those_of_keras_applications(name: str) -> None:
    import keras

    from inspection.explanation.model_summary import of_backbone
    from trainables.models.backbones import builder

    side = builder.find(name).minimum_side
    published = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3))
    listing = of_backbone(name, side)
    kinds = [layer.kind.split()[0] for layer in listing.layers if layer.index is not None]
    assert kinds == [type(layer).__name__ for layer in published.layers]
    last = listing.layers[-1]
    # weights="imagenet" has one layer more than weights=None in EfficientNet
    assert last.index == listing.backbone_layers - 1 == len(published.layers) - (name != "EfficientNetB0")
    assert last.prefix == listing.backbone_layers


@pytest.mark.slow
def test_what_the_list_proposes_freezes_what_it_says() -> None:
    from inspection.explanation.model_summary import of_backbone
    from trainables.models.backbones import builder
    from trainables.models.families import fine_tuned
    from trainables.models.parts.built_network import Network, frozen_blocks

    listing = of_backbone("EfficientNetLite0", 32)
    backbone = builder.find("EfficientNetLite0")
    body = builder.build(backbone, (32, 32, 3), weights="random")
    blocks = fine_tuned.freezable_blocks(backbone, body, body.output)
    network = Network(model=body, blocks=blocks, layers=backbone.layers)
    ends = [layer for layer in listing.layers if layer.prefix is not None]
    assert len(ends) == len(blocks) == 18
    for number, layer in enumerate(ends, start=1):
        assert layer.prefix is not None
        assert frozen_blocks(network, {"frozen_layers": layer.prefix}) == number
        assert frozen_blocks(network, {"frozen_fraction": round(listing.fraction(layer.prefix), 3)}) == number


@pytest.mark.slow
def test_an_arm_is_listed_with_its_constants_and_first_choices() -> None:
    status, printed, errors = invoke("food10", "--set", "conv_blocks=3", "--image-size", "32")
    assert (status, errors) == (0, "")
    assert printed.splitlines()[0] == "food10, from_scratch: conv_blocks 3, filter_width 1, 32 px, 10 classes"
    found = rows(printed)
    assert "block3_sum" in found
    assert "block4_sum" not in found
    status, printed, _ = invoke("flowers17", "--arm", "surgery", "--image-size", "32")
    assert status == 0
    assert rows(printed)["block5_conv1"][0] == "15"
    # Three convolutions of 3 x 3 x 512 to 512; one pixel of 512 maps to 256 units, those to 17 classes.
    learns = 3 * (9 * 512 + 1) * 512 + (512 + 1) * 256 + (256 + 1) * 17
    assert f"what comes after block4_pool learns: {learns:,} parameters." in printed
    status, _, errors = invoke("food10", "--image-size", "4")
    assert (status, errors) == (2, "Error: image size is 4, but must be at least 8 pixels\n")
