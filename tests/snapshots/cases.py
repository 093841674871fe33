"""The commands whose output is kept, and how it is made comparable. `python -m tests.snapshots.cases` writes them."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

import cli

FOLDER = Path(__file__).parent
STUDIES = FOLDER.parent / "studies" / "v0.1"
TUNE = ("tune", "food10", "--sample", "--dry-run")
LISTED = ("tune", "food10", "--sample", "--arms", "pixels,fine_tuned", "--configs")

# File by file, the command lines; {results} and {data} are folders of the test, {configs} one of its files.
CASES: dict[str, list[tuple[str, ...]]] = {
    "tasks": [("tasks",), ("tasks", "--names")],
    "tune_plan": [
        TUNE,
        ("tune", "food10", "--dry-run", "--trials", "27", "--arms", "fine_tuned", "--set", "optimizer=sgd"),
        ("tune", "food10", "--dry-run", "--arms", "fine_tuned,pixels", "--augmentation", "views=8"),
        ("tune", "food10", "--dry-run", "--arms", "pretrained_on_food", "--backbone", "VGG16", "--folds", "4"),
        ("tune", "boxes", "--dry-run", "--scheduler", "none", "--ensemble", "3"),
        ("tune", "food10", "--dry-run", "--configs", "published"),
    ],
    "tune_refusals": [
        ("tune",),
        ("tune", "food11"),
        ("tune", "food10", "--gpu", "2"),
        ("tune", "food10", "--data", "/nowhere.tar.gz"),
        ("tune", "images"),
        ("tune", "images", "--data", "/nowhere"),
        ("tune", "images", "--data", "https://example.org/birds.zip"),
        ("tune", "images", "--sample", "--configs", "published"),
        ("tune", "boxes", "--sample", "--augmentation", "live"),
        ("tune", "boxes", "--sample", "--metric", "val_accuracy"),
        ("tune", "boxes", "--sample", "--metric", "val_io"),
        ("tune", "boxes", "--sample", "--arms", "frozen,pixels"),
        ("tune", "dogs_vs_cats", "--sample", "--set", "head=box"),
        *(
            ("tune", "food10", "--sample", *words.split(" "))
            for words in (
                "--arms from_scrach",
                "--arms pixels,pixels",
                "--arms ",
                "--set learning_rat=1",
                "--set from_scratch.frozen_fraction=1",
                "--set backbone=VGG",
                "--set batch_size",
                "--space learning_rate=1e-5...1e-2",
                "--space dropout=0..2",
                "--space optimizer=1..2",
                "--trials 0",
                "--trials many",
                "--epochs -1",
                "--confirm-seeds -1",
                "--trials 2 --ensemble 3",
                "--folds 1",
                "--folds 3 --confirm-seeds 2",
                "--arms pretrained_on_food --space backbone=VGG16,ResNet50",
                "--image-size 4",
                "--seed -1",
                "--gpus 2 --gpus-per-trial 0",
                "--gpus-per-trial 0.5",
                "--metric accuracy",
                "--search tpe",
                "--scheduler median",
                "--configs ",
                "--configs /nowhere.json",
                "--configs published --trials 3",
                "--name ../x",
                "--weights /nowhere.h5",
                "--arms pixels --weights README.md",
                "--augmentation views=0",
                "--augmentation views=101",
                "--augmentation views=abc",
                "--augmentation views=²",
                "--augmentation views",
                "--augmentation blur",
                "--feature-cache -1",
                "--feature-cache nan",
                "--group-by prefix",
                "--allow-pickle",
                "--from nothing/x@1",
            )
        ),
        *(
            (*LISTED, f"{{configs}}{content}")
            for content in (
                "{",
                "{}",
                "[]",
                "[1]",
                '[{"arm": "fine_tunes"}]',
                '[{"arm": "pixels", "C": 1, "colour": 3}]',
                '[{"arm": "pixels", "C": -1, "pooled_side": 8}]',
                '[{"arm": "pixels", "C": 1}]',
                '[{"arm": "pixels", "C": 1, "pooled_side": 8, "epochs": 0}]',
                '[{"arm": "pixels", "C": 1, "pooled_side": 8, "seed": 4294967296}]',
            )
        ),
    ],
    "summarize": [("summarize", "food10"), ("summarize", "digits"), ("summarize", "nothing")],
    "runs": [
        ("runs", "food10"),
        ("runs", "food10", "--where", "optimizer=adam and val_accuracy>0.3", "--sort", "-val_accuracy"),
        ("runs", "food10", "--where", "val_acc > 0.5"),
        ("runs", "food10", "--where", "val_accuracy >"),
    ],
    "report": [("report", "digits")],
    "evaluate": [("evaluate", "animals"), ("evaluate", "animals", "--arm", "shallow")],
    "ensemble": [("ensemble", "food10", "--top", "2"), ("ensemble", "food10", "--top", "9")],
    "backbones": [("backbones",)],
}


def printed(case: tuple[str, ...], folder: Path) -> str:
    """Return a command with its exit status and what it prints, without what differs between machines."""
    configs = folder / "configs.json"
    shown = " ".join(word or "''" for word in case)
    words = list(case)
    if words[-1].startswith("{configs}"):
        configs.write_text(words[-1].removeprefix("{configs}"))
        words[-1] = str(configs)
    if words[0] in ("tune", "summarize", "runs", "report", "evaluate", "ensemble"):
        words += ["--results", str(folder / "results")]
    if words[0] in ("tune", "backbones"):
        words += ["--data-dir", str(folder / "data")]
    done = CliRunner().invoke(cli.cli, words, prog_name="cli.py", env={"COLUMNS": "120"})
    text = f"{done.stdout}{done.stderr}".replace(str(folder), "FOLDER")
    text = re.sub(r"\d{4}-\d\d-\d\d-\d{6}", "TIME", text)
    text = re.sub(r"(?m)^machine .*$", "machine   MACHINE", text)
    text = re.sub(r"\d+\.\d+ MB", "SIZE MB", text)
    return f"$ {shown}\n{text.rstrip()}\n[exit status {done.exit_code}]\n"


def snapshot(name: str, folder: Path) -> str:
    """Return what a file of snapshots should hold. folder: an empty one, for studies and stores."""
    if not (folder / "results").exists():
        shutil.copytree(STUDIES, folder / "results")
    return "\n".join(printed(case, folder) for case in CASES[name])


def path(name: str) -> Path:
    return FOLDER / f"{name}.txt"


def written() -> Iterator[str]:
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path(name).write_text(snapshot(name, Path(folder).resolve()))
        yield name


if __name__ == "__main__":
    print(*written())
