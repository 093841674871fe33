"""The commands that open a user's own images: what they tell, and the options that their messages name."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cli
from tests.fixtures.own_images import folder, table

OPENING = {"tune": "--data", "datasets prepare": "--from", "datasets describe": "--from", "datasets features": "--from"}


def run(tmp_path: Path, words: list[str]) -> tuple[int, str, str]:
    words = [*words, "--data-dir", str(tmp_path / "data")]
    result = CliRunner().invoke(cli.cli, words, prog_name="cli.py")
    return result.exit_code, result.stdout, result.stderr


def options_of(command: str) -> set[str]:
    found: click.Command = cli.cli
    for word in command.split():
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return {option for parameter in found.params for option in parameter.opts if option.startswith("--")}


@pytest.mark.parametrize(
    "words",
    [
        ["tune", "images", "--dry-run", "--data"],
        ["datasets", "prepare", "images", "--from"],
        ["datasets", "describe", "images", "--picture", "{}/picture.png", "--from"],
    ],
    ids=["tune", "prepare", "describe"],
)
def test_what_is_passed_over_is_told(tmp_path: Path, words: list[str]) -> None:
    location = folder(tmp_path / "birds", {"wren": 10, "robin": 10})
    (location / "wren" / "x.heic").touch()
    status, printed, errors = run(tmp_path, [word.format(tmp_path) for word in words] + [str(location)])
    assert status == 0, errors
    notice = "note: 1 file passed over, no readable image (.heic: 1): wren/x.heic\n"
    assert printed.count(notice) == 1


BAD = {
    "nothing": lambda root: root / "nowhere",
    "a flat folder": lambda root: folder(root, {"flat": 3}) / "flat",
    "one class": lambda root: folder(root, {"a": 3}),
    "nested": lambda root: folder(root, {"a/x": 3, "b/x": 3}),
    "an empty class": lambda root: folder(root, {"a": 10, "b": 0}),
    "too few": lambda root: folder(root, {"a": 10, "b": 2}),
    "half a split": lambda root: folder(root, {"train/a": 3, "train/b": 3, "c": 3}),
    "a table without labels": lambda root: table(folder(root, {"p": 1}) / "t.csv", ["p/000.png,1"], "path,number"),
    "a column that may be the split": lambda root: table(
        folder(root, {"p": 2}) / "t.csv", ["p/000.png,a,1", "p/001.png,b,2"], "path,label,fold"
    ),
}


@pytest.mark.parametrize("command", OPENING)
@pytest.mark.parametrize("kind", BAD)
def test_messages_name_only_options_that_the_command_has(tmp_path: Path, command: str, kind: str) -> None:
    place = BAD[kind](tmp_path / "in")
    status, _, errors = run(tmp_path, [*command.split(), "images", OPENING[command], str(place)])
    assert status == 2
    assert errors.count("\n") == 1
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", errors)) <= options_of(command), errors


@pytest.mark.parametrize("command", OPENING)
def test_a_path_in_place_of_a_task_is_shown_the_way(tmp_path: Path, command: str) -> None:
    option = OPENING[command]
    birds = folder(tmp_path / "my birds", {"wren": 10, "robin": 10})
    for place in (birds, table(tmp_path / "t.csv", []), tmp_path / "gone" / "birds"):
        status, _, errors = run(tmp_path, [*command.split(), str(place)])
        assert status == 2
        shown = f"'{place}'" if " " in str(place) else str(place)
        assert f"python cli.py {command} images {option} {shown}" in errors
        assert errors.count("\n") == 1
    assert "unknown task 'food11'; did you mean food10?" in run(tmp_path, [*command.split(), "food11"])[2]


def test_one_arm_needs_no_name_in_a_list_of_configurations(tmp_path: Path) -> None:
    listed = tmp_path / "configs.json"
    listed.write_text('[{"C": 1, "pooled_side": 8, "epochs": 2}, {"arm": "pixels", "C": 2, "pooled_side": 8}]')
    words = ["tune", "food10", "--sample", "--dry-run", "--configs", str(listed), "--arms"]
    status, printed, errors = run(tmp_path, [*words, "pixels"])
    assert status == 0, errors
    assert "pixels: 2 trials" in printed
    status, _, errors = run(tmp_path, [*words, "pixels,fine_tuned"])
    assert status == 2
    assert "entry 1 has no arm" in errors
