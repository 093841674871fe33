"""The command of a row: what it keeps, what it drops, and that it trains the same trials again."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reporting.results.reproduce_command import reproduce
from tests.fixtures.simulated import SimulatedMachine, simulated_plan
from tests.fixtures.study import CONFIGS, example_events, write_study
from tuning.records.best_models import config_list
from tuning.records.study_record import read_study


def _command(tmp_path: Path, typed: str, arm: str = "fine_tuned", folds: int | None = None, **header: Any) -> list[str]:
    events = example_events()
    events[0] |= {"command": typed, "settings": {"folds": folds}, **header}
    study = write_study(tmp_path / "study", events)
    path = study / "winners" / arm / "config.json"
    path.parent.mkdir(parents=True)
    record = read_study(study)
    path.write_text(json.dumps(config_list(record, arm)))
    command = reproduce(record, arm, CONFIGS[arm])
    assert command is not None
    words = shlex.split(command)
    assert words[:4] == ["python", "cli.py", "tune", "food10"]
    assert "goes_on" in header or words[words.index("--configs") + 1] == str(path.resolve())
    assert json.loads(path.read_text()) == [{"arm": arm, **CONFIGS[arm], "epochs": 4, "seed": 1}]
    return words[4:]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("python cli.py tune food10", ""),
        ("python cli.py tune food10 --seed 7 --image-size 64 --gpus 2", "--seed 7 --image-size 64 --gpus 2"),
        ("python cli.py tune food10 --trials 40 --search=random --quiet --data '/my data'", "--data '/my data'"),
        (
            "python cli.py tune food10 --name first --confirm-seeds 3 --arms from_scratch,fine_tuned --sample",
            "--sample",
        ),
        # a setting of the other arm, of an axis this arm does not have, and of this one
        (
            "python cli.py tune food10 --set from_scratch.dropout=0 --set conv_blocks=4 --set batch_size=32",
            "--set batch_size=32",
        ),
        # one configuration is no K best, and what is kept beside a row changes none of its numbers
        ("python cli.py tune food10 --ensemble 3 --keep-epochs 2 --seed 7", "--seed 7"),
        ("python cli.py tune food10 --backbone VGG16 --space dropout=0..0.5 --epochs 9", ""),  # its config has neither
    ],
)
def test_what_decides_numbers_is_kept(tmp_path: Path, typed: str, kept: str) -> None:
    words = _command(tmp_path, typed)

    at = words.index("--arms")
    assert words[:at] == shlex.split(kept)
    assert words[at : at + 2] == ["--arms", "fine_tuned"]
    assert words[-2:] == ["--confirm-seeds", "3"]


def test_folds_say_themselves_how_often(tmp_path: Path) -> None:
    words = _command(tmp_path, "python cli.py tune food10 --folds 3", folds=3)

    assert "--folds" in words
    assert "--confirm-seeds" not in words


def test_what_went_on_goes_on_again_with_its_one_configuration(tmp_path: Path) -> None:
    typed = "python cli.py tune food10 --from a/b@3 --space learning_rate=1e-5..1e-3 --set dropout=0.1 --seed 7"
    words = _command(tmp_path, typed, goes_on={"from": "food10/a/b@3", "epoch": 3, "history": []})
    assert words[:6] == ["--from", "a/b@3", "--seed", "7", "--epochs", "4"]
    sets = [f"{name}={value}" for name, value in CONFIGS["fine_tuned"].items()]
    assert words[6:] == [word for text in sets for word in ("--set", text)] + ["--confirm-seeds", "3"]


def test_without_a_kept_configuration_or_a_command_line_there_is_none(tmp_path: Path) -> None:
    record = read_study(write_study(tmp_path / "study", example_events()))
    assert reproduce(record, "fine_tuned", CONFIGS["fine_tuned"]) is None
    (tmp_path / "study" / "winners" / "fine_tuned").mkdir(parents=True)
    (tmp_path / "study" / "winners" / "fine_tuned" / "config.json").write_text("[]")
    assert reproduce(record, "fine_tuned", CONFIGS["fine_tuned"]) is not None
    for other in ("benchmark", "python cli.py tune 'unclosed"):
        record.started = msgspec.structs.replace(record.header, command=other)
        assert reproduce(record, "fine_tuned", CONFIGS["fine_tuned"]) is None


def _confirmations(machine: SimulatedMachine, arm: str) -> list[dict[str, Any]]:
    """What the workers of an arm's confirmations are told, but for where they write."""
    told = []
    for spec in machine.specs:
        if spec.arm == arm and spec.role == "confirm":
            training = {**asdict(spec.training), "features": None, "freeze_points": None, "arm_epochs": None}
            told.append({**asdict(spec), "training": training, "checkpoint": None, "store": None})
    return told


def test_the_kept_configuration_is_confirmed_as_it_was(tmp_path: Path) -> None:
    """Through the real Search: a study, then what its command asks for; the confirmed trials are told the same."""
    first = SimulatedMachine(
        simulated_plan(tmp_path / "first", trials=6, max_epochs=4, confirm_seeds=2, seed=3), tmp_path
    )
    first.run()
    configs = tmp_path / "config.json"
    configs.write_text(json.dumps(config_list(first.record, "fast")))

    again = SimulatedMachine(
        simulated_plan(
            tmp_path / "again", trials=None, max_epochs=4, confirm_seeds=2, seed=3, arms=("fast",), configs=str(configs)
        ),
        tmp_path,
    )
    again.run()

    assert _confirmations(again, "fast") == _confirmations(first, "fast") != []
    assert [trial.best for trial in again.record.confirmed("fast")] == [
        trial.best for trial in first.record.confirmed("fast")
    ]
