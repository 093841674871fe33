"""A study as it lies on disk after its end: an image store, events, winners and stored predictions."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures import Pictures
from tests.study_fixtures import example_events, write_study

# 20 test images of two classes, stored no larger than 20 pixels: smaller than their files.
PICTURES = Pictures(max_side=20, per_class=40, counts=None)
VIEW = InputConfig(image_size=16, fit="shorter_side")
CLASSES = PICTURES.classes


def pictures(**changes: Any) -> Pictures:
    from datasets.dataset import Counts

    return replace(PICTURES, counts=Counts(train=20, val=10, test=10), **changes)


def keep_study(results: Path, data: Path, learner: str = "pixels_learner", **header: Any) -> Path:
    """The study of tests/study_fixtures over `pictures`, with a folder for each arm's winner and confirmed seeds."""
    store = ImageStore.open(prepare(pictures(), data))
    events = example_events()
    start = events[0]
    start["arms"] = [{**arm, "learner": learner, "view": asdict(VIEW)} for arm in start["arms"]]
    start["settings"] = {**start["settings"], "folds": None}
    start["data"] = {
        **start["data"],
        "classes": list(CLASSES),
        "fingerprint": store.fingerprint,
        "store": str(store.path),
        "max_side": PICTURES.max_side,
    }
    start.update(header)
    study = write_study(results / "food10" / "example", events)
    # The seed that is best on validation, as tuning/records/best_models.py keeps it.
    for arm in ("from_scratch", "fine_tuned"):
        folder = study / "winners" / arm
        folder.mkdir(parents=True)
        (folder / "configuration.json").write_text(json.dumps({"trial": f"{arm}-0102"}))
    return study


def keep_predictions(folder: Path, data: Path, probabilities: np.ndarray) -> None:
    """Stored predictions of the study's 20 test images."""
    images = SplitBatches(ImageStore.open(prepare(pictures(), data)), "test", VIEW, opened_by="a test")
    names = np.array([images.store.names[index] for index in images.indices])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "test_predictions.npz").open("wb") as file:
        np.savez_compressed(file, probabilities=probabilities.astype(np.float32), labels=images.labels, names=names)


def keep_pixels(folder: Path) -> None:
    """A logistic regression on the mean colour that says the second class where it is red."""
    np.savez(
        folder / "model.npz",
        pooled_side=1,
        num_classes=2,
        mean=np.array([100.0, 100.0, 100.0], np.float32),
        deviation=np.ones(3, np.float32),
        coefficients=np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]),
        intercepts=np.zeros(2),
        classes=np.arange(2),
    )
