"""The sheet of test images with true and predicted boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from datasets.dataset import Counts
from datasets.store.image_store import ImageStore, prepare
from datasets.synthetic.generated_scenes import GeneratedScenes
from inspection.evaluation.box_overlays import PICTURES, STYLES, draw_boxes, spread
from tests.fixtures.study import write_study
from tests.reporting.results.test_boxes import box_events
from trainables.box_overlap import iou
from tuning.records.study_paths import StudyPaths
from tuning.records.test_predictions import BoxPredictions, read_test_predictions


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    scenes = GeneratedScenes(
        name="scenes", title="scenes", classes=("churros",), counts=Counts(train=4, val=1, test=7), side=64
    )
    return ImageStore.open(prepare(scenes, tmp_path_factory.mktemp("data")))


def study_with_winner(folder: Path, store: ImageStore) -> Path:
    """One winner of two; its boxes are the true ones, shifted by more and more."""
    study = write_study(folder, box_events())
    assert store.boxes is not None
    indices = store.indices("test")
    true = store.boxes[indices]
    shift = np.linspace(0, 0.3, len(true), dtype=np.float32)[:, None]
    (study / "winners" / "frozen").mkdir(parents=True)
    predicted = np.clip(true + shift, 0, 1)
    np.savez(
        study / "winners" / "frozen" / "test_predictions.npz",
        names=np.array([store.names[index] for index in indices]),
        predicted_boxes=predicted,
        true_boxes=true,
        overlaps=iou(predicted, true),
    )
    return study


def test_the_sheet(tmp_path: Path, store: ImageStore) -> None:
    study = study_with_winner(tmp_path, store)
    assert draw_boxes(study, store) == [study / "plots" / "boxes_frozen.png"]
    with Image.open(study / "plots" / "boxes_frozen.png") as picture:
        assert picture.width == 1200
        colours = {colour: count for count, colour in picture.convert("RGB").getcolors(2**22)}
    for style in STYLES.values():
        assert colours.get(ImageColor.getrgb(str(style["edgecolor"])), 0) > 300
    assert [path.name for path in (study / "plots").iterdir()] == ["boxes_frozen.png"]


def test_stored_predictions_are_read_back(tmp_path: Path, store: ImageStore) -> None:
    study = study_with_winner(tmp_path, store)
    boxes = read_test_predictions(StudyPaths(study).best_model("frozen").test_predictions)
    assert isinstance(boxes, BoxPredictions)
    assert boxes.overlaps[0] == pytest.approx(1)
    assert (np.diff(boxes.overlaps) <= 0.05).all()
    assert boxes.correct.tolist() == (boxes.overlaps >= 0.5).tolist()
    with pytest.raises(FileNotFoundError):
        read_test_predictions(StudyPaths(study).best_model("fine_tuned").test_predictions)


def test_a_study_of_classes_has_no_sheet(tmp_path: Path, store: ImageStore) -> None:
    study = write_study(tmp_path, box_events())
    (study / "winners" / "frozen").mkdir(parents=True)
    stored = study / "winners" / "frozen" / "test_predictions.npz"
    np.savez(stored, probabilities=np.eye(2), labels=np.arange(2), names=np.array(["a", "b"]))
    assert draw_boxes(study, store) == []
    assert not (study / "plots").exists()


def test_shown_are_the_worst_the_best_and_those_between() -> None:
    overlaps = np.random.default_rng(0).permutation(np.linspace(0, 1, 200))
    shown = overlaps[spread(overlaps)]
    assert len(shown) == PICTURES
    assert (shown[0], shown[-1]) == (0.0, 1.0)
    assert (np.diff(shown) > 0).all()
    assert sorted(spread(overlaps[:5])) == [0, 1, 2, 3, 4]
