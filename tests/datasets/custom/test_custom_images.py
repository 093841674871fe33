"""A folder or a table of a user's own images: what is understood, and what is refused in one line."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets.custom.custom_images import find
from datasets.dataset import DataError, Shares
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import encoded, pixels
from tests.fixtures.own_images import folder, refused, splits_of, table


def test_a_sub_folder_is_a_class(tmp_path: Path) -> None:
    dataset = find(str(folder(tmp_path / "birds", {"wren": 20, "robin": 13})))
    assert dataset.classes == ("robin", "wren")
    assert dataset.name == "images-birds"
    assert dataset.title == "birds"
    assert dataset.counts == Shares(train=70, val=15, test=15)
    counted = Counter((name.split("/")[0], split) for name, split in splits_of(tmp_path / "birds").items())
    # 15 % of 20 is 3; of 13 it is 1.95, rounded 2.
    assert counted == {
        ("wren", "train"): 14,
        ("wren", "val"): 3,
        ("wren", "test"): 3,
        ("robin", "train"): 9,
        ("robin", "val"): 2,
        ("robin", "test"): 2,
    }


def test_folders_that_are_splits_are_kept(tmp_path: Path) -> None:
    counts = {f"{split}/{name}": 4 for split in ("train", "valid", "test") for name in ("a", "b")}
    found = splits_of(folder(tmp_path, counts))
    assert Counter((name.split("/")[0], split) for name, split in found.items()) == {
        ("train", "train"): 8,
        ("valid", "val"): 8,
        ("test", "test"): 8,
    }
    assert find(str(tmp_path)).counts is None


def test_what_is_not_split_off_comes_from_training(tmp_path: Path) -> None:
    found = splits_of(folder(tmp_path, {"train/a": 20, "train/b": 20, "test/a": 5, "test/b": 5}))
    assert Counter((name.split("/")[0], split) for name, split in found.items()) == {
        ("train", "train"): 34,
        ("train", "val"): 6,
        ("test", "test"): 10,
    }


def test_training_alone_is_split_as_a_plain_folder(tmp_path: Path) -> None:
    found = splits_of(folder(tmp_path, {"train/a": 20, "train/b": 20}))
    assert Counter(found.values()) == {"train": 28, "val": 6, "test": 6}


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert find(str(folder(tmp_path, {"train": 10, "tram": 10}))).classes == ("train", "tram")


def test_a_table_names_paths_and_labels(tmp_path: Path) -> None:
    folder(tmp_path, {"pool": 24})
    splits = ["train"] * 16 + ["val"] * 4 + ["test"] * 4
    rows = [f"pool/{n:03d}.png,{'old' if n % 2 else 'new'},{split}" for n, split in enumerate(splits)]
    dataset = find(str(table(tmp_path / "labels.csv", rows, "file,class,split")))
    assert dataset.classes == ("new", "old")
    assert Counter(splits_of(tmp_path / "labels.csv").values()) == {"train": 16, "val": 4, "test": 4}


def test_the_column_label_goes_before_the_column_class(tmp_path: Path) -> None:
    folder(tmp_path, {"pool": 20})
    rows = [f"pool/{n:03d}.png,animal,{'ab'[n % 2]}" for n in range(20)]
    assert find(str(table(tmp_path / "t.csv", rows, "path,class,label"))).classes == ("a", "b")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b",", b";"),
        lambda text: b"\xef\xbb\xbf" + text.replace(b",", b";").replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"pool/", b"./pool/"),
        lambda text: text.replace(b"pool/", b"@/pool/"),
    ],
    ids=["BOM", "CRLF", "semicolon", "Excel", "dot", "absolute"],
)
def test_tables_as_programs_write_them(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    folder(tmp_path, {"pool": 24})
    plain = table(tmp_path / "t.csv", [f"pool/{n:03d}.png,{'ab'[n % 2]}" for n in range(24)])
    expected = splits_of(plain)
    assert len(expected) == 24
    plain.write_bytes(change(plain.read_bytes()).replace(b"@", os.fsencode(tmp_path)))
    assert find(str(plain)).classes == ("a", "b")
    assert splits_of(plain) == expected


def test_a_file_beside_the_table_s_folder(tmp_path: Path) -> None:
    folder(tmp_path, {"pool": 20})
    (tmp_path / "tables").mkdir()
    places = ("..", "..", tmp_path, f"{tmp_path}/.") * 5
    rows = [f"{up}/pool/{n:03d}.png,{'ab'[n % 2]}" for n, up in enumerate(places)]
    with find(str(table(tmp_path / "tables" / "t.csv", rows))).images(None, tmp_path, lambda *_: None) as images:
        assert [image.name for image in images] == [f"../pool/{n:03d}.png" for n in range(20)]
        assert images[3].read() == (tmp_path / "pool" / "003.png").read_bytes()


def test_groups_are_never_divided(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for scene in range(12):
            for frame in range(3):
                image = encoded(pixels(scene * 7 + frame), "PNG")
                (tmp_path / name / f"{name}-scene{scene}_{frame}.png").write_bytes(image)
    found = splits_of(tmp_path, "prefix")
    by_scene: dict[str, set[str]] = {}
    for name, split in found.items():
        by_scene.setdefault(name.rpartition("_")[0], set()).add(split)
    assert len(by_scene) == 24
    assert all(len(splits) == 1 for splits in by_scene.values())
    counted = Counter((name[0], split) for name, split in found.items())
    assert all(counted[name, "train"] >= 21 for name in "ab")  # of 36; each split has every class
    assert all(counted[name, split] >= 3 for name in "ab" for split in ("val", "test"))


def test_groups_by_folder_and_by_column(tmp_path: Path) -> None:
    scenes = ("s1", "s2", "s3", "s4", "s5")
    folder(tmp_path / "nested", {f"{name}/{scene}": 4 for name in ("a", "b") for scene in scenes})
    nested = splits_of(tmp_path / "nested", "folder")
    assert all(len({split for name, split in nested.items() if f"/{scene}/" in name}) == 1 for scene in ("s1", "s5"))
    folder(tmp_path, {"pool": 40})
    rows = [f"pool/{n:03d}.png,{'ab'[n % 2]},patient {n // 4}" for n in range(40)]
    found = splits_of(table(tmp_path / "t.csv", rows, "path,label,patient"), "patient")
    assert all(len({found[f"pool/{4 * patient + n:03d}.png"] for n in range(4)}) == 1 for patient in range(10))


def test_any_mix_of_formats_and_sizes_becomes_a_store(tmp_path: Path) -> None:
    for name, kind in (("a", "JPEG"), ("b", "PNG")):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(10):
            other = "BMP" if number % 2 else kind
            image = encoded(pixels(number, 30 + 9 * number, 50), other)
            (tmp_path / "in" / name / f"{number}.{other.lower()}").write_bytes(image)
    (tmp_path / "in" / "a" / "notes.txt").write_text("not an image")
    (tmp_path / "in" / "a" / ".hidden.png").write_bytes(b"")
    location = str(tmp_path / "in")
    store = ImageStore.open(prepare(find(location), tmp_path / "data", location))
    assert len(store) == 20
    assert store.classes == ("a", "b")
    assert Counter(store.labels.tolist()) == {0: 10, 1: 10}


def fingerprint(location: Path) -> str:
    return ImageStore.open(prepare(find(str(location)), location.parent / "data", str(location))).fingerprint


def test_another_file_is_another_store(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {"a": 10, "b": 10})
    before = fingerprint(location)
    stored = prepare(find(str(location)), tmp_path / "data")
    written = stored.stat().st_mtime_ns
    (location / "a" / "Thumbs.db").write_bytes(b"what looking at a folder leaves behind")
    assert fingerprint(location) == before
    assert stored.stat().st_mtime_ns == written
    (location / "a" / "new.png").write_bytes(encoded(pixels(99), "PNG"))
    more = fingerprint(location)
    (location / "a" / "new.png").write_bytes(encoded(pixels(98), "PNG"))  # in its place: no folder changes by it
    assert len({before, more, fingerprint(location)}) == 3


def test_another_file_behind_a_link_or_a_table_is_another_store(tmp_path: Path) -> None:
    folder(tmp_path / "elsewhere", {"a": 10})
    location = folder(tmp_path / "in", {"b": 10})
    (location / "a").symlink_to(tmp_path / "elsewhere" / "a", target_is_directory=True)
    rows = [f"{name}/{n:03d}.png,{name}" for name in ("a", "b") for n in range(10)]
    written = table(location / "t.csv", rows)
    before = [fingerprint(location), find(str(written)).listing]
    (tmp_path / "elsewhere" / "a" / "003.png").write_bytes(encoded(pixels(99), "PNG"))
    assert fingerprint(location) != before[0]
    assert find(str(written)).listing != before[1]


def test_what_changes_between_looking_and_building_is_refused(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {"a": 10, "b": 10})
    found = find(str(location))
    assert find(str(location)) == found
    (location / "a" / "003.png").write_bytes(encoded(pixels(99), "PNG"))
    with pytest.raises(DataError, match="changed while they were read"):
        prepare(found, tmp_path / "data")


def test_one_unreadable_image_is_left_out_and_named(tmp_path: Path) -> None:
    location = folder(tmp_path / "in", {"a": 20, "b": 20})
    (location / "a" / "empty.png").write_bytes(b"")
    store = ImageStore.open(prepare(find(str(location)), tmp_path / "data", str(location)))
    assert store.broken == {"a/empty.png": "the file is empty"}
    assert len(store) == 40


@pytest.mark.slow
def test_thousands_of_classes_are_split(tmp_path: Path) -> None:
    for number in range(4_000):
        (tmp_path / f"{number}").mkdir()
        for image in range(10):
            (tmp_path / f"{number}" / f"{number}x{image}_.png").touch()
    parts = {("train", 6), ("val", 2), ("test", 2)}  # 15 % of 10, rounded
    # Every prefix is that of one image: of seven parts with one image or two of a class, one is for each.
    parts_by_group = parts | {("train", 7), ("train", 8), ("val", 1), ("test", 1)}
    for group_by, expected in ((None, parts), ("prefix", parts_by_group)):
        counted = Counter((name.split("/")[0], split) for name, split in splits_of(tmp_path, group_by).items())
        assert {(split, count) for (_, split), count in counted.items()} == expected
        assert len(counted) == 12_000


def test_a_few_thousand_classes_are_refused_by_the_first_that_is_too_small(tmp_path: Path) -> None:
    for number in range(2_000):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "only.png").touch()
    message = refused(tmp_path)
    assert "class '0' of" in message
    assert "has 1 image, but at least 10" in message


def test_bad_folders_are_refused_in_one_line(tmp_path: Path) -> None:
    one = encoded(pixels(1), "PNG")
    (tmp_path / "empty").mkdir()
    assert "neither images nor sub-folders" in refused(tmp_path / "empty")
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "x.png").write_bytes(one)
    assert "1 image, but no sub-folder" in refused(tmp_path / "flat")
    assert "has the one class 'a'" in refused(folder(tmp_path / "one", {"a": 10}))
    folder(tmp_path / "hollow", {"a": 10, "b": 0})
    assert "class 'b'" in refused(tmp_path / "hollow")
    assert "holds no image" in refused(tmp_path / "hollow")
    folder(tmp_path / "deep", {"a/inner": 3, "b/inner": 3})
    assert "must lie directly in its folder" in refused(tmp_path / "deep")
    (tmp_path / "hollow" / "b" / "x").mkdir()
    assert "only folders, such as x" in refused(tmp_path / "hollow")
    folder(tmp_path / "deeper", {"a": 3, "b": 3, "b/x/y": 3})  # beside others they would be missed by nobody
    assert "b/x/y " in refused(tmp_path / "deeper")
    message = refused(tmp_path / "deeper", "folder")
    assert "must lie in its folder or in one below it" in message
    assert "group_by" not in message
    folder(tmp_path / "case", {"a": 10, "b": 10})
    (tmp_path / "case" / "a" / "Z.PNG").write_bytes(one)
    (tmp_path / "case" / "a" / "z.png").write_bytes(one)
    assert "differ in case only" in refused(tmp_path / "case")
    folder(tmp_path / "unknown", {"train/a": 3, "train/b": 3, "test/c": 3})
    assert "class 'c'" in refused(tmp_path / "unknown")
    assert "(Too many levels of symbolic links)" in refused(_to_itself(tmp_path / "circle"))
    assert "does not exist" in refused(tmp_path / "nowhere")
    assert "data must be a folder" in refused("")
    assert "a file of another kind" in refused(tmp_path / "flat" / "x.png")
    assert "data must be a folder" in refused(None)
    assert "~nobody-of-this-name/x, which does not exist" in refused("~nobody-of-this-name/x")
    assert "on this machine" in refused("https://example.org/a.zip")


def _to_itself(link: Path) -> Path:
    link.symlink_to(link)
    return link


def test_folders_of_splits_beside_others_are_neither_splits_nor_classes(tmp_path: Path) -> None:
    folder(tmp_path / "more", {"train/a": 3, "train/b": 3, "test/a": 3, "test/b": 3, "sketches": 3})
    message = refused(tmp_path / "more")
    assert "'sketches'" in message
    assert "move 'sketches' into train, or elsewhere" in message
    folder(tmp_path / "untrained", {"val/a": 3, "val/b": 3, "test/a": 3, "test/b": 3})
    assert "no folder train" in refused(tmp_path / "untrained")
    folder(tmp_path / "case", {"train/a": 3, "train/b": 3, "val/A": 3, "val/b": 3})
    assert "two classes in" in refused(tmp_path / "case")


def test_folders_with_links_to_each_other_are_gone_through_once(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 10, "b": 10, "a/one": 0, "a/other": 0})
    for name, target in (("one", "other"), ("other", "one")):
        for number in range(3):  # 3 ** 40 ways before the system refuses to follow
            (tmp_path / "a" / name / f"{number}").symlink_to(tmp_path / "a" / target, target_is_directory=True)
    assert find(str(tmp_path)).classes == ("a", "b")


def test_a_folder_with_as_long_a_name_as_there_can_be(tmp_path: Path) -> None:
    location = folder(tmp_path / ("x" * 255), {"a": 10, "b": 10})
    assert len(ImageStore.open(prepare(find(str(location)), tmp_path / "data"))) == 20


def test_links_in_circles_are_refused(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 10, "b": 10})
    (tmp_path / "b" / "up").symlink_to(tmp_path, target_is_directory=True)
    assert "leads back" in refused(tmp_path)
    (tmp_path / "b" / "up").unlink()
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    assert "leads back" in refused(tmp_path)
    (tmp_path / "itself").unlink()
    (tmp_path / "nowhere").symlink_to(tmp_path / "nothing")
    assert find(str(tmp_path)).classes == ("a", "b")


def test_a_link_to_where_nobody_may_look_is_no_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, {"a": 10, "b": 10})
    (tmp_path / "b" / "through-a-file").symlink_to(tmp_path / "a" / "000.png" / "x")
    message = refused(tmp_path)
    assert "b/through-a-file cannot be read (Not a directory)" in message
    (tmp_path / "b" / "through-a-file").unlink()
    (tmp_path / "b" / "closed").symlink_to(tmp_path / "a" / "000.png")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "resolve", denied)
    assert find(str(tmp_path)).classes == ("a", "b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 10, "b": 10})
    (tmp_path / "b").chmod(0)
    try:
        assert "b cannot be read (Permission denied)" in refused(tmp_path)
    finally:
        (tmp_path / "b").chmod(0o700)


def test_names_that_are_not_utf8_are_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    one = encoded(pixels(1), "PNG")
    for place, name in enumerate((b"in/a/b\xff.png", b"in/c\xff/x.png", b"in\xff/a/x.png")):
        root = tmp_path / str(place)
        folder(root / "in", {"a": 10, "b": 10})
        target = os.fsencode(root) + b"/" + name
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(one)
        message = refused(os.fsdecode(os.fsencode(root) + b"/" + name.split(b"/")[0]))
        assert "is not in UTF-8" in message
        assert "\\udcff" in message
        message.encode()


def test_bad_tables_are_refused_in_one_line(tmp_path: Path) -> None:
    folder(tmp_path, {"pool": 4})
    rows = [f"pool/{n:03d}.png,{'ab'[n % 2]}" for n in range(4)]
    assert "no column label" in refused(table(tmp_path / "t.csv", rows, "path,kind"))
    assert "line 3: there is no label" in refused(table(tmp_path / "t.csv", [rows[0], "pool/001.png,"]))
    assert "line 2: pool/9.png is not there" in refused(table(tmp_path / "t.csv", ["pool/9.png,a"]))
    assert "written with /" not in refused(table(tmp_path / "t.csv", ["pool/9.png,a"]))
    assert "and are written with /" in refused(table(tmp_path / "t.csv", ["pool\\001.png,a"]))
    assert "line 2: pool is not there" in refused(table(tmp_path / "t.csv", ["pool,a"]))
    for again in ("pool/001.png", "./pool/001.png", "pool/../pool//001.png", f"{tmp_path}/pool/001.png"):
        message = refused(table(tmp_path / "t.csv", [rows[1], rows[2], f"{again},b"]))
        assert "line 4: pool/001.png stands in line 2" in message
    assert "did you mean patient?" in refused(
        table(tmp_path / "t.csv", [f"{row},1" for row in rows], "path,label,patient"), "patent"
    )
    assert "the split is 'later'" in refused(table(tmp_path / "t.csv", ["pool/001.png,a,later"], "path,label,split"))
    assert "has no class" in refused(table(tmp_path / "t.csv", []))
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00path")
    assert "byte 1); save it as CSV in UTF-8" in refused(tmp_path / "t.csv")
    assert "must be prefix or folder" in refused(tmp_path, "patient")


def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(12):
            (tmp_path / name / f"{name}_{number}.png").write_bytes(encoded(pixels(number), "PNG"))
    assert "form 2 groups" in refused(tmp_path, "prefix")
