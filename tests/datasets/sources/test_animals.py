"""Cats, dogs and pandas in Kaggle's folders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from datasets.dataset import DataError
from datasets.sources.animals import Animals
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import encoded, laid_out, listed, pixels, refusal, zipped


def files(folders: tuple[str, ...] = ("cats", "dogs", "panda"), per_class: int = 20) -> dict[str, bytes]:
    return {
        f"animals/{folder}/{folder}_{number:05d}.jpg": encoded(pixels(100 * place + number))
        for place, folder in enumerate(folders)
        for number in range(1, per_class + 1)
    } | {"images/Img-1.jpg": encoded(pixels(999))}


def test_archive_and_folders_are_the_same_data(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "in", files())
    twice = files() | {f"animals/{name}": content for name, content in files().items()}
    origins = (folder, folder / "animals", zipped(tmp_path / "archive.zip", files()), zipped(tmp_path / "2.zip", twice))
    expected = listed(Animals(), origins[0], tmp_path / "data")
    assert all(listed(Animals(), origin, tmp_path / "data") == expected for origin in origins[1:])
    store = ImageStore.open(prepare(Animals(), tmp_path / "data", str(origins[0])))
    assert store.names[0] == "cat/cats_00001.jpg"
    assert Counter(zip(store.labels.tolist(), store.splits.tolist(), strict=True)) == {
        (label, split): count for label in range(3) for split, count in enumerate((13, 2, 5))
    }


def test_a_class_that_is_missing_and_no_origin(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "in", files(("cats", "dogs")))
    assert "no image of a panda" in refusal(Animals(), folder, tmp_path / "data")
    said = refusal(Animals(), None, tmp_path / "data")
    assert "kaggle.com" in said


def test_other_images_of_the_same_names_are_not_lost(tmp_path: Path) -> None:
    """In folders of splits, each of which counts from one."""
    other = {f"test/{folder}/{folder}_00001.jpg": encoded(pixels(7)) for folder in ("cats", "dogs", "panda")}
    folder = laid_out(tmp_path / "in", files() | other)
    with pytest.raises(DataError, match=r"'cat/cats_00001\.jpg'.* unique"):
        prepare(Animals(), tmp_path / "data", str(folder))


def test_what_a_mac_adds_to_an_archive_is_passed_over(tmp_path: Path) -> None:
    added = {f"__MACOSX/{name.rpartition('/')[0]}/._{name.rpartition('/')[2]}": b"\0\5\x16\7" for name in files()}
    plain, packed = (zipped(tmp_path / f"{len(more)}.zip", files() | more) for more in ({}, added))
    assert listed(Animals(), packed, tmp_path / "data") == listed(Animals(), plain, tmp_path / "data")
