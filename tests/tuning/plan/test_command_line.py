"""A command made of settings asks for the same settings."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
import commands.tune
from tuning.plan.command_line import tune_command, typed_command
from tuning.plan.settings import StudySettings

PLAIN = StudySettings(results=Path("/r"), data_dir=Path("/d"))
EVERYTHING = StudySettings(
    results=Path("/r"),
    data_dir=Path("/d"),
    sample=True,
    data="my birds/x.zip",
    allow_pickle=True,
    group_by="prefix",
    arms=("from_scratch", "pixels"),
    trials=7,
    epochs=9,
    confirm_seeds=2,
    folds=3,
    ensemble=4,
    goes_on_from="food10/first/from_scratch-0001@3",
    keep_epochs=2,
    configs="published",
    search="random",
    scheduler="none",
    seed=4,
    spaces=("learning_rate=1e-5..1e-2", "optimizer=adam,sgd"),
    sets=("batch_size=64",),
    metric="val_loss",
    augmentation="views=2",
    image_size=64,
    weights=Path("/w"),
    precision="mixed_bfloat16",
    gpus=2,
    gpus_per_trial=0.5,
    concurrent=3,
    feature_cache=0.0,
    address="auto",
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[StudySettings]:
    """What `tune` was asked for, by its own parser."""
    found: list[StudySettings] = []
    monkeypatch.setattr(commands.tune, "_tune", lambda task, settings, dry_run: found.append(settings))
    return found


@pytest.mark.parametrize("settings", [PLAIN, EVERYTHING])
def test_there_and_back(settings: StudySettings, asked: list[StudySettings]) -> None:
    recorded: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
        for name, value in asdict(settings).items()
    }
    line = tune_command("food10", recorded, "python cli.py tune food10 --results /r --data-dir /d")
    result = CliRunner().invoke(cli.cli, shlex.split(line)[2:])
    assert result.exit_code == 0, result.output
    assert asked == [replace(settings, results=Path("/r"), data_dir=Path("/d"))]


def test_every_setting_is_tried_there_and_back() -> None:
    plain = asdict(PLAIN)
    untried = {name for name, value in asdict(EVERYTHING).items() if value == plain[name]}
    assert untried == {"results", "data_dir", "name", "quiet"}


def test_what_was_typed_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["tune", "images", "--data", "/my birds [a]/it's", "--name", "cont 1"]
    monkeypatch.setattr("sys.argv", ["cli.py", *words])
    assert shlex.split(typed_command()) == ["python", "cli.py", *words]


def test_folders_that_nobody_typed_are_left_out() -> None:
    assert tune_command(
        "food10", {"results": "/r", "data_dir": "/d", "name": "first"}, "python cli.py tune food10"
    ) == ("python cli.py tune food10")


def test_a_change_takes_the_place_of_what_it_changes() -> None:
    settings = {"epochs": 5, "spaces": ["a.dropout=0..0.5", "learning_rate=1e-4..1e-2"], "confirm_seeds": 3}
    line = tune_command("t", settings, spaces=("a.dropout=0..0.75",), epochs=10, confirm_seeds=None, folds=5)
    assert line == (
        "python cli.py tune t --epochs 10 --folds 5 --space learning_rate=1e-4..1e-2 --space a.dropout=0..0.75"
    )
