"""What the plan says before anything runs."""

from __future__ import annotations

from pathlib import Path

import trainables
from tuning.plan_text import MODEL_BYTES


def test_every_learner_has_a_size_on_disk() -> None:
    folder = Path(str(trainables.__file__)).parent
    assert set(MODEL_BYTES) == {path.stem for path in folder.glob("*_learner.py")}
