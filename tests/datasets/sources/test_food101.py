"""Food-101 is read from its archive, its folders or an address; anything else is refused in one line."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from datasets.dataset import SPLITS, Counts, DataError, silent
from datasets.sources.food101 import Food101
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import FOOD_CLASSES, food101_archive, food101_files, laid_out

DATASET = Food101(
    name="food3", title="Food-101, two classes", classes=("churros", "bibimbap"), counts=Counts(train=8, val=2, test=2)
)


def refused(origin: Path | str, data_dir: Path, dataset: Food101 = DATASET) -> str:
    with pytest.raises(DataError) as caught:
        prepare(dataset, data_dir, str(origin))
    assert "\n" not in str(caught.value)
    assert not list(data_dir.glob("*.h5"))
    assert [path for path in (data_dir / "scratch").glob("*") if path.is_dir()] == []
    return str(caught.value)


def archive_of(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_archive_becomes_a_store_of_the_wanted_classes(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = prepare(DATASET, tmp_path / "data", str(food101_archive(tmp_path)), lambda *step: told.append(step))
    store = ImageStore.open(path)
    assert store.classes == ("churros", "bibimbap")
    assert len(store) == 24
    assert store.names[:2] == ("bibimbap/1000.jpg", "bibimbap/1037.jpg")
    assert [len(store.indices(split)) for split in SPLITS] == [16, 4, 4]
    assert all(
        store.classes[label] == name.split("/")[0] for label, name in zip(store.labels, store.names, strict=True)
    )
    assert store.notices == ()
    assert list((tmp_path / "data" / "scratch").iterdir()) == [tmp_path / "data" / "scratch" / "food3.lock"]
    size = (tmp_path / "food-101.tar.gz").stat().st_size
    assert [step for step in told if step[0] == "unpacking food-101.tar.gz"][-1][1:] == (size, size)


def test_archive_and_folders_give_the_same_data(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "extracted", food101_files(FOOD_CLASSES, 12)) / "food-101"
    origins = (food101_archive(tmp_path), folder, folder.parent, folder / "images")
    fingerprints = {
        ImageStore.open(prepare(DATASET, tmp_path / f"data{number}", str(origin))).fingerprint
        for number, origin in enumerate(origins)
    }
    assert len(fingerprints) == 1


def test_the_authors_thousand_images_shrink_to_what_a_small_copy_has(tmp_path: Path) -> None:
    dataset = Food101(name="f", title="Food", classes=FOOD_CLASSES, counts=Counts(train=750, val=200, test=50))
    store = ImageStore.open(prepare(dataset, tmp_path / "data", str(food101_archive(tmp_path, per_class=20))))
    assert [len(store.indices(split)) for split in SPLITS] == [45, 12, 3]
    assert "scaled down from 750 / 200 / 50 to 15 / 4 / 1" in store.notices[0]


def test_too_small_a_copy(tmp_path: Path) -> None:
    message = refused(food101_archive(tmp_path, per_class=9), tmp_path / "data")
    assert "'churros' of Food-101, two classes has 9 images, but 12 are needed" in message


def test_a_class_is_missing(tmp_path: Path) -> None:
    archive = food101_archive(tmp_path, classes=("churros", "dumplings"))
    assert "the class 'bibimbap' has no image" in refused(archive, tmp_path / "data")


def test_missing_and_empty_origins(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nothing.tar.gz", tmp_path / "data")
    (tmp_path / "empty.tar.gz").write_bytes(b"")
    assert "is empty; name another copy" in refused(tmp_path / "empty.tar.gz", tmp_path / "data")
    (tmp_path / "empty").mkdir()
    assert "is not Food-101" in refused(tmp_path / "empty", tmp_path / "data")


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_truncated_archives(tmp_path: Path, share: float) -> None:
    archive = food101_archive(tmp_path)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    message = refused(archive, tmp_path / "data")
    assert "delete it and start again" in message


def test_a_flipped_byte(tmp_path: Path) -> None:
    archive = food101_archive(tmp_path)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    assert "delete it and start again" in refused(archive, tmp_path / "data")


def test_wrong_archives(tmp_path: Path) -> None:
    other = archive_of(tmp_path / "other.tar.gz", [(tarfile.TarInfo("cifar-10/data_batch_1"), b"x" * 5000)])
    assert "is not Food-101" in refused(other, tmp_path / "data")
    page = tmp_path / "page.tar.gz"
    page.write_bytes(b"<html>moved</html>" * 100)
    assert "is not a tar archive" in refused(page, tmp_path / "data")
    with gzip.open(tmp_path / "text.tar.gz", "wb") as file:
        file.write(b"not a tar " * 1000)
    assert "is not a tar archive" in refused(tmp_path / "text.tar.gz", tmp_path / "data")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_an_archive_are_refused(tmp_path: Path, kind: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    member = tarfile.TarInfo("food-101/images/churros/1000.jpg")
    member.type, member.linkname = kind, str(secret)
    archive = archive_of(tmp_path / "link.tar.gz", [(member, b"")])
    assert "not a plain file" in refused(archive, tmp_path / "data")


def test_paths_in_an_archive_lead_nowhere_else(tmp_path: Path) -> None:
    names = (
        "food-101/images/churros/../../../../escaped.jpg",
        "/food-101/images/churros/absolute.jpg",
        "../food-101/images/churros/above.jpg",
        "food-101/images/../escaped.jpg",
    )
    linked = tarfile.TarInfo("food-101/images/churros")  # a folder that is a link to elsewhere
    linked.type, linked.linkname = tarfile.SYMTYPE, str(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    good = [(tarfile.TarInfo(name), content) for name, content in food101_files(("churros", "bibimbap"), 12).items()]
    evil = [(linked, b""), *((tarfile.TarInfo(name), b"evil") for name in names)]
    archive = archive_of(tmp_path / "evil.tar.gz", evil + good)
    store = ImageStore.open(prepare(DATASET, tmp_path / "data", str(archive)))
    assert len(store) == 24
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert list(tmp_path.rglob("escaped.jpg")) == []


def test_a_leading_dot_and_foreign_files_are_no_matter(tmp_path: Path) -> None:
    files = {f"./{name}": content for name, content in food101_files(("churros", "bibimbap"), 12).items()}
    files["./food-101/images/churros/._1000.jpg"] = b"macOS"
    files["./food-101/images/churros/Thumbs.db"] = b"Windows"
    archive = archive_of(tmp_path / "a.tar.gz", [(tarfile.TarInfo(name), content) for name, content in files.items()])
    assert len(ImageStore.open(prepare(DATASET, tmp_path / "data", str(archive)))) == 24


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / "data" / "scratch" / "food3" / "churros"
    left.mkdir(parents=True)
    (left / "9999.jpg").write_bytes(b"half an image")
    with DATASET.images(str(food101_archive(tmp_path)), tmp_path / "data", silent) as images:
        assert "churros/9999.jpg" not in {image.name for image in images}
        assert images[0].read()[:2] == b"\xff\xd8"
    assert not left.exists()


def test_addresses_that_are_none(tmp_path: Path) -> None:
    assert "must start with http:// or https://" in refused("s3://bucket/food-101.tar.gz", tmp_path / "data")
