"""The arrows between rooms, read from every import, and what each room may know."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import click
import pytest

import cli

CHECKOUT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {"atomic_file", "errors", "machine"}  # known to every room
# What each room, or room within a room, may import: a room's name stands for all that is in it. A file that lies
# directly in a room with rooms of its own is named by itself where it may import more or less than the rest.
ARROWS: dict[str, set[str]] = {
    "atomic_file": set(),
    "errors": set(),
    "cli": {"commands"},
    "commands": {
        "commands.base",
        "tasks",
        "search_spaces",
        "trainables",
        "datasets",
        "tuning",
        "reporting",
        "inspection",
    },
    "commands.base": {"tasks.task", "datasets"},
    "tasks": {"tasks.task", "search_spaces", "datasets"},
    "search_spaces": {"search_spaces"},
    "datasets": {"datasets.dataset"},
    "datasets.readers": {"datasets.dataset"},
    "datasets.sources": {"datasets.dataset", "datasets.readers"},
    "datasets.synthetic": {"datasets.dataset"},
    "datasets.images": {"datasets.dataset", "datasets.input_config"},
    "datasets.store": {"datasets.dataset", "datasets.readers", "datasets.images"},
    "datasets.custom": {"datasets.dataset", "datasets.readers", "datasets.images", "datasets.store"},
    "datasets.pipeline": {"datasets.dataset", "datasets.input_config", "datasets.images", "datasets.store"},
    # Of search_spaces, training knows the names that a configuration may hold, and what "better" means.
    "trainables": {
        *("trainables.learner", "trainables.trial_spec", "trainables.targets", "trainables.devices"),
        *(
            "trainables.classification_metrics",
            "trainables.box_overlap",
            "trainables.ensemble_average",
            "trainables.ten_crop",
            "trainables.phase_timer",
        ),
        *("datasets", "search_spaces.objective"),
    },
    "trainables.ray_trainable": {"trainables.learners.registry"},
    "trainables.models": {"trainables.learner", "trainables.models.families"},
    "trainables.models.parts": set(),
    "trainables.models.backbones": {
        "trainables.models.parts",
        "trainables.learner",
        "trainables.npz",
        "datasets.readers",
    },
    "trainables.models.families": {
        *("trainables.models.parts", "trainables.models.backbones"),
        *("search_spaces.known_names", "search_spaces.backbones"),
    },
    "trainables.training": {
        *(
            "trainables.models.parts",
            "trainables.models.family_registry",
            "trainables.learner",
            "trainables.trial_spec",
        ),
        *("trainables.npz", "trainables.targets", "trainables.phase_timer", "trainables.devices"),
        *("search_spaces.aliases", "search_spaces.known_names"),
    },
    "trainables.features": {
        *("trainables.training", "trainables.models.parts", "trainables.models.backbones", "trainables.learner"),
        *("trainables.trial_spec", "trainables.phase_timer", "trainables.npz", "trainables.devices", "datasets"),
    },
    "trainables.learners": {
        *("trainables.features", "trainables.training", "trainables.models.parts", "trainables.models.backbones"),
        *("trainables.learner", "trainables.trial_spec", "trainables.targets", "trainables.devices", "trainables.npz"),
        *(
            "trainables.phase_timer",
            "trainables.classification_metrics",
            "trainables.box_overlap",
            "datasets.pipeline",
            "search_spaces.known_names",
        ),
    },
    "tuning": set(),
    "tuning.records": {"search_spaces.objective"},
    "tuning.stopping": {"search_spaces.objective"},
    # Of trainables, a study knows the trainable, what a worker is told, and what devices and learners may refuse.
    "tuning.plan": {
        *("tuning.records", "tuning.stopping", "tasks.task", "search_spaces", "datasets"),
        *("trainables.trial_spec", "trainables.learner", "trainables.learners.registry", "trainables.devices"),
        "trainables.models.backbones.registry",  # the smallest images of each backbone
    },
    "tuning.listeners": {"tuning.records", "tuning.plan", "search_spaces"},
    "tuning.execution": {
        *("tuning.records", "tuning.plan", "tuning.listeners", "tuning.stopping", "tasks.task"),
        *("search_spaces", "datasets"),
        *("trainables.ray_trainable", "trainables.trial_spec", "trainables.devices", "trainables.learner"),
    },
    "reporting": set(),
    "reporting.results": {
        "search_spaces.objective",
        "reporting.errors",
        "tuning.records",
        "tuning.plan.command_line",
        "tasks.task",
    },
    "reporting.significance": {"search_spaces.objective", "reporting.results", "tuning.records"},
    "reporting.tables": {
        "search_spaces.objective",
        *("reporting.results", "reporting.significance", "reporting.errors", "tuning.records", "tasks.task"),
        "search_spaces.formatting",
    },
    "reporting.formats": {
        *("reporting.results", "reporting.significance", "reporting.tables", "reporting.errors"),
        *("reporting.csv_text", "tuning.records", "tasks.task"),
    },
    # Importances are computed by Optuna, which only tuning/ knows.
    "reporting.plots": {
        "search_spaces.objective",
        *("reporting.results", "reporting.tables.formatting", "tuning.records", "search_spaces.formatting"),
        "tuning.listeners.param_importances",
    },
    # The next command to run: its settings belong to tuning/.
    "reporting.audit": {
        *("reporting.results", "reporting.plots", "tuning.records", "search_spaces.formatting"),
        *("tuning.plan.command_line", "trainables.learners.registry"),
    },
    "reporting.trials": {
        *("reporting.results", "reporting.tables", "reporting.formats", "reporting.errors", "tuning.records"),
        *("reporting.csv_text", "search_spaces.formatting"),
    },
    "reporting.report": {
        "reporting",
        "tuning.records",
        "tuning.listeners.param_importances",
        "tasks.task",
        "search_spaces",
    },
    "inspection": set(),
    # What a best model knows: its network and its stored predictions.
    "inspection.loading": {"tuning.records", "trainables", "datasets", "reporting.results"},
    "inspection.prediction.exports": {"inspection.loading"},
    "inspection.prediction": {"inspection.loading", "tuning.records", "trainables", "datasets", "reporting.csv_text"},
    "inspection.explanation": {
        *("inspection.loading", "tuning.records", "trainables", "datasets", "reporting.plots", "reporting.tables"),
        *("search_spaces.known_names", "search_spaces.formatting"),
    },
    "inspection.evaluation": {
        *("inspection.loading", "inspection.explanation.image_grids", "tuning.records", "trainables", "datasets"),
        *("reporting.plots", "reporting.results"),
    },
    # The peers run none of this project's code but its images and their augmentation.
    "benchmarks": {"benchmarks", "cli", "tasks", "search_spaces", "datasets", "trainables"},
    "benchmarks.peers": {"benchmarks", "datasets.pipeline"},
}
ROOMS = dict.fromkeys(name.partition(".")[0] for name in ARROWS)
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


def of_the_application() -> Iterator[tuple[str, Path]]:
    """Every file but those of the benchmarks, which run the peers' frameworks and this project's command line."""
    return ((room, path) for room, path in sources() if room != "benchmarks")


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
    """A file may import what its room, every room around it and its own entry allow, and its own room."""
    module = _module(path)
    rooms = [name for name in ARROWS if f"{module}.".startswith(f"{name}.")]
    inner = max(rooms, key=len, default=room)
    own = {inner if inner != module else inner.rpartition(".")[0]} if "." in inner else set()
    allowed = {
        *TOP_LEVEL,
        *own,
        *ARROWS[inner],
        *ARROWS.get(inner.rpartition(".")[0] if inner == module else "", set()),
    }
    for name in imports(path):
        if name.partition(".")[0] in ROOMS:
            assert any(f"{name}.".startswith(f"{each}.") for each in allowed), f"{inner} -> {name}"


def test_no_room_is_in_a_circle() -> None:
    order = list(TopologicalSorter(_arrows_between_boxes()).static_order())  # raises CycleError
    assert len(order) > 40


def _module(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def _arrows_between_boxes() -> dict[str, set[str]]:
    """Which rooms each room imports from; a file that lies beside rooms is a box of its own."""
    modules = {_module(path) for _, path in sources()}
    packages = {module.rpartition(".")[0] for module in modules}

    def box(module: str) -> str:
        package = module.rpartition(".")[0]
        has_rooms = any(other.startswith(f"{package}.") for other in packages)
        return module if has_rooms or not package else package

    arrows: dict[str, set[str]] = {}
    for _, path in sources():
        module = _module(path)
        named = {each for name in imports(path) for each in (name, name.rpartition(".")[0])}
        imported = {each if each in modules else f"{each}.__init__" for each in named} & modules
        arrows.setdefault(box(module), set()).update(box(name) for name in imported if box(name) != box(module))
    return arrows


def test_no_folder_is_crowded() -> None:
    """One file a task and a space; every other folder holds 15 files at most."""
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    files = Counter(str(Path(name).parent) for name in tracked.splitlines())
    crowded = {folder: count for folder, count in files.items() if count > 15}
    assert set(crowded) <= {".", "tasks", "search_spaces"}


def test_frameworks_stay_in_their_rooms() -> None:
    for _, path in of_the_application():
        place = str(path.relative_to(CHECKOUT))
        for name in imports(path):
            allowed = FRAMEWORKS.get(name.partition(".")[0], {place})
            assert any(place == entry or place.startswith(f"{entry}/") for entry in allowed), (place, name)


def test_only_the_command_line_speaks_of_its_options() -> None:
    """A library's errors name its arguments; `commands/` says which options those are."""
    options = {option for each in all_commands(cli.cli) for parameter in each.params for option in parameter.opts}
    spoken = {
        (str(path.relative_to(CHECKOUT)), text)
        for room, path in of_the_application()
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
    for _, path in of_the_application():
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
