"""What an arm's backbone learned first: kept by one learner, and what another begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, assign
from trainables.learner import Fatal
from trainables.trial_spec import TrainingSpec

pytestmark = pytest.mark.slow  # imports TensorFlow


def fine_tuned(classes: int, weights: Path | None = None, **config: Any) -> TrainingSpec:
    known = {"backbone": "EfficientNetLite0", "learning_rate": 1e-2, "optimizer": "adam", "batch_size": 8}
    return assign("fine_tuned", known | config, side=32, classes=classes, weights=weights)


def started(assignment: TrainingSpec) -> Any:
    from trainables.learners import keras_network

    learner = keras_network.create()
    images: Any = SmallImages(24, side=assignment.view.image_size, classes=assignment.num_classes)
    learner.start(assignment, images, images)
    return learner


def backbone(learner: Any) -> list[np.ndarray]:
    return [np.array(weight) for layer in learner.warm.network.pretrained for weight in layer.weights]


def test_another_learner_begins_with_what_the_backbone_learned(tmp_path: Path) -> None:
    first = started(fine_tuned(classes=4))
    imagenet = backbone(first)
    first.epoch(0)
    learned = backbone(first)
    assert any(not np.array_equal(before, after) for before, after in zip(imagenet, learned, strict=True))
    kept = tmp_path / "new folder" / "backbone.npz"
    first.save_backbone(kept)
    assert [path.name for path in kept.parent.iterdir()] == ["backbone.npz"]

    # Of other classes, and of any seed: all of it but the head is as it was left, moving statistics too.
    second = started(fine_tuned(classes=3, weights=kept, frozen_fraction=1.0))
    for ours, theirs in zip(backbone(second), learned, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    second.epoch(0)
    for ours, theirs in zip(backbone(second), learned, strict=True):
        np.testing.assert_array_equal(ours, theirs)  # frozen
    third = started(fine_tuned(classes=3))
    for ours, theirs in zip(backbone(third), imagenet, strict=True):
        np.testing.assert_array_equal(ours, theirs)  # without the file, ImageNet's


def test_a_loaded_model_keeps_its_backbone_too(tmp_path: Path) -> None:
    assignment = fine_tuned(classes=3)
    first = started(assignment)
    first.epoch(0)
    learned = backbone(first)
    (tmp_path / "best").mkdir()
    first.save(tmp_path / "best")
    first.epoch(1)
    images: Any = SmallImages(24, side=32)
    first.load(tmp_path / "best", assignment, images)
    first.save_backbone(tmp_path / "backbone.npz")
    for ours, theirs in zip(backbone(started(fine_tuned(3, tmp_path / "backbone.npz"))), learned, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("assignment", [None, "residual", "random weights"])
def test_where_nothing_is_pre_trained_there_is_nothing_to_keep(tmp_path: Path, assignment: str | None) -> None:
    from trainables.learners import keras_network

    if assignment is None:
        learner: Any = keras_network.create()
    elif assignment == "residual":
        learner = started(assign("residual", {"conv_blocks": 1, "filter_width": 0.25, "learning_rate": 1e-2}, side=16))
    else:
        learner = started(fine_tuned(classes=3, initial_weights="random"))
    with pytest.raises(
        Fatal, match="there is no pre-trained backbone to keep: start from ImageNet's weights"
    ) as raised:
        learner.save_backbone(tmp_path / "backbone.npz")
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())
