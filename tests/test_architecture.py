"""The arrows between rooms, read from every import, and what each room may know."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import cli

CHECKOUT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {"atomic_file", "errors"}  # known to every room
ROOMS = {
    "atomic_file": set(),
    "cli": {"commands"},
    "errors": set(),
    "commands": {"commands", "tasks", "search_spaces", "trainables", "datasets", "tuning", "reporting", "inspection"},
    "tasks": {"tasks.task", "search_spaces", "datasets"},
    "search_spaces": {"search_spaces"},
    # Of trainables, a study knows the trainable, what a worker is told, and what devices and learners may refuse.
    "tuning": {
        "tuning",
        "tasks.task",
        "search_spaces",
        "datasets",
        "trainables.ray_trainable",
        "trainables.trial_spec",
        "trainables.learners.registry",
        "trainables.devices",
        "trainables.learner",
    },
    # Which optimizers, schedules, stems and backbones there are is said once, in search_spaces, and built here.
    "trainables": {
        "trainables",
        "datasets",
        "search_spaces.aliases",
        "search_spaces.allowed_values",
        "search_spaces.backbones",
        "search_spaces.objective",
    },
    "datasets": {"datasets"},
    # What a winner knows: its model and its stored predictions.
    "inspection": {
        "inspection",
        "trainables",
        "datasets",
        "tasks.task",
        "tuning.records",
        "reporting",
        "search_spaces.allowed_values",  # how a setting says several numbers
        "search_spaces.formatting",
    },
    "reporting": {
        "reporting",
        "tasks.task",
        "trainables.learners.registry",  # what a learner can do
        "tuning.records",
        "tuning.listeners.param_importances",  # by Optuna, which only tuning/ knows
        "tuning.plan.command_line",  # the next command to run: settings belong to tuning/
        "search_spaces.parameters",
        "search_spaces.formatting",
    },
}
FRAMEWORKS = {
    "ray": {"tuning", "trainables/ray_trainable.py"},
    "keras": {"trainables", "inspection"},
    "tensorflow": {"trainables", "inspection"},
    "optuna": {"tuning"},
    "h5py": {"datasets", "trainables"},
    "albumentations": {"datasets"},
    "pandas": {"reporting"},
    "click": {"cli.py", "commands"},
    # reporting and inspection write to the terminal; no room of data or training does.
    "rich": {"commands", "tuning/listeners/progress.py", "reporting", "inspection/explanation/model_summary.py"},
    "sklearn": {
        "trainables",
        "inspection",
        "datasets/sources/digits.py",
    },  # the last for its digits, which are real images
}


WRITES_COMMAND_LINES = {  # lines to paste into a shell, and hints below a table that name the next one
    "tuning/plan/command_line.py",
    "reporting/results/reproduce_command.py",
    "reporting/tables/backbone_table.py",
    "reporting/trials/trial_text.py",
    "inspection/explanation/model_summary.py",
}


def sources() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        file = CHECKOUT / f"{room}.py"
        files = [file] if file.exists() else sorted((CHECKOUT / room).rglob("*.py"))
        for path in files:
            yield room, path


def imports(path: Path) -> Iterator[str]:
    """Full names of everything imported, at the top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


OF_EVERY_FILE = pytest.mark.parametrize(
    ("room", "path"), [pytest.param(room, path, id=str(path.relative_to(CHECKOUT))) for room, path in sources()]
)


@OF_EVERY_FILE
def test_arrows(room: str, path: Path) -> None:
    own = {name.partition(".")[0] for name in ROOMS}
    for name in imports(path):
        if name.partition(".")[0] not in own:
            continue
        assert any(name == allowed or name.startswith(f"{allowed}.") for allowed in ROOMS[room] | TOP_LEVEL), name


@OF_EVERY_FILE
def test_frameworks_stay_in_their_rooms(room: str, path: Path) -> None:
    place = str(path.relative_to(CHECKOUT))
    for name in imports(path):
        allowed = FRAMEWORKS.get(name.partition(".")[0])
        if allowed is not None:
            assert any(place == entry or place.startswith(f"{entry}/") for entry in allowed), name


def test_only_the_command_line_speaks_of_its_options() -> None:
    """A library's errors name its arguments; `commands/` says which options those are."""
    options = {option for each in all_commands(cli.cli) for parameter in each.params for option in parameter.opts}
    spoken = {
        (str(path.relative_to(CHECKOUT)), text)
        for room, path in sources()
        if room not in ("cli", "commands") and str(path.relative_to(CHECKOUT)) not in WRITES_COMMAND_LINES
        for text in strings(path)
        if options & set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    }
    assert spoken == {("trainables/devices.py", "--format=csv,noheader,nounits")}  # of nvidia-smi


def all_commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from all_commands(below)


def strings(path: Path) -> Iterator[str]:
    """Every text in the code but docstrings."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        node.body[0].value for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)
    }  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.value


def test_no_task_is_named_outside_its_file() -> None:
    from tasks.task import task_names

    concrete = tuple(f"tasks.{name}." for name in task_names())
    for _, path in sources():
        assert not [name for name in imports(path) if f"{name}.".startswith(concrete)], path


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import cli", {"rich", "pandas", "numpy", "ray", "tensorflow", "optuna"}),
        ("import tasks.food10", {"ray", "tensorflow", "optuna", "cv2", "h5py", "albumentations", "pandas", "requests"}),
        ("import reporting.formats.summarize", {"ray", "tensorflow", "optuna", "h5py", "sklearn"}),
        (
            "import tuning.plan.study_plan, tuning.plan.resources, tuning.execution.trial_generator",
            {"ray", "tensorflow"},
        ),
    ],
)
def test_nothing_heavy_on_the_way(statement: str, heavy: set[str]) -> None:
    code = f"{statement}\nimport sys\nprint(*{heavy!r}.intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_files_are_of_one_idea() -> None:
    long = {str(p.relative_to(CHECKOUT)): n for _, p in sources() if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}


def test_a_task_is_one_short_file() -> None:
    files = [path for path in (CHECKOUT / "tasks").glob("*.py") if path.name != "task.py"]
    assert len(files) > 3
    assert {path.name: count for path in files if (count := len(path.read_text().splitlines())) >= 80} == {}
