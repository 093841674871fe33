"""Folds: every image outside the test split validates exactly once; the test split is one and the same."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from datasets.custom.custom_images import find
from datasets.dataset import SPLITS, DataError
from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store import folds as folds_module
from datasets.store.folds import TEST, VAL, Fold, apply_fold
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import Pictures, encoded, pixels

ALONE = -1


def _splits(*counts: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Splits and labels of classes with so many training, validation and test images."""
    splits = [number for of_class in counts for number, count in enumerate(of_class) for _ in range(count)]
    labels = [label for label, of_class in enumerate(counts) for _ in range(sum(of_class))]
    return np.array(splits, np.uint8), np.array(labels, np.int64)


@given(
    folds=st.integers(2, 5),
    counts=st.lists(st.tuples(st.integers(3, 9), st.integers(2, 4), st.integers(0, 4)), min_size=2, max_size=4),
)
def test_every_image_outside_the_test_split_validates_once(folds: int, counts: list[tuple[int, int, int]]) -> None:
    splits, labels = _splits(*counts)
    groups = np.full(len(splits), ALONE)
    names = tuple(map(str, range(len(counts))))
    validated = np.zeros(len(splits), int)
    for number in range(folds):
        changed = apply_fold(Fold(number=number, of=folds), splits, labels, groups, names)
        np.testing.assert_array_equal(changed == TEST, splits == TEST)
        validated += changed == VAL
        for label, (train, val, _) in enumerate(counts):  # stratified: as nearly equal as whole images allow
            assert ((changed == VAL) & (labels == label)).sum() in ((train + val) // folds, -(-(train + val) // folds))
    np.testing.assert_array_equal(validated, splits != TEST)


@settings(max_examples=30)
@given(groups=arrays.arrays(np.int64, 60, elements=st.integers(0, 14)), folds=st.integers(2, 3))
def test_a_group_is_never_divided(groups: np.ndarray, folds: int) -> None:
    splits, labels = np.zeros(60, np.uint8), np.zeros(60, np.int64)
    assume(len(set(groups.tolist())) >= folds)
    changed = [apply_fold(Fold(number=n, of=folds), splits, labels, groups, ("one",)) for n in range(folds)]
    for split in changed:
        for group in set(groups.tolist()):
            assert len(set(split[groups == group].tolist())) == 1


def test_too_few_images_or_groups() -> None:
    splits, labels = _splits((6, 2, 1), (2, 1, 3))
    alone = np.full(len(splits), ALONE)
    with pytest.raises(DataError, match=r"folds is 5, .*'b' has 3 images.*3 fol"):
        apply_fold(Fold(number=0, of=5), splits, labels, alone, ("a", "b"))
    pairs = np.where(labels == 0, np.arange(len(splits)) // 4, ALONE)
    with pytest.raises(DataError, match=r"'a' has 2 groups.*at most 2"):
        apply_fold(Fold(number=0, of=3), splits, labels, pairs, ("a", "b"))
    together = np.where(labels == 0, 7, ALONE)
    with pytest.raises(DataError, match=r"'a' has 1 groups"):
        apply_fold(Fold(number=0, of=2), splits, labels, together, ("a", "b"))


def test_a_fold_without_a_class() -> None:
    labels = np.array([2, 2, 0, 2, 0, 1, 1, 2, 0, 2, 0, 1, 1])
    groups = np.array([5, 1, 5, 4, 5, 1, 4, 5, 0, 2, 3, 0, 3])
    with pytest.raises(DataError, match=r"fold 1 .*'b'"):
        apply_fold(Fold(number=2, of=3), np.zeros(13, np.uint8), labels, groups, ("a", "b", "c"))


def test_folds_of_a_store_are_dealt_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = prepare(Pictures(), tmp_path)
    dealt: list[int] = []
    deal = folds_module.stratified_group_split
    monkeypatch.setattr(folds_module, "stratified_group_split", lambda *arguments: dealt.append(1) or deal(*arguments))
    stores = [ImageStore.open(path, Fold(number=number, of=6)) for number in (0, 1, 2, 3, 0)]
    assert len(dealt) == 1
    np.testing.assert_array_equal(stores[0].splits, stores[4].splits)
    assert len({store.splits.tobytes() for store in stores}) == 4
    ImageStore.open(path, Fold(number=0, of=7))
    assert len(dealt) == 2


def test_a_store_opened_with_a_fold(tmp_path: Path) -> None:
    path = prepare(Pictures(), tmp_path)
    own = ImageStore.open(path)
    folds = [ImageStore.open(path, Fold(number=number, of=4)) for number in range(4)]
    assert len({own.fingerprint, *(store.fingerprint for store in folds)}) == 5
    for store in folds:
        assert sorted(np.concatenate([store.indices(split) for split in SPLITS]).tolist()) == list(range(20))
        np.testing.assert_array_equal(store.indices("test"), own.indices("test"))
        assert store.channel_mean == own.channel_mean
        copied = pickle.loads(pickle.dumps(SplitBatches(store, "val", InputConfig(image_size=8))))
        np.testing.assert_array_equal(copied.indices, store.indices("val"))


def test_other_groups_are_other_folds_of_the_same_images(tmp_path: Path) -> None:
    """Features of a fold are kept under its fingerprint: those of another division must not be taken for them."""
    rows = [f"pool/{n:03d}.png,{'ab'[n % 2]},{('train', 'val', 'test')[n // 16]},{n // 4}" for n in range(48)]
    (tmp_path / "pool").mkdir()
    for number in range(48):
        (tmp_path / "pool" / f"{number:03d}.png").write_bytes(encoded(pixels(number), "PNG"))
    (tmp_path / "t.csv").write_text("\n".join(["path,label,split,patient", *rows]))
    alone, grouped = (prepare(find(str(tmp_path / "t.csv"), by), tmp_path / "data") for by in (None, "patient"))
    assert ImageStore.open(alone).fingerprint == ImageStore.open(grouped).fingerprint
    fold = Fold(number=0, of=3)
    one, other = ImageStore.open(alone, fold), ImageStore.open(grouped, fold)
    assert one.splits.tolist() != other.splits.tolist()
    assert one.fingerprint != other.fingerprint
