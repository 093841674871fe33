"""Which winner is meant, and what it saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets.store.folds import Fold
from datasets.store.image_store import ImageStore
from inspection.loading.best_model import InspectionError, chosen, winner, winners
from tests.fixtures.inspection import CLASSES, VIEW, keep_study, pictures
from tests.fixtures.study import example_events, write_study


def test_the_best_on_validation_stands_for_the_study(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    found = winner(study)
    assert (found.title, found.score) == ("food10/example, fine_tuned", "val_accuracy 0.9200 (best of 3 seeds)")
    assert (found.view, found.classes, found.max_side) == (VIEW, CLASSES, pictures().max_side)
    assert found.trial.config["frozen_fraction"] == 0.6
    assert [each.arm for each in winners(study)] == ["fine_tuned", "from_scratch"]
    assert [each.arm for each in chosen(study, ["from_scratch", "fine_tuned", "from_scratch"])] == [
        "from_scratch",
        "fine_tuned",
    ]
    assert found.names(4) == ("first", "second", "output 2", "output 3")
    with pytest.raises(InspectionError, match=r"unknown arm with a winner 'from_scrach'; did you mean from_scratch\?"):
        winner(study, "from_scrach")


def test_its_images_are_the_studys_own_or_refused(tmp_path: Path) -> None:
    found = winner(keep_study(tmp_path / "results", tmp_path / "data"))
    assert len(found.images("val")) == 20
    with pytest.raises(Exception, match="opened_by is empty"):
        found.images("test")
    found.store.rename(tmp_path / "elsewhere.h5")
    with pytest.raises(InspectionError, match=r"prepare them there again"):
        found.images("val")
    from datasets.store.image_store import prepare

    prepare(pictures(max_side=18), tmp_path / "other").rename(found.store)
    with pytest.raises(InspectionError, match="other images than food10/example, fine_tuned"):
        found.images("val")


def test_of_folds_each_winner_has_its_own_validation_images(tmp_path: Path) -> None:
    study = keep_study(tmp_path / "results", tmp_path / "data")
    lines = (study / "events.jsonl").read_text().splitlines(keepends=True)
    start = json.loads(lines[0])
    start["settings"]["folds"] = 3
    start["data"]["fingerprint"] = ImageStore.open(Path(start["data"]["store"]), Fold(number=0, of=3)).fingerprint
    # Confirmations of a study of folds are numbered as their folds are.
    text = "".join([json.dumps(start) + "\n", *lines[1:]]).replace('"number": 102', '"number": 2')
    (study / "events.jsonl").write_text(text)
    found = winner(study)
    expected = ImageStore.open(found.store, Fold(number=2, of=3)).indices("val")
    np.testing.assert_array_equal(found.images("val").indices, expected)
    assert not np.array_equal(expected, ImageStore.open(found.store, Fold(number=0, of=3)).indices("val"))


def test_studies_without_a_winner_say_why(tmp_path: Path) -> None:
    running = write_study(tmp_path / "running", example_events(end=None))
    with pytest.raises(InspectionError, match="food10/example has no winner"):
        winners(running)
    ended = write_study(tmp_path / "ended", example_events(end="interrupted"))
    with pytest.raises(InspectionError, match="it ended interrupted"):
        winners(ended)
    boxes = keep_study(tmp_path / "boxes", tmp_path / "data", target="box")
    with pytest.raises(InspectionError, match="predicts a box, not classes"):
        winner(boxes)
