"""Tables of a user's own images: columns and cells as programs write them, and what may not be guessed."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from datasets.custom.custom_images import find
from tests.fixtures.archives import encoded, pixels
from tests.fixtures.own_images import folder, notices_of, refused, splits_of, table

SPLITS = ["train"] * 16 + ["val"] * 4 + ["test"] * 4


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return folder(tmp_path, {"pool": 24})


def rows(*columns: list[str] | list[int], delimiter: str = ",") -> list[str]:
    """24 rows: path, label a or b, and further columns."""
    return [
        delimiter.join([f"pool/{n:03d}.png", "ab"[n % 2], *(str(column[n]) for column in columns)]) for n in range(24)
    ]


def counts(location: Path) -> Counter[str]:
    return Counter(splits_of(location).values())


@pytest.mark.parametrize(
    "heading", ["split", "Split", "subset", "fold", "set", "data set", "Data-Set", "dataset", "partition", "PARTITION"]
)
def test_a_column_whose_values_say_splits_is_the_split(pool: Path, heading: str) -> None:
    location = table(pool / "t.csv", rows(SPLITS), f"path,label,{heading}")
    assert counts(location) == {"train": 16, "val": 4, "test": 4}
    assert find(str(location)).counts is None
    assert notices_of(location) == ""


@pytest.mark.parametrize("words", ["Training Validation Testing", "train valid test", "TRAIN dev test"])
def test_splits_by_their_synonyms(pool: Path, words: str) -> None:
    said = dict(zip(("train", "val", "test"), words.split(), strict=True))
    for heading in ("split", "subset"):
        location = table(pool / "t.csv", rows([said[split] for split in SPLITS]), f"path,label,{heading}")
        assert counts(location) == {"train": 16, "val": 4, "test": 4}


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("fold", [n % 5 for n in range(24)]),
        ("partition", [0] * 16 + [1] * 4 + [2] * 4),
        ("set", [f"{n % 2}.0" for n in range(24)]),
        ("subset", ["train"] * 16 + ["holdout"] * 8),
        ("data set", ["train"] * 16 + [""] * 8),
    ],
)
def test_a_column_that_may_be_the_split_is_asked_for(pool: Path, heading: str, values: list[str]) -> None:
    location = table(pool / "t.csv", rows(values), f"path,label,{heading}")
    message = refused(location)
    assert f"the column {heading!r}" in message
    assert "rename it to split, with train, val and test in it" in message
    assert "to something else" in message
    if heading == "fold":  # whoever says what it is, is not asked
        assert len(splits_of(location, "fold")) == 24
    beside = table(pool / "u.csv", rows(values, SPLITS), f"path,label,{heading},dataset")
    assert counts(beside) == {"train": 16, "val": 4, "test": 4}
    with_a_split = table(pool / "u.csv", rows(values, SPLITS), f"path,label,{heading},split")
    assert counts(with_a_split) == {"train": 16, "val": 4, "test": 4}


def test_a_column_of_other_words_is_none_and_said_so(pool: Path) -> None:
    plain = splits_of(table(pool / "t.csv", rows()))
    location = table(pool / "t.csv", rows(["phone", "web"] * 12), "path,label,dataset")
    assert splits_of(location) == plain
    assert notices_of(location) == (
        "the column 'dataset' is not taken as the split, since its values are others (phone, web)"
    )
    assert notices_of(table(pool / "t.csv", rows([1] * 24), "path,label,set")) == ""  # one value divides nothing
    assert splits_of(table(pool / "t.csv", rows(["", "nan"] * 12), "path,label,set")) == plain
    everything = table(pool / "t.csv", rows(["training", "train"] * 12), "path,label,set")
    assert splits_of(everything) == plain
    assert find(str(everything)).counts is not None


def test_two_columns_that_say_splits_are_one_too_many(pool: Path) -> None:
    message = refused(table(pool / "t.csv", rows(SPLITS, SPLITS[::-1]), "path,label,set,subset"))
    assert "'set' and 'subset'" in message
    assert "rename the right one to split" in message


@pytest.mark.parametrize(
    "path", ["path", "file_name", "File Name", "filename", "filepath", "file", "image", "image_path", "img"]
)
@pytest.mark.parametrize("label", ["label", "labels", "class", "Class Name", "category", "Target"])
def test_columns_by_their_usual_names(pool: Path, path: str, label: str) -> None:
    assert find(str(table(pool / "t.csv", rows(), f"{path},{label}"))).classes == ("a", "b")


def test_columns_that_are_not_clear_are_asked_for(pool: Path) -> None:
    message = refused(table(pool / "t.csv", rows(["x"] * 24), "path,category,target"))
    assert "'category' and 'target'" in message
    assert "rename the right one to label" in message
    message = refused(table(pool / "t.csv", rows(["x"] * 24), "file_name,label,image_path"))
    assert "rename the right one to path" in message
    for header, what in (("path,label,Label", "label"), ("path,label,label", "label"), ("path,label,path", "path")):
        assert f"may be the {what}" in refused(table(pool / "t.csv", rows(["x"] * 24), header))
    assert "'p' twice" in refused(table(pool / "t.csv", rows(["x"] * 24, ["y"] * 24), "path,label,p,p"), "p")
    assert "may be the split" in refused(table(pool / "t.csv", rows(SPLITS, SPLITS), "path,label,split,Split"))
    assert find(str(table(pool / "t.csv", rows(["x"] * 24), "path,label,target"))).classes == ("a", "b")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\n", '"sep={}"\n'], ids=["plain", "sep", "quoted sep"])
def test_delimiters(pool: Path, delimiter: str, first: str) -> None:
    lines = [f'"path"{delimiter}"label"{delimiter}"a note, or; more"', *rows(["none"] * 24, delimiter=delimiter)]
    location = pool / "t.csv"
    location.write_text(first.format(delimiter) + "\n".join(lines) + "\n")
    assert find(str(location)).classes == ("a", "b")
    lines[3] = delimiter.join(["pool/gone.png", "a", ""])
    location.write_text(first.format(delimiter) + "\n".join(lines) + "\n")
    assert f"line {5 if first else 4}: pool/gone.png is not there" in refused(location)


def test_a_tsv(pool: Path) -> None:
    location = table(pool / "T.TSV", rows(delimiter="\t"), "path\tlabel")
    assert find(str(location)).classes == ("a", "b")


@pytest.mark.parametrize("cell", ['"a,b"', '"a, b"', "a|b", '"b;a"', '"a,other"', "a | other", "\"['a']\""])
def test_a_cell_with_several_labels_is_refused(pool: Path, cell: str) -> None:
    lines = rows()
    lines[4] = f"pool/004.png,{cell}"
    message = refused(table(pool / "t.csv", lines))
    assert "line 6" in message
    assert "several" in message
    assert "one class" in message


def test_labels_that_combine_words_are_classes_all_the_same(pool: Path) -> None:
    """ImageNet has the classes "maillot" and "maillot, tank suit"."""
    named = ['"tench, Tinca tinca"', "maillot", '"maillot, tank suit"', "black|white"]
    lines = [f"pool/{n:03d}.png,{named[n % 4]},{split}" for n, split in enumerate(SPLITS)]
    found = find(str(table(pool / "t.csv", lines, "path,label,split"))).classes
    assert found == ("black|white", "maillot", "maillot, tank suit", "tench, Tinca tinca")


def test_labels_in_every_cell_combined_are_several(pool: Path) -> None:
    lines = [f'pool/{n:03d}.png,"{("cat|insect", "dog|insect")[n % 2]}"' for n in range(24)]
    assert "several" in refused(table(pool / "t.csv", lines))


def test_more_cells_than_columns_are_refused(pool: Path) -> None:
    lines = rows()
    lines[4] = "pool/004.png,a,b"
    message = refused(table(pool / "t.csv", lines))
    assert "line 6 has 3 cells, but the table 2 columns" in message
    lines[4] = "pool/004.png,a,,"
    assert find(str(table(pool / "t.csv", lines))).classes == ("a", "b")


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "<NA>"])
def test_nothing_is_no_class(pool: Path, cell: str) -> None:
    lines = rows()
    lines[4] = f"pool/004.png,{cell}"
    message = refused(table(pool / "t.csv", lines))
    assert "line 6: there is no label" in message
    if cell.strip():
        assert repr(cell) in message
    lines[4] = f"{cell},a"
    assert "line 6: there is no path" in refused(table(pool / "t.csv", lines))


def test_nothing_is_no_group(pool: Path) -> None:
    lines = rows([f"patient {n // 2}" if n < 12 else "nan" for n in range(24)])
    location = table(pool / "t.csv", lines, "path,label,patient")
    with find(str(location), "patient").images(None, pool, lambda *_: None) as images:
        assert [image.group for image in images[12:]] == [""] * 12


def test_numbers_are_one_class_however_they_are_written(pool: Path) -> None:
    labels = [("0", "1", "0.0", "1.00")[n % 4] for n in range(24)]
    lines = [f"pool/{n:03d}.png,{label},{n // 8}.0" for n, label in enumerate(labels)]
    lines[1] = "pool/001.png,1,0"
    location = table(pool / "t.csv", lines, "path,label,patient")
    assert find(str(location)).classes == ("0", "1")
    with find(str(location), "patient").images(None, pool, lambda *_: None) as images:
        assert len({image.group for image in images[:8]}) == 1
    plain = [f"pool/{n:03d}.png,{n % 2}.0" for n in range(24)]
    assert find(str(table(pool / "t.csv", plain))).classes == ("0.0", "1.0")  # as the store was built


def test_names_in_either_unicode_form(pool: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    (pool / decomposed).mkdir()
    for number in range(24):
        (pool / decomposed / f"{decomposed}{number}.png").write_bytes(encoded(pixels(number), "PNG"))
    lines = [f"{composed}/{composed}{n}.png,{(composed, 'tea', decomposed, 'tea')[n % 4]}" for n in range(24)]
    location = table(pool / "t.csv", lines)
    assert find(str(location)).classes == (composed, "tea")
    assert set(splits_of(location)) == {f"{decomposed}/{decomposed}{n}.png" for n in range(24)}
    lines[5] = f"{decomposed}/{decomposed}4.png,tea"
    assert "line 7: " in (message := refused(table(pool / "t.csv", lines)))
    assert "stands in line 6 already" in message


def test_stores_of_former_versions_stay(tmp_path: Path) -> None:
    """The digests that version 0.1.0 gave to what it understood; they name the stores on users' disks."""
    images = [f"pool/{n:03d}.png" for n in range(24)] + [f"in/{name}/s{n}_1.png" for name in "ab" for n in range(10)]
    for image in images:
        (tmp_path / image).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / image).write_bytes(b"x")
        os.utime(tmp_path / image, (0, 0))
    listed = find(str(table(tmp_path / "t.csv", rows(SPLITS), "path,label,split"))).listing
    assert listed == "a85733c3cd14d770994e5911cfbbf295344d22d33dc9ecaddc0ea7f7c7225e5e"
    in_folders = find(str(tmp_path / "in"), "prefix").listing
    assert in_folders == "1f86db58c7fb5fbcc8934029247e7cdf61c62efa8d8212985c28f44500b519c2"
