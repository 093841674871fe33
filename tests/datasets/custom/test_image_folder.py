"""Folders of a user's own images: nothing vanishes without a word, and names are compared as people read them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from datasets.custom.custom_images import find
from datasets.images.formats import image_endings
from datasets.store.image_store import ImageStore, prepare, store_path
from tests.fixtures.archives import encoded, pixels
from tests.fixtures.own_images import folder, notices_of, refused, splits_of

NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def test_every_ending_that_pillow_decodes_is_an_image(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {"a": 10, "b": 10})
    kinds = {"jfif": "JPEG", "jpe": "JPEG", "jp2": "JPEG2000", "TGA": "TGA", "avif": "AVIF"}
    kinds = {ending: kind for ending, kind in kinds.items() if f".{ending.lower()}" in image_endings()}
    assert len(kinds) >= 4
    for place, (ending, kind) in enumerate(kinds.items()):
        (location / "a" / f"other.{ending}").write_bytes(encoded(pixels(100 + place), kind))
    (location / "b" / "bare").write_bytes(encoded(pixels(200), "PNG"))
    assert notices_of(location) == ""
    store = ImageStore.open(prepare(find(str(location)), tmp_path / "data"))
    assert {"b/bare", *(f"a/other.{ending}" for ending in kinds)} < set(store.names)
    assert store.broken == {}


def test_what_is_passed_over_is_counted_and_named(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {"a": 10, "b": 10})
    before = find(str(location))
    assert before.notices == ()
    for name in ("a/1.heic", "a/2.HEIC", "b/README", "b/3.heic", "b/4.txt"):
        (location / name).write_bytes(b"no image that Pillow decodes")
    (location / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    for name in ("a/Thumbs.db", "a/desktop.ini", "b/.DS_Store", "README.md"):  # said of nobody's images
        (location / name).touch()
    assert notices_of(location) == (
        "6 files passed over, no readable images (.heic: 3, no ending: 1, .png: 1, .txt: 1): "
        "a/1.heic, a/2.HEIC, b/3.heic, ..."
    )
    assert store_path(find(str(location)), tmp_path) == store_path(before, tmp_path)  # other files change no image
    assert find(str(location)) == before


def test_files_of_a_sub_folder_are_counted_where_they_are_read(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {f"{name}/{scene}": 4 for name in "ab" for scene in ("s1", "s2", "s3")})
    (location / "a" / "s1" / "x.heic").touch()
    assert "(.heic: 1): a/s1/x.heic" in notices_of(location, "folder")


def test_images_beside_the_folders_of_classes_are_named(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {f"{split}/{name}": 10 for split in ("train", "test") for name in "ab"})
    for name in ("x.png", "train/y.png"):
        (location / name).write_bytes(encoded(pixels(1), "PNG"))
    assert notices_of(location) == (
        "2 images lie beside the folders of the classes and are passed over: x.png, train/y.png; move them into a class"
    )
    plain = folder(tmp_path / "plain", {"a": 10, "b": 10})
    (plain / "x.png").write_bytes(encoded(pixels(1), "PNG"))
    assert "1 image lies beside the folders of the classes and is passed over: x.png" in notices_of(plain)


def test_a_class_with_no_readable_image_says_what_it_holds(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {"a": 10, "b": 0})
    for number in range(3):
        (location / "b" / f"{number}.heic").touch()
    message = refused(location)
    assert "class 'b'" in message
    assert "holds no image" in message
    assert "(.heic: 3)" in message


def test_a_class_in_both_unicode_forms_is_one(tmp_path: Path) -> None:
    assert NFC != NFD
    location = folder(tmp_path / "splits", {f"{s}/{n}": 10 for s, n in (("train", NFC), ("val", NFD), ("test", NFC))})
    folder(location, {f"{split}/tea": 10 for split in ("train", "val", "test")})
    assert find(str(location)).classes == (NFC, "tea")
    assert len(splits_of(location)) == 60
    beside = folder(tmp_path / "beside", {NFC: 10, "tea": 10})
    folder(beside, {NFD: 0})
    (beside / NFD / "more.png").write_bytes(encoded(pixels(77), "PNG"))
    assert find(str(beside)).classes == (NFC, "tea")
    assert Counter(name.split("/")[0] for name in splits_of(beside)) == {NFC: 10, NFD: 1, "tea": 10}
    (beside / NFD / "003.png").write_bytes(encoded(pixels(78), "PNG"))
    assert "differ in their Unicode form only" in refused(beside)


def test_a_class_in_one_form_keeps_its_spelling_and_its_store(tmp_path: Path) -> None:
    """Names that macOS wrote are decomposed; the stores made of them stay valid."""
    assert find(str(folder(tmp_path, {NFD: 10, "tea": 10}))).classes == (NFD, "tea")


def test_a_folder_is_found_under_the_other_form_of_its_name(tmp_path: Path) -> None:
    folder(tmp_path / NFD / "in", {"a": 10, "b": 10})
    dataset = find(str(tmp_path / NFC / "in"))
    assert dataset.location == str(tmp_path / NFD / "in")
    assert "does not exist" in refused(tmp_path / "th\u00e9" / "in")


def test_groups_in_both_forms_are_one(tmp_path: Path) -> None:
    scenes = [f"s{number}" for number in range(5)]
    location = folder(tmp_path, {f"{name}/{scene}": 4 for name in "ab" for scene in scenes})
    folder(location, {f"a/{NFC}": 4, f"b/{NFD}": 4})
    found = splits_of(location, "folder")
    assert len({split for name, split in found.items() if NFC in name or NFD in name}) == 1


@pytest.mark.parametrize("names", ["train dev test", "training validation testing", "Train VALID Test"])
def test_folders_of_splits_by_their_synonyms(tmp_path: Path, names: str) -> None:
    location = folder(tmp_path, {f"{split}/{name}": 4 for split in names.split() for name in "ab"})
    assert Counter(splits_of(location).values()) == {"train": 8, "val": 8, "test": 8}


def test_test_images_without_classes_are_left_out_and_said_so(tmp_path: Path) -> None:
    """As competitions publish them: train/ has classes, test/ only images."""
    location = folder(tmp_path / "in", {"train/a": 20, "train/b": 20, "test": 7})
    assert Counter(splits_of(location).values()) == {"train": 28, "val": 6, "test": 6}
    assert notices_of(location).startswith(f"{location}/test holds 7 images, but no folder of a class")
    folder(location, {"val/a": 4, "val/b": 4})
    assert Counter(splits_of(location).values()) == {"train": 34, "val": 8, "test": 6}


def test_test_images_in_a_folder_that_is_no_class_are_refused(tmp_path: Path) -> None:
    location = folder(tmp_path, {"train/a": 10, "train/b": 10, "test/unknown": 5})
    message = refused(location)
    assert "the class 'unknown'" in message
    assert "move them out of its test split, if their class is not known" in message


def test_a_folder_of_a_split_among_classes_is_a_class_and_said_so(tmp_path: Path) -> None:
    location = folder(tmp_path, {"cat": 10, "dog": 10, "test": 10})
    assert find(str(location)).classes == ("cat", "dog", "test")
    assert "the folder 'test' is taken as a class, as cat is" in notices_of(location)


def test_two_folders_of_one_split_are_said(tmp_path: Path) -> None:
    location = folder(tmp_path, {f"{split}/{name}": 4 for split in ("train", "dev", "val", "test") for name in "ab"})
    assert Counter(splits_of(location).values()) == {"train": 8, "val": 16, "test": 8}
    assert "the folders dev and val are both taken for the val split" in notices_of(location)


def test_a_class_that_is_too_small_to_be_divided_says_where_its_images_are(tmp_path: Path) -> None:
    location = folder(tmp_path, {"train/a": 20, "train/b": 2, "test/a": 5, "test/b": 10})
    message = refused(location)
    assert "the class 'b' of" in message
    assert "has 12 images, but only 2 of them in its train split (10 test)" in message
    assert "of which some are taken for val" in message
    assert "at least 10" in message


def test_groups_that_are_too_few_are_those_of_the_training_images(tmp_path: Path) -> None:
    in_test = {f"test/{name}/t{number}": 3 for name in "ab" for number in range(4)}
    location = folder(tmp_path, {"train/a/s1": 12, "train/b/s1": 12, **in_test})
    message = refused(location, "folder")
    assert "the training images of" in message
    assert "form 1 group" in message
    assert "at least 2" in message
