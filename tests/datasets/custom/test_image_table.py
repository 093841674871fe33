"""Tables of images as spreadsheets, pandas and data sets write them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from datasets.custom.custom_images import find
from datasets.store.splits import assign_splits
from tests.datasets.custom.test_custom_images import folder, refused

CLASSES = ("a", "b")


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return folder(tmp_path, {"pool": 40})


def write(
    pool: Path, header: str, cells: list[str], *, name: str = "t.csv", delimiter: str = ",", first: str = ""
) -> Path:
    """A row for each image: path, label and one more cell, `cells` in turn."""
    rows = [
        delimiter.join(
            [f"pool/{number:03d}.png", CLASSES[number % 2], *([cells[number % len(cells)]] if cells else [])]
        )
        for number in range(40)
    ]
    path = pool / name
    path.write_text(first + "\n".join([header.replace(",", delimiter), *rows]) + "\n")
    return path


def splits(path: Path, group_by: str | None = None) -> Counter[str]:
    dataset = find(str(path), group_by)
    with dataset.images(None, path, lambda *_: None) as images:
        used, _ = assign_splits(dataset, images)
    return Counter(split for _, split in used)


THREE = ["train", "train", "train", "train", "val", "val", "test", "test"]


@pytest.mark.parametrize("heading", ["split", "subset", "fold", "set", "data set", "dataset", "partition", "Data-Set"])
def test_a_column_that_says_splits_is_taken(heading: str, pool: Path) -> None:
    assert splits(write(pool, f"path,label,{heading}", THREE)) == {"train": 20, "val": 10, "test": 10}
    words = ["Training", "training", "TRAIN", "train", "dev", "validation", "testing", "test"]
    assert splits(write(pool, f"path,label,{heading}", words)) == {"train": 20, "val": 10, "test": 10}


@pytest.mark.parametrize(
    ("heading", "cells"), [("fold", ["0", "1", "2", "3"]), ("subset", ["x", "train"]), ("set", ["x", "test"])]
)
def test_a_column_that_may_say_splits_is_asked_about(heading: str, cells: list[str], pool: Path) -> None:
    message = refused(write(pool, f"path,label,{heading}", cells))
    assert heading in message
    assert "rename" in message


def test_a_column_that_groups_is_no_split(pool: Path) -> None:
    cells = [str(number) for number in range(5)]  # both classes in each
    assert sum(splits(write(pool, "path,label,fold", cells), "fold").values()) == 40


def test_a_column_of_sources_is_no_split(pool: Path) -> None:
    assert splits(write(pool, "path,label,dataset", ["ImageNet", "own"])) == {"train": 28, "val": 6, "test": 6}


@pytest.mark.parametrize("path", ["file_name", "filepath", "image", "image_path", "File Name", "filename"])
@pytest.mark.parametrize("label", ["labels", "category", "target", "class", "Class Name"])
def test_columns_by_their_other_names(path: str, label: str, pool: Path) -> None:
    assert find(str(write(pool, f"{path},{label}", []))).classes == CLASSES


def test_two_columns_that_may_be_meant_are_not_guessed(pool: Path) -> None:
    assert "category and target" in refused(write(pool, "path,category,target", ["x"]))
    assert find(str(write(pool, "path,label,target", ["x"]))).classes == CLASSES  # `label` is plain


@pytest.mark.parametrize(
    ("name", "delimiter", "first"),
    [
        ("t.csv", ";", ""),
        ("t.csv", "\t", ""),
        ("t.tsv", "\t", ""),
        ("t.csv", "|", ""),
        ("t.csv", ";", "sep=;\n"),
        ("t.csv", ",", '"sep=,"\r\n'),
        ("t.csv", ";", "\ufeff"),
    ],
)
def test_delimiters(name: str, delimiter: str, first: str, pool: Path) -> None:
    path = write(pool, "path,label,note", ["x"], name=name, delimiter=delimiter, first=first)
    assert splits(path) == {"train": 28, "val": 6, "test": 6}


def test_lines_are_counted_as_an_editor_does(pool: Path) -> None:
    path = write(pool, "path,label,note", ['"two\nlines"'], first="sep=,\n")
    path.write_text(path.read_text() + "pool/missing.png,a,x\n")
    assert "line 83: pool/missing.png is not there" in refused(path)


@pytest.mark.parametrize("cell", ['"cat,insect"', "cat|insect", "cat;insect", "\"['cat', 'insect']\""])
def test_several_labels_in_a_cell_are_refused_as_such(cell: str, pool: Path) -> None:
    labels = ["cat", "insect", cell]
    rows = [f"pool/{number:03d}.png,{labels[number % 3]}" for number in range(40)]
    (pool / "t.csv").write_text("\n".join(["path,label", *rows]))
    message = refused(pool / "t.csv")
    assert "line 4" in message
    assert "several classes" in message


def test_labels_known_in_combinations_only_are_several(pool: Path) -> None:
    labels = ['"cat,dog"', '"cat,insect"', '"dog,insect"']
    rows = [f"pool/{number:03d}.png,{labels[number % 3]}" for number in range(40)]
    (pool / "t.csv").write_text("\n".join(["path,label", *rows]))
    assert "several classes" in refused(pool / "t.csv")


def test_a_comma_in_a_name_is_no_second_label(pool: Path) -> None:
    labels = ['"Paris, Texas"', '"Austin, Texas"']
    rows = [f"pool/{number:03d}.png,{labels[number % 2]}" for number in range(40)]
    (pool / "t.csv").write_text("\n".join(["path,label", *rows]))
    assert find(str(pool / "t.csv")).classes == ("Austin, Texas", "Paris, Texas")


@pytest.mark.parametrize("cell", ["nan", "NaN", "", "<NA>"])
def test_a_missing_label_is_no_class(cell: str, pool: Path) -> None:
    rows = [f"pool/{number:03d}.png,{('0', '1', cell)[number % 3]}" for number in range(40)]
    (pool / "t.csv").write_text("\n".join(["path,label", *rows]))
    assert "line 4: there is no label" in refused(pool / "t.csv")


def test_whole_numbers_are_one_class_however_written(pool: Path) -> None:
    rows = [f"pool/{number:03d}.png,{('0', '0.0', '1.5', '1.50')[number % 4]}" for number in range(40)]
    (pool / "t.csv").write_text("\n".join(["path,label", *rows]))
    assert find(str(pool / "t.csv")).classes == ("0", "1.5", "1.50")
