"""What frozen layers give is computed once, kept while it is right, and never kept where it cannot be."""

from __future__ import annotations

import dataclasses
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixtures.trainables import SmallImages, assign
from trainables.learner import Fatal
from trainables.trial_spec import TrainingSpec

pytestmark = pytest.mark.slow  # imports TensorFlow

SIDE = 32
MANY_EPOCHS = 1000  # of the arm, so that keeping always pays
POINTS = tuple({"frozen_fraction": fraction} for fraction in (0.5, 0.6, 0.7, 0.8))  # four cuts of EfficientNetLite0


class Counted(SmallImages):
    """Counts the passes that something makes over every view of every image."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.passes = 0

    def view_batches(self, batch_size: int, threads: int = 0) -> Iterator[np.ndarray]:
        self.passes += 1
        return super().view_batches(batch_size, threads)


def train_images(count: int = 20, side: int = SIDE, seed: int = 0, views: int = 1) -> Counted:
    return Counted(count, side, seed=seed, views=views)


def val_images(side: int = SIDE) -> Counted:
    return Counted(9, side, seed=3, split="val")


def tuned(features: Path | None, fraction: float = 0.6, *, side: int = SIDE, **fields: Any) -> TrainingSpec:
    config = {
        "backbone": "EfficientNetLite0",
        "frozen_fraction": fraction,
        "learning_rate": 1e-3,
        "batch_size": 8,
        "dropout": 0.2,
        **fields.pop("config", {}),
    }
    kept = {"features": features, "features_bytes": 10**9, "arm_epochs": MANY_EPOCHS}
    return assign("fine_tuned", config, side=side, **{**kept, **fields})


def start(assignment: TrainingSpec, train: Any = None, val: Any = None) -> tuple[Any, dict[str, Any]]:
    """A learner that has started, and what it says of its features."""
    from trainables.learners import keras_network

    learner = keras_network.create()
    side = assignment.view.image_size
    said = learner.start(assignment, train or train_images(side=side), val or val_images(side))
    return learner, said.get("features", {})


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def split_of(folder: Path, key: str) -> str:
    return str(json.loads((folder / key / "entry.json").read_text())["about"]["split"])


def test_one_pass_for_all_freeze_points_and_none_for_the_trials_after(tmp_path: Path) -> None:
    train, val = train_images(), val_images()
    for number, fraction in enumerate((0.6, 0.8, 0.5, 0.7, 0.6)):
        learner, fact = start(tuned(tmp_path, fraction, freeze_points=POINTS, seed=number), train, val)
        assert fact["kept"], fact
        assert (train.passes, val.passes) == (1, 1)
        learner.epoch(0)
        assert learner.validate().shape == (9, 3)
    splits = [split_of(tmp_path, key) for key in entries(tmp_path)]
    assert (splits.count("train"), splits.count("val")) == (4, 4)


def test_points_that_snap_to_one_cut_are_one_entry(tmp_path: Path) -> None:
    near = ({"frozen_fraction": 0.6}, {"frozen_fraction": 0.605}, {"frozen_layers": 92})
    start(tuned(tmp_path, freeze_points=near))
    assert len(entries(tmp_path)) == 2  # train and val


def test_a_point_that_nobody_named_is_computed_when_it_is_asked(tmp_path: Path) -> None:
    train = train_images()
    start(tuned(tmp_path, 0.6, freeze_points=POINTS), train)
    start(tuned(tmp_path, 0.9, freeze_points=POINTS), train)
    assert train.passes == 2
    assert len(entries(tmp_path)) == 10


@pytest.mark.parametrize(
    "config",
    [
        {"learning_rate": 1e-2},
        {"dropout": 0.0},
        {"optimizer": "sgd", "momentum": 0.9},
        {"batch_size": 5},
        {"schedule": "cosine"},
    ],
    ids=str,
)
def test_what_comes_after_the_cut_needs_no_other_features(tmp_path: Path, config: dict[str, Any]) -> None:
    train = train_images()
    start(tuned(tmp_path), train)
    before = entries(tmp_path)
    start(tuned(tmp_path, config=config, seed=9, classes=4, freeze_points=POINTS[1:2]), train)
    assert entries(tmp_path) == before
    assert train.passes == 1


@pytest.fixture(scope="module")
def other_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EfficientNetLite0's own, but for the last digit of one number of its first layer."""
    from trainables.models.backbones import builder

    model = builder.build(builder.find("EfficientNetLite0"), (SIDE, SIDE, 3), weights=None)
    kernel = model.weights[0]
    value = kernel.numpy()
    value.flat[0] = np.nextafter(value.flat[0], np.float32(1))
    kernel.assign(value)
    path = tmp_path_factory.mktemp("weights") / "other.weights.h5"
    model.save_weights(path)
    return path


@pytest.mark.parametrize("change", ["images", "weights", "size", "views", "count", "precision"])
def test_whatever_changes_the_numbers_changes_the_key(tmp_path: Path, change: str, other_weights: Path) -> None:
    import keras

    start(tuned(tmp_path))
    before = entries(tmp_path)
    assert sorted(split_of(tmp_path, key) for key in before) == ["train", "val"]
    try:
        if change == "images":
            start(tuned(tmp_path), train_images(seed=1))
        elif change == "count":
            start(tuned(tmp_path), train_images(count=21))
        elif change == "weights":
            start(tuned(tmp_path, weights=other_weights))
        elif change == "size":
            start(tuned(tmp_path, side=48))
        elif change == "views":
            start(tuned(tmp_path), train_images(views=2))
        else:
            start(tuned(tmp_path, precision="mixed_bfloat16"))
    finally:
        keras.config.set_dtype_policy("float32")
    # Validation images are the same where only the training images changed.
    new = [split_of(tmp_path, key) for key in entries(tmp_path) - before]
    assert sorted(new) == (["train"] if change in ("images", "views", "count") else ["train", "val"])


def test_another_number_of_views_is_another_entry(tmp_path: Path) -> None:
    found = []
    for views in (1, 2, 3):
        start(tuned(tmp_path), train_images(views=views))
        found.append({key for key in entries(tmp_path) if split_of(tmp_path, key) == "train"})
    assert [len(keys) for keys in found] == [1, 2, 3]
    shapes = [json.loads((tmp_path / key / "entry.json").read_text())["shapes"][0][0] for key in found[-1]]
    assert sorted(shapes) == [20, 40, 60]


def test_what_is_kept_is_what_the_frozen_layers_give(tmp_path: Path) -> None:
    from trainables.training.model_cache import MODEL_CACHE

    train = train_images(views=2)
    learner, _ = start(tuned(tmp_path, 1.0), train)
    statistics = {"channel_mean": train.store.channel_mean, "channel_std": train.store.channel_std}
    warm = MODEL_CACHE.get(tuned(tmp_path, 1.0), statistics)
    for epoch in (0, 1):  # an image shows one view in the first, the other in the second
        kept = list(learner.session.active.training.training_batches(8, 4, epoch, 1))
        images = list(train.training_batches(8, 4, epoch))
        assert len(kept) == len(images) == 2
        for ([features], labels), (batch, expected_labels) in zip(kept, images, strict=True):
            np.testing.assert_allclose(features, warm.prefix([18])(batch)[0], rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(labels, expected_labels)


def test_half_precision_is_kept_as_it_is(tmp_path: Path) -> None:
    """bfloat16 on disk, bit for bit: a trial that maps it trains as one that computes it."""
    import keras

    numbers = []
    try:
        for folder in (tmp_path, None):
            learner, _ = start(tuned(folder, 0.8, precision="mixed_bfloat16"))
            numbers.append(([learner.epoch(epoch) for epoch in range(2)], learner.validate().tolist()))
    finally:
        keras.config.set_dtype_policy("float32")
    types = {
        kind for key in entries(tmp_path) for kind in json.loads((tmp_path / key / "entry.json").read_text())["types"]
    }
    assert types == {"bfloat16"}
    assert numbers[0] == numbers[1]


def test_live_augmentation_is_never_kept_but_validation_images_are(tmp_path: Path) -> None:
    train = train_images()
    train.view = dataclasses.replace(train.view, augmentation="live")
    learner, fact = start(tuned(tmp_path), train)
    assert fact["kept"] is False
    assert fact["why"].startswith("live augmentation")
    assert [split_of(tmp_path, key) for key in entries(tmp_path)] == ["val"]
    assert train.passes == 0
    assert np.isfinite(learner.epoch(0)["loss"])
    assert learner.validate().shape == (9, 3)


def test_fixed_views_of_whole_images_are_kept_where_nothing_is_frozen(tmp_path: Path) -> None:
    """An image augmented is an image; a network from scratch trains on it bit for bit as if it were augmented anew."""
    config = {"conv_blocks": 1, "filter_width": 0.25, "learning_rate": 1e-2, "batch_size": 8}
    numbers = []
    for folder in (tmp_path, None):
        train, val = train_images(side=16, views=3), val_images(side=16)
        fields = {"features": folder, "features_bytes": 10**9, "arm_epochs": MANY_EPOCHS}
        learner, fact = start(assign("residual", config, **fields), train, val)
        assert train.passes == (1 if folder else 0)
        assert fact.get("kept") is (True if folder else None)  # it stands in the record as features do
        numbers.append(([learner.epoch(epoch) for epoch in range(3)], learner.validate().tolist()))
    assert numbers[0] == numbers[1]
    (key,) = entries(tmp_path)
    facts = json.loads((tmp_path / key / "entry.json").read_text())
    assert (facts["shapes"], facts["types"]) == ([[60, 16, 16, 3]], ["uint8"])


def test_nothing_frozen_and_nothing_augmented_keeps_nothing(tmp_path: Path) -> None:
    train, val = train_images(), val_images()
    _, fact = start(tuned(tmp_path / "none", 0.0, freeze_points=POINTS), train, val)
    assert fact == {}
    assert (train.passes, val.passes) == (0, 0)
    assert not (tmp_path / "none").exists()


def test_without_a_folder_nothing_is_kept() -> None:
    learner, fact = start(tuned(None))
    assert fact == {}
    assert np.isfinite(learner.epoch(0)["loss"])


def test_weights_that_a_seed_draws_are_not_kept(tmp_path: Path) -> None:
    random: Any = "random"
    _, fact = start(tuned(tmp_path, weights=random))
    assert fact["kept"] is False
    assert "seed" in fact["why"]
    assert entries(tmp_path) == set()


def bytes_of(folder: Path, split: str) -> list[int]:
    found = [json.loads((folder / key / "entry.json").read_text()) for key in entries(folder)]
    return sorted(facts["bytes"] for facts in found if facts["about"]["split"] == split)


def test_what_does_not_fit_is_not_kept_and_says_why(tmp_path: Path) -> None:
    start(tuned(tmp_path / "a"))
    (size,) = bytes_of(tmp_path / "a", "train")
    _, fact = start(tuned(tmp_path / "b", features_bytes=size - 1))
    assert fact["kept"] is False
    assert "GB" in fact["why"]
    assert fact["limit_bytes"] == size - 1
    _, fact = start(tuned(tmp_path / "c", features_bytes=size))
    assert fact["kept"] is True


def test_where_not_all_cuts_fit_together_the_one_asked_for_is_kept(tmp_path: Path) -> None:
    start(tuned(tmp_path / "a", freeze_points=POINTS))
    sizes = bytes_of(tmp_path / "a", "train")
    together = sum(sizes)
    train = train_images()
    _, fact = start(tuned(tmp_path / "b", 0.6, freeze_points=POINTS, features_bytes=together - 1), train)
    assert fact["kept"] is True
    assert train.passes == 1
    kept = bytes_of(tmp_path / "b", "train")
    assert len(kept) == 1
    start(tuned(tmp_path / "c", 0.6, freeze_points=POINTS, features_bytes=together + 10**6))
    assert bytes_of(tmp_path / "c", "train") == sizes


def test_too_few_epochs_make_it_not_worth_keeping(tmp_path: Path) -> None:
    _, fact = start(dataclasses.replace(tuned(tmp_path, 0.6, arm_epochs=1), max_epochs=1))
    assert fact["kept"] is False
    assert fact["why"].startswith("keeping would cost")
    assert entries(tmp_path) == set()


@pytest.mark.parametrize("moment", ["making a file", "writing"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    from trainables.features import feature_cache

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if moment == "writing":
            patch.setattr(feature_cache, "_sync", full)
        else:
            patch.setattr(Path, "mkdir", lambda path, **named: full() if path.name.startswith(".") else None)
            tmp_path.mkdir(exist_ok=True)
        with pytest.raises(Fatal, match="No space left on device") as raised:
            start(tuned(tmp_path))
    assert "\n" not in str(raised.value)
    assert "feature_cache 0" in str(raised.value)
    assert entries(tmp_path) == set()
    learner, fact = start(tuned(tmp_path))  # there is space again
    assert fact["kept"] is True
    assert np.isfinite(learner.epoch(0)["loss"])


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Fatal, match="cannot be written") as raised:
        start(tuned(tmp_path / "file" / "features"))
    assert "\n" not in str(raised.value)


def test_a_damaged_entry_is_computed_anew(tmp_path: Path) -> None:
    train = train_images()
    learner, _ = start(tuned(tmp_path), train)
    expected = learner.epoch(0)
    del learner
    for key in entries(tmp_path):
        path = tmp_path / key / "0.bin"
        path.write_bytes(path.read_bytes()[:-4])
    learner, fact = start(tuned(tmp_path), train)
    assert fact["kept"] is True
    assert train.passes == 2
    assert learner.epoch(0) == expected


def test_the_fact_says_what_decided(tmp_path: Path) -> None:
    _, fact = start(tuned(tmp_path, arm_epochs=300))
    expected = {"kept": True, "augmentation": "none", "images": 20, "views": 1, "epochs": 300, "limit_bytes": 10**9}
    assert {name: fact[name] for name in expected} == expected
    assert fact["multiply_adds"] > 10**6
    assert fact["bytes_per_image"] * 20 == bytes_of(tmp_path, "train")[0]
    assert json.loads(json.dumps(fact)) == fact
