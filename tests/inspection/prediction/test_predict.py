"""Answers in the images' order, whatever fails between them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from inspection.loading.best_model import InspectionError
from inspection.prediction.input_images import Picture
from inspection.prediction.predict import Answer, answers, rendered
from tests.fixtures.archives import encoded
from tests.fixtures.inspection import keep_pixels, keep_study

NAMES = ("churros", "dumplings", "sushi")


def picture(number: int) -> Picture:
    return Picture(name=f"{number}.png", pixels=np.full((2, 2, 3), number, np.uint8))


def by_value(batches: Iterable[np.ndarray]) -> np.ndarray:
    """Of three classes, the one that the pixels' value names, surely; the rest divided."""
    return np.concatenate([np.array([np.roll([0.8, 0.1, 0.1], image.flat[0]) for image in batch]) for batch in batches])


@pytest.mark.parametrize("batch", [1, 2, 3, 99])
def test_answers_stand_where_their_images_stood(batch: int) -> None:
    asked = [Picture(name="a", failure="bad"), picture(2), picture(0), Picture(name="b", failure="bad"), picture(1)]
    sizes = []

    def watched(batches: Iterable[np.ndarray]) -> np.ndarray:
        found = list(batches)
        sizes.extend(map(len, found))
        return by_value(found)

    found = list(answers(asked, watched, lambda outputs: NAMES, 1, batch))
    assert [one.image for one in found] == ["a", "2.png", "0.png", "b", "1.png"]
    assert [one.classes and one.classes[0] for one in found] == [
        (),
        ("sushi", 0.8),
        ("churros", 0.8),
        (),
        ("dumplings", 0.8),
    ]
    assert max(sizes) <= batch
    assert sum(sizes) == 3


def test_classes_come_by_probability_and_the_first_of_equals_first() -> None:
    (found,) = answers([picture(1)], by_value, lambda outputs: NAMES, 5, 4)
    assert found.classes == (("dumplings", 0.8), ("churros", 0.1), ("sushi", 0.1))
    with pytest.raises(InspectionError, match=r"3 outputs.* 2"):
        list(answers([picture(1)], by_value, lambda outputs: NAMES[:2], 5, 4))


SAID = [
    Answer(image='a, "b".png', classes=(("churros", 0.75), ("fish", 0.25))),
    Answer(image="c.png", failure="the file is empty"),
]


def test_formats_say_the_same() -> None:
    assert list(rendered(SAID, "text")) == ['a, "b".png', "  churros   75.00%", "  fish      25.00%"]
    assert json.loads("\n".join(rendered(SAID, "json"))) == [
        {
            "image": 'a, "b".png',
            "classes": [{"class": "churros", "probability": 0.75}, {"class": "fish", "probability": 0.25}],
        },
        {"image": "c.png", "error": "the file is empty"},
    ]
    rows = list(csv.reader(rendered(SAID, "csv")))
    assert rows[1:] == [['a, "b".png', "1", "churros", "0.75"], ['a, "b".png', "2", "fish", "0.25"]]
    assert json.loads("".join(rendered([], "json"))) == []


def ask(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.cli, ["predict", *arguments], prog_name="cli.py")
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_a_winner_without_keras_is_loaded_by_its_learner(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    keep_pixels(study / "winners" / "fine_tuned")
    for name, value in (("red.png", 103), ("dark.png", 98)):
        (tmp_path / name).write_bytes(encoded(np.full((30, 30, 3), value, np.uint8), "PNG"))
    (tmp_path / "empty.png").touch()
    files = [str(tmp_path / name) for name in ("red.png", "empty.png", "dark.png")]
    results = ("--results", str(tmp_path / "results"))
    status, output, errors = ask("food10", *files, "--top", "1", "--format", "csv", *results)
    assert status == 2
    assert errors.splitlines() == [
        "food10/example, fine_tuned: val_accuracy 0.9200 (best of 3 seeds) at 16 px",
        f"{files[1]}: the file is empty",
    ]
    rows = list(csv.reader(output.splitlines()))[1:]
    # Scores (0, x - 100): 1 / (1 + e^-3) and 1 / (1 + e^-2).
    assert [(row[0], row[2]) for row in rows] == [(files[0], "second"), (files[2], "first")]
    assert [float(row[3]) for row in rows] == pytest.approx([0.952574, 0.880797], abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["food10"], "no image is named"),
        (["food10", "x.png", "--top", "0"], "--top is 0"),
        (["--model", "vgg16", "x.png", "--arm", "sgd"], "--arm is a study's"),
        (["food10", "x.png", "--weights", "w.h5"], "--weights goes with --model"),
        (["--model", "resnet5", "x.png"], "unknown model 'resnet5'; did you mean ResNet50?"),
        (["food11", "x.png"], "no study 'food11'"),
        (["food10", "/nowhere/*.png"], "nothing matches /nowhere/*.png"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    status, _, errors = ask(*arguments, "--results", str(tmp_path))
    assert (status, errors.count("\n")) == (2, 1)
    assert message in errors
