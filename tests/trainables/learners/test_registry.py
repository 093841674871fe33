"""What learners say they can do is what their classes do, and recorded names find their modules."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import trainables
from trainables.learner import Fatal
from trainables.learners.registry import LEARNERS, find_learner

ROOM = Path(str(trainables.__file__)).parent


def test_every_learner_of_the_room_is_registered_with_a_size_on_disk() -> None:
    learners = ROOM / "learners"
    creating = {path.stem for path in learners.glob("*.py") if "\ncreate = " in path.read_text()}
    assert {info.module for info in LEARNERS.values()} == {f"trainables.learners.{name}" for name in creating}
    assert all(info.model_bytes > 0 for info in LEARNERS.values())


def test_an_unknown_learner_is_one_line_with_the_nearest() -> None:
    with pytest.raises(Fatal, match="did you mean keras_learner"):
        find_learner("kerass_learner")


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_capabilities_are_those_of_the_class(name: str) -> None:
    info = LEARNERS[name]
    learner = importlib.import_module(info.module).create()
    assert (hasattr(learner, "save_state"), hasattr(learner, "save_backbone")) == (info.can_resume, info.has_backbone)


def test_the_registry_imports_no_framework() -> None:
    code = "import trainables.learners.registry, sys; print(*{'numpy', 'tensorflow', 'ray'}.intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOM.parent, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.mark.slow
def test_a_recorded_model_finds_its_module_after_it_was_renamed() -> None:
    from trainables.models import family_registry

    assert family_registry.model_family("residual").__name__.endswith(".small_resnet")
    assert family_registry.model_family("lenet").__name__.endswith(".lenet")
    for name in ("residuals", "small_resnet", "heads", "../residual"):
        with pytest.raises(Fatal, match="unknown model"):
            family_registry.model_family(name)
