"""Files and names as they lie on disks: every ending Pillow reads, Unicode in both forms, and what is passed over."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from datasets.custom.custom_images import OwnImages, find
from datasets.dataset import DataError
from datasets.store.image_store import ImageStore, prepare
from datasets.store.splits import assign_splits
from inspection.prediction import input_images
from tests.datasets.custom.test_custom_images import folder, refused
from tests.fixtures.archives import encoded, pixels

ENDINGS = {"jfif": "JPEG", "jpe": "JPEG", "avif": "AVIF", "jp2": "JPEG2000", "tga": "TGA", "JPG": "JPEG", "": "PNG"}


def sources(dataset: OwnImages, place: Path) -> list[str]:
    with dataset.images(None, place, lambda *_: None) as images:
        return [image.name for image in images]


def test_one_list_of_endings_for_training_and_predict(tmp_path: Path) -> None:
    root = folder(tmp_path / "in", {"a": 10, "b": 10})
    for number, (ending, kind) in enumerate(ENDINGS.items()):
        (root / "a" / f"odd{number}{'.' if ending else ''}{ending}").write_bytes(encoded(pixels(90 + number), kind))
    for name in ("notes.txt", "labels.h5", "LICENSE", "figure.eps"):
        (root / "a" / name).write_text("no image")
    dataset = find(str(root))
    names = sources(dataset, tmp_path)
    assert sum(name.startswith("a/odd") for name in names) == len(ENDINGS)
    assert {os.path.relpath(path, root) for path in input_images.find([str(root)])} == set(names)
    store = ImageStore.open(prepare(dataset, tmp_path / "data"))
    assert len(store) == 20 + len(ENDINGS)
    [notice] = store.notices
    assert "4 files are no image" in notice
    assert "1 .txt" in notice
    assert "a/LICENSE" in notice


def test_an_image_outside_every_class_is_counted(tmp_path: Path) -> None:
    root = folder(tmp_path, {"a": 10, "b": 10})
    (root / "stray.png").write_bytes(encoded(pixels(1), "PNG"))
    (root / ".hidden.png").write_bytes(b"")
    [notice] = find(str(root)).notices
    assert "1 file" in notice
    assert "stray.png" in notice


def test_a_class_is_one_in_both_unicode_forms(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    root = folder(tmp_path, {f"train/{forms[0]}": 10, "train/tea": 10, f"test/{forms[1]}": 5, "test/tea": 5})
    assert find(str(root)).classes == ("café", "tea")


@pytest.mark.parametrize(("on_disk", "typed"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_file_is_there_in_either_unicode_form(on_disk: str, typed: str, tmp_path: Path) -> None:
    root = folder(tmp_path / unicodedata.normalize(on_disk, "naïve"), {"a": 10, "b": 10})
    table = root / "t.csv"
    rows = []
    for label in "ab":
        for number in range(10):
            name = f"{label}/é{number}.png"
            (root / label / f"{number:03d}.png").rename(root / unicodedata.normalize(on_disk, name))
            rows.append(f"{unicodedata.normalize(typed, name)},{label}")
    table.write_text("\n".join(["path,label", *rows]))
    asked = str(tmp_path / unicodedata.normalize(typed, "naïve"))
    assert len(sources(find(asked), tmp_path)) == 20
    assert len(sources(find(f"{asked}/t.csv"), tmp_path)) == 20
    [found] = input_images.find([f"{asked}/a/" + unicodedata.normalize(typed, "é3.png")])
    assert os.path.exists(found)


def test_unlabelled_test_images_are_named_and_not_used(tmp_path: Path) -> None:
    root = folder(tmp_path, {"train/a": 20, "train/b": 20, "test": 7})
    dataset = find(str(root))
    assert dataset.classes == ("a", "b")
    assert any("7 images in test/" in notice for notice in dataset.notices)
    with dataset.images(None, root, lambda *_: None) as images:
        used, _ = assign_splits(dataset, images)
    assert Counter(split for _, split in used) == {"train": 28, "val": 6, "test": 6}


@pytest.mark.parametrize("val", ["dev", "validation", "valid", "Val"])
def test_folders_of_splits_by_their_other_names(val: str, tmp_path: Path) -> None:
    names = {"training": 12, val: 4, "testing": 3}
    root = folder(tmp_path, {f"{split}/{label}": count for split, count in names.items() for label in "ab"})
    dataset = find(str(root))
    with dataset.images(None, root, lambda *_: None) as images:
        used, notices = assign_splits(dataset, images)
    assert Counter(split for _, split in used) == {"train": 24, "val": 8, "test": 6}
    assert notices == ()


def test_a_class_with_few_training_images_is_counted_whole(tmp_path: Path) -> None:
    root = folder(tmp_path, {"train/a": 12, "train/b": 2, "test/a": 5, "test/b": 10})
    message = refused(root)
    assert "'b'" in message
    assert "12 images, of which 2" in message
    with pytest.raises(DataError):
        find(str(root))
