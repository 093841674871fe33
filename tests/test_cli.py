"""The door: what a user types, and the one line they get for what cannot be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cli
from errors import PodiumError, arg
from tests.snapshots.cases import CASES

CHECKOUT = Path(__file__).resolve().parents[1]


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.cli, list(arguments), prog_name="cli.py")
    return result.exit_code, result.stdout, result.stderr


def refuse(tmp_path: Path, *arguments: str) -> str:
    """The one line of a refusal; nothing may lie on disk after it."""
    status, _, errors = invoke(*arguments, "--results", str(tmp_path / "results"), "--data-dir", str(tmp_path / "data"))
    assert status == 2, errors
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
    assert not list((tmp_path / "results").rglob("events.jsonl"))
    return errors


# Their texts: tests/snapshots/tune_refusals.txt.
REFUSED = [case for case in CASES["tune_refusals"] if case != ("tune",) and not case[-1].startswith("{configs}")]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_bad_input_is_one_line_and_status_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The line has the option or the value at fault; nothing lies on disk after it."""
    message = refuse(tmp_path, *words, "--quiet")
    named = [word for word in words[1:] if word not in ("--sample", "")]
    assert any(word.partition("=")[2] in message or word.partition("=")[0] in message for word in named)


def test_a_group_alone_shows_its_help_and_a_wrong_option_before_it_is_one_line() -> None:
    status, _, errors = invoke("datasets")
    assert status == 2
    assert errors.startswith("Usage: cli.py datasets")
    assert "\n  prepare " in errors
    assert invoke("--sample") == (2, "", "Error: No such option '--sample'.\n")


def test_a_list_of_configurations_that_nests_without_end(tmp_path: Path) -> None:
    path = tmp_path / "configs.json"
    path.write_text("[" * 100_000)
    assert str(path) in refuse(tmp_path, "tune", "food10", "--sample", "--configs", str(path))


def test_a_results_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    status, _, errors = invoke("tune", "food10", "--sample", "--results", str(tmp_path / "results" / "x"))
    assert (status, errors.count("\n")) == (2, 1)
    assert "cannot be written (Not a directory); choose another folder" in errors


def test_a_full_disk_is_told_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1_000_000))
    assert "has 1 MB free, but the study needs about" in refuse(tmp_path, "tune", "food10", "--sample")
    assert not list((tmp_path / "results" / "food10").iterdir())


def test_a_taken_name(tmp_path: Path) -> None:
    (tmp_path / "results" / "food10" / "first").mkdir(parents=True)
    assert "the study food10/first exists" in refuse(tmp_path, "tune", "food10", "--sample", "--name", "first")


def test_missing_data_name_the_remedy(tmp_path: Path) -> None:
    message = refuse(tmp_path, "tune", "food10", "--data", "/nowhere.tar.gz")
    assert "with --data\n" in message  # tune --from is another


def test_own_images_must_be_named(tmp_path: Path) -> None:
    for arguments in ((), ("--data", "/nowhere"), ("--data", str(tmp_path)), ("--data", "https://example.org/a.zip")):
        assert (arguments or ("--data",))[-1] in refuse(tmp_path, "tune", "images", *arguments)


def test_no_study_yet(tmp_path: Path) -> None:
    status, _, errors = invoke("summarize", "--results", str(tmp_path))
    assert status == 2
    assert errors == f"Error: {tmp_path} holds no study yet; run `python cli.py tune food10 --sample` first\n"


def test_a_dry_run_prints_the_plan_and_leaves_nothing(tmp_path: Path) -> None:
    status, printed, _ = invoke(
        *("tune", "food10", "--dry-run", "--trials", "27", "--arms", "fine_tuned", "--set", "optimizer=sgd"),
        *("--gpus", "2", "--gpus-per-trial", "0.5", "--results", str(tmp_path)),
    )
    assert status == 0
    # 27 trials, factor 3: 27 to epoch 1, 9 to epoch 3, 3 to epoch 9, then 1 until 150.
    assert "27 reach epoch 1, 9 reach epoch 3, 3 reach epoch 9, 1 reach epoch 27" in printed
    assert "4 trials at once" in printed
    assert "0.5 of a GPU" in printed
    assert "momentum: 0.8..0.95" in printed
    assert "weight_decay" not in printed  # no AdamW is searched
    assert "with 3 fresh seeds" in printed
    assert not list(tmp_path.iterdir())


def test_fixed_views_stand_in_the_plan(tmp_path: Path) -> None:
    dry = ("tune", "food10", "--dry-run", "--results", str(tmp_path), "--arms", "fine_tuned,pixels")
    status, printed, errors = invoke(*dry, "--augmentation", "views=8")
    assert status == 0, errors
    lines = {line.split()[1]: line for line in printed.splitlines() if line.startswith("arm ")}
    assert "augmentation views" in lines["fine_tuned:"]
    assert "8 fixed views of each training image" in lines["fine_tuned:"]
    assert "no augmentation" in lines["pixels:"]  # it learns from whole images, whatever is asked of networks


def test_the_plan_says_what_a_backbone_learns_first(tmp_path: Path) -> None:
    dry = ("tune", "food10", "--dry-run", "--results", str(tmp_path), "--arms", "pretrained_on_food")
    status, printed, errors = invoke(*dry, "--backbone", "VGG16", "--folds", "4")
    assert status == 0, errors
    assert (
        "first: its backbone learns Food-101's other 91 classes, 20 epochs at 224 px, once for all studies" in printed
    )
    assert "backbone VGG16" in printed
    assert "on each of 4 folds of the images outside the test split" in printed
    # Decoded at most: 10 classes of 1000 images at 512 px and 91 at 256 px.
    assert f"at most {(10 * 1000 * 512**2 + 91 * 1000 * 256**2) * 3 / 1e9:.1f} GB of images" in printed


def test_tasks_names_arms_data_and_source() -> None:
    status, printed, _ = invoke("tasks")
    assert status == 0
    for expected in ("food10", "from_scratch", "fine_tuned", "food10 report", "frozen_fraction", "conv_blocks"):
        assert expected in printed


def test_names_of_tasks_alone_are_for_scripts() -> None:
    assert invoke("tasks", "--names")[1].split() == sorted(path.stem for path in tasks_of_this_checkout())


def tasks_of_this_checkout() -> list[Path]:
    return [path for path in (CHECKOUT / "tasks").glob("*.py") if path.stem not in ("__init__", "task")]


def commands() -> dict[str, click.Command]:
    """By the words that call them."""
    found: dict[str, click.Command] = {}
    for name, command in cli.cli.commands.items():
        if command.hidden:
            continue
        inner = command.commands if isinstance(command, click.Group) else {}
        found |= {f"{name} {word}": each for word, each in inner.items()} or {name: command}
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help(command: str) -> None:
    status, printed, _ = invoke(*command.split(), "--help")
    assert status == 0
    assert len(printed.splitlines()) > 3


def test_help_cuts_no_line_of_a_command_and_lists_every_option_once() -> None:
    for page in ("--help", "datasets --help"):
        assert "..." not in invoke(*page.split())[1].partition("Commands:")[2]
    printed = invoke("tune", "--help")[1]
    for parameter in cli.tune.params:
        if isinstance(parameter, click.Option):
            assert len(re.findall(rf"^  {parameter.opts[0]}\b(?!-)", printed, re.MULTILINE)) == 1, parameter.opts
    assert re.findall(r"^(\w+):$", printed, re.MULTILINE) == [
        "Data",
        "Search",
        "Training",
        "Machine",
        "Output",
        "Other",
    ]


def test_the_earlier_name_of_misclassified_still_works(tmp_path: Path) -> None:
    arguments = ("nothing", "--results", str(tmp_path))
    assert invoke("gallery", *arguments) == invoke("misclassified", *arguments)
    assert invoke("gallery", *arguments)[2].startswith("Error: no study 'nothing'")
    assert "misclassified" in invoke("--help")[1]
    assert "gallery" not in invoke("--help")[1]


def test_an_error_names_the_option_of_the_command_that_runs(tmp_path: Path) -> None:
    """The same argument of the library is --data of `tune` and --from of `datasets prepare`."""
    assert "unpacked folder with --data\n" in refuse(tmp_path, "tune", "food10", "--data", "/nowhere")
    _, _, errors = invoke("datasets", "prepare", "food10", "--from", "/nowhere", "--data-dir", str(tmp_path))
    assert "unpacked folder with --from\n" in errors


@pytest.mark.parametrize("typed", ["{sets}", "{data}", "{{sets}}", "{x}", "{", "%s"])
def test_what_a_user_types_is_shown_as_typed(tmp_path: Path, typed: str) -> None:
    for arguments, shown in (
        (("food10", "--set", f"{typed}=3"), f"--set {typed}=3: unknown axis"),
        (("food10", "--data", f"/nope/{typed}/x"), f"/nope/{typed}/x does not exist; "),
        (("food10", "--configs", f"/nope/{typed}"), f"--configs /nope/{typed}: No such file"),
        (("images", "--data", f"/nope/{typed}"), f"/nope/{typed}"),
    ):
        assert shown in refuse(tmp_path, "tune", *arguments)


def test_records_of_a_study_speak_of_options_that_tune_has() -> None:
    from tuning.plan.command_line import OPTIONS

    declared = {
        parameter.name: parameter.opts[0] for parameter in cli.tune.params if isinstance(parameter, click.Option)
    }
    assert {name: declared[name] for name in OPTIONS} == OPTIONS


def test_every_option_has_help() -> None:
    """Or a list of what it may be."""
    for name, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help or isinstance(parameter.type, click.Choice), f"{name} {parameter.opts[0]}"


def imported(*arguments: str) -> set[str]:
    """The packages that a command loads: what it costs, on a busy machine too."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "cli.py", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines()}


def test_help_and_tasks_load_nothing_heavy() -> None:
    """`--help` in 0.2 s and `tasks` in 0.5 s of processor time on a quiet machine; a busy one took 1.1 s."""
    heavy = {"tensorflow", "keras", "ray", "optuna", "pandas", "scipy", "sklearn", "matplotlib", "cv2", "h5py", "rich"}
    for arguments in (("--help",), ("tune", "--help"), ("tasks",)):
        assert not imported(*arguments) & heavy
    assert "numpy" not in imported("--help")


def test_documents_show_only_options_that_exist() -> None:
    pages = [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]
    pages.remove(CHECKOUT / "docs" / "commands.md")  # tests/test_docs.py
    for line in re.findall(r"python cli\.py ([^\n`#]*)", "\n".join(page.read_text() for page in pages)):
        [command] = [each for name, each in commands().items() if f"{line} ".startswith(f"{name} ")]
        known = {option for parameter in command.params for option in parameter.opts}
        for option in re.findall(r"(--[a-z-]+)", line):
            assert option in known | {"--help"}, line


def test_configs_published_lists_the_documents_own_settings(tmp_path: Path) -> None:
    status, printed, _ = invoke("tune", "food10", "--configs", "published", "--dry-run", "--results", str(tmp_path))
    assert status == 0
    assert "fine_tuned: 1 trial," in printed
    assert "as listed, to epoch 150" in printed


def test_a_short_listed_configuration_is_confirmed_as_shortly(tmp_path: Path) -> None:
    listed = tmp_path / "configs.json"
    listed.write_text('[{"arm": "pixels", "C": 1, "pooled_side": 8, "epochs": 2}]')
    dry = ("tune", "food10", "--arms", "pixels", "--configs", str(listed), "--confirm-seeds", "3", "--dry-run")
    status, printed, errors = invoke(*dry, "--results", str(tmp_path))
    assert status == 0, errors
    assert "about 8 epochs" in printed


@pytest.mark.parametrize(("command", "option"), [(["tune"], "--data"), (["datasets", "describe"], "--from")])
@pytest.mark.parametrize("there", [False, True])
def test_a_folder_in_place_of_a_task(command: list[str], option: str, there: bool, tmp_path: Path) -> None:
    folder = tmp_path / "my birds"
    if there:
        folder.mkdir()
    status, _, errors = invoke(*command, str(folder))
    assert (status, errors.count("\n")) == (2, 1)
    assert f"images {option} '{folder}'" in errors


def test_an_option_of_another_command_is_named_with_it() -> None:
    @cli.cli.command("fails-here")
    @click.option("--data-dir")
    def fails(data_dir: str | None) -> None:
        raise PodiumError(f"set {arg.data_dir}, {arg.gpus_per_trial} or {arg.nothing}")

    try:
        status, _, errors = invoke("fails-here")
    finally:
        del cli.cli.commands["fails-here"]
    assert (status, errors) == (2, "Error: set --data-dir, `tune --gpus-per-trial` or nothing\n")


def test_the_arm_of_a_list_may_be_named_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "configs.json"
    path.write_text('[{"C": 0.1, "pooled_side": 8}, {"arm": "pixels", "C": 1.0, "pooled_side": 8}]')
    words = ("tune", "digits", "--sample", "--configs", str(path), "--dry-run", "--results", str(tmp_path))
    status, printed, errors = invoke(*words, "--arms", "pixels")
    assert (status, errors) == (0, "")
    assert "pixels: 2 trials" in printed or "pixels: 2 " in printed
    assert "entry 1 has no arm" in refuse(tmp_path, *words)
