"""A trial of boxes from its specification to what it leaves behind, without Ray running and without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.dataset import Counts
from datasets.input_config import InputConfig
from datasets.store.image_store import ImageStore, prepare
from datasets.synthetic.generated_scenes import GeneratedScenes
from search_spaces.objective import Objective
from trainables.targets import find
from trainables.trial_spec import SavedModel, TrainingSpec, TrialSpec

pytestmark = pytest.mark.slow  # imports Ray

SCENES = GeneratedScenes(
    name="scenes", title="scenes", classes=("churros",), counts=Counts(train=12, val=4, test=6), side=64
)


def run(asked: TrialSpec) -> dict[str, Any]:
    """One step of a trial, as Ray would ask for it."""
    from trainables.ray_trainable import TrialTrainable

    trial = TrialTrainable.__new__(TrialTrainable)
    trial.setup({"spec": asked})
    return trial.step()


def spec(store: Path, folder: Path, **fields: Any) -> TrialSpec:
    training = TrainingSpec(
        model="mean_box",
        config={},
        seed=0,
        max_epochs=1,
        num_classes=1,
        view=InputConfig(image_size=16, fit="stretch"),
        target="box",
        memory_bytes=10**12,
        features=folder,
    )
    told = {
        "trial": "mean_box-0000",
        "arm": "mean_box",
        "role": "search",
        "task": "boxes",
        "store": store,
        "learner": "mean_box_learner",
        "training": training,
        "objective": Objective(metric="val_iou"),
        "threads": 1,
        "gpus": 0.0,
        "checkpoint": folder / "mean_box-0000",
    }
    return TrialSpec(**(told | fields))


def test_from_the_spec_to_the_stored_boxes(tmp_path: Path) -> None:
    path = prepare(SCENES, tmp_path)
    store = ImageStore.open(path)
    assert store.boxes is not None
    mean = store.boxes[store.indices("train")].mean(axis=0)

    trained = run(spec(path, tmp_path))
    assert (trained["status"], trained["done"]) == ("completed", True)
    assert set(trained["metrics"]) == {*("train_loss", "train_iou", "val_loss", "val_iou", "val_iou_at_least_half")}
    assert trained["objective"] == trained["metrics"]["val_iou"]

    folder = tmp_path / "mean_box-0000"
    saved = (SavedModel(trial="mean_box-0000", folder=folder, config={}),)
    (measured,) = run(spec(path, tmp_path, role="test", saved=saved))["measured"]
    true = store.boxes[store.indices("test")]
    expected = find("box").evaluate(np.tile(mean, (6, 1)), true)
    for name, value in expected.items():
        assert measured["metrics"][f"test_{name}"] == pytest.approx(value, rel=1e-5)
    with np.load(folder / "test_predictions.npz") as stored:
        assert set(stored.files) == {"names", "predicted_boxes", "true_boxes", "overlaps"}
        np.testing.assert_array_equal(stored["true_boxes"], true)
        np.testing.assert_allclose(stored["predicted_boxes"], np.tile(mean, (6, 1)), rtol=1e-6)
        assert stored["overlaps"].mean() == pytest.approx(expected["iou"], rel=1e-5)
        assert stored["names"].tolist() == [store.names[index] for index in store.indices("test")]
