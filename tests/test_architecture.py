"""The arrows between rooms, read from every import, and what each room may know."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
ROOMS = {
    "cli": {"commands"},
    "commands": {"commands", "tasks", "search_spaces", "trainables", "datasets", "tuning", "reporting", "inspection"},
    "tasks": {"tasks.task", "search_spaces", "datasets"},
    "search_spaces": {"search_spaces"},
    # Of trainables, a study knows the trainable, what a worker is told, and what devices and learners may refuse.
    "tuning": {
        "tuning",
        "tasks.task",
        "search_spaces",
        "datasets",
        "trainables.trial",
        "trainables.job",
        "trainables.devices",
        "trainables.learner",
    },
    # Which optimizers, schedules, stems and backbones there are is said once, in search_spaces, and built here.
    "trainables": {
        "trainables",
        "datasets",
        "search_spaces.aliases",
        "search_spaces.names",
        "search_spaces.backbones",
        "search_spaces.wording",
    },
    "datasets": {"datasets", "search_spaces.wording"},
    # What a winner knows: its model and its stored predictions.
    "inspection": {
        "inspection",
        "trainables",
        "datasets",
        "tasks.task",
        "tuning.records",
        "reporting",
        "search_spaces.wording",
    },
    "reporting": {
        "reporting",
        "tasks.task",
        "tuning.records",
        "tuning.events",
        "tuning.importances",  # by Optuna, which only tuning/ knows
        "tuning.command",  # the next command to run: settings belong to tuning/
        "search_spaces.axes",
        "search_spaces.wording",
    },
}
FRAMEWORKS = {
    "ray": {"tuning", "trainables/trial.py"},
    "keras": {"trainables", "inspection"},
    "tensorflow": {"trainables", "inspection"},
    "optuna": {"tuning"},
    "h5py": {"datasets", "trainables"},
    "albumentations": {"datasets"},
    "pandas": {"reporting"},
    "sklearn": {"trainables", "inspection", "datasets/digits.py"},  # the last for its digits, which are real images
}


def sources() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        files = [CHECKOUT / "cli.py"] if room == "cli" else sorted((CHECKOUT / room).rglob("*.py"))
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
        assert any(name == allowed or name.startswith(f"{allowed}.") for allowed in ROOMS[room]), name


@OF_EVERY_FILE
def test_frameworks_stay_in_their_rooms(room: str, path: Path) -> None:
    place = str(path.relative_to(CHECKOUT))
    for name in imports(path):
        allowed = FRAMEWORKS.get(name.partition(".")[0])
        if allowed is not None:
            assert any(place == entry or place.startswith(f"{entry}/") for entry in allowed), name


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
        ("import reporting.render", {"ray", "tensorflow", "optuna", "h5py", "sklearn"}),
        ("import tuning.plan, tuning.resources, tuning.search", {"ray", "tensorflow"}),
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
