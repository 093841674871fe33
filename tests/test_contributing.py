"""The steps of CONTRIBUTING.md, followed, and the files that it and the README name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
NAMED = re.compile(r"`((?:[a-z_]+/)+[a-z0-9_]+\.(?:py|csv))`")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tracked files of the checkout, to be changed."""
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if not name.startswith(("tests/", "requirements/")) and (CHECKOUT / name).is_file():
            (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, tmp_path / "copy" / name)
    return tmp_path / "copy"


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=copy, capture_output=True, text=True, timeout=120)


def test_a_schedule_is_one_file_and_one_line(copy: Path) -> None:
    schedules = copy / "trainables" / "training" / "schedules"
    cosine = (schedules / "cosine.py").read_text()
    halved = cosine.replace("base * (1 + math.cos(math.pi * progress.fraction)) / 2", "base / 2")
    assert halved != cosine
    (schedules / "half.py").write_text(halved)
    options = ("tune", "digits", "--sample", "--arms", "lenet", "--set", "schedule=half", "--dry-run")
    refused = run(copy, "cli.py", *options, "--results", str(copy / "results"))
    assert (refused.returncode, "half" in refused.stderr) == (2, True)
    names = copy / "search_spaces" / "known_names.py"
    names.write_text(names.read_text().replace('"cosine")', '"cosine", "half")'))
    taken = run(copy, "cli.py", *options, "--results", str(copy / "results"))
    assert taken.returncode == 0, taken.stderr
    code = """
from trainables.training.progress import Progress
from trainables.training.schedule import learning_rate
print(learning_rate("half", 0.5, Progress(epoch=3, max_epochs=9, step=0, steps_per_epoch=1)))
"""
    assert run(copy, "-c", code).stdout.strip() == "0.25"


def test_a_stopping_rule_is_one_file(copy: Path) -> None:
    (copy / "tuning" / "stopping" / "patient.py").write_text((copy / "tuning" / "stopping" / "none.py").read_text())
    options = ("tune", "digits", "--sample", "--dry-run", "--results", str(copy / "results"), "--scheduler")
    assert run(copy, "cli.py", *options, "patient").returncode == 0
    assert run(copy, "cli.py", *options, "impatient").returncode == 2


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "README.md", "SECURITY.md"])
def test_files_that_are_named_exist(document: str) -> None:
    named = set(NAMED.findall((CHECKOUT / document).read_text()))
    assert [name for name in sorted(named) if not (CHECKOUT / name).is_file()] == []
