"""Dogs vs. Cats in both of its public layouts gives the same images with the same names in the same splits."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from datasets.dataset import Counts, DataError, silent
from datasets.sources.dogs_vs_cats import DogsVsCats
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import encoded, pixels, zipped

SMALL = DogsVsCats(counts=Counts(train=8, val=2, test=2))
BROKEN = 5  # PetImages/Cat/5.jpg holds no image, as Cat/666.jpg in the real one


def pictures(per_class: int = 12) -> dict[tuple[str, int], bytes]:
    return {
        (label, number): encoded(pixels(100 * place + number))
        for place, label in enumerate(("Cat", "Dog"))
        for number in range(per_class)
    }


def pet_images(path: Path, broken: bool = True) -> Path:
    """kagglecatsanddogs_5340.zip as Microsoft has it: two texts, Thumbs.db, a file without an image in each class."""
    files = {"CDLA-Permissive-2.0.pdf": b"%PDF", "readme[1].txt": b"Asirra"}
    for label in ("Cat", "Dog"):
        files |= {f"PetImages/{label}/": b"", f"PetImages/{label}/Thumbs.db": b"\xd0\xcf"}
    for (label, number), content in pictures().items():
        files[f"PetImages/{label}/{number}.jpg"] = b"" if broken and number == BROKEN else content
    return zipped(path, files)


def kaggle(path: Path) -> Path:
    images = {f"train/{label.lower()}.{number}.jpg": content for (label, number), content in pictures().items()}
    return zipped(path, {"train/": b"", **images})


def unzipped(archive: Path) -> Path:
    target = archive.with_suffix("")
    with zipfile.ZipFile(archive) as file:
        file.extractall(target)
    return target


def store(origin: Path, data: Path) -> ImageStore:
    return ImageStore.open(prepare(SMALL, data, str(origin)))


def test_the_layouts_agree(tmp_path: Path) -> None:
    archives = [kaggle(tmp_path / "train.zip"), pet_images(tmp_path / "pets.zip", broken=False)]
    origins = [*archives, *map(unzipped, archives), tmp_path / "train" / "train", tmp_path / "pets" / "PetImages"]
    stores = [store(origin, tmp_path / f"data{place}") for place, origin in enumerate(origins)]
    assert len({one.fingerprint for one in stores}) == 1
    assert stores[0].classes == ("cat", "dog")
    assert Counter(zip(stores[0].labels.tolist(), stores[0].splits.tolist(), strict=True)) == {
        (label, split): count for label in (0, 1) for split, count in enumerate((8, 2, 2))
    }


def test_files_without_an_image_are_left_out_and_named(tmp_path: Path) -> None:
    found = store(pet_images(tmp_path / "pets.zip"), tmp_path / "data")
    assert set(found.broken) == {f"cat/{BROKEN}.jpg", f"dog/{BROKEN}.jpg"}
    assert len(found) == 22


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a zip archive"),
        (b"PK\x03\x04 cut off", "cannot be read as a zip archive"),
        (None, "does not exist; name the archive or the unpacked folder with data"),
    ],
)
def test_what_is_no_archive_is_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "train.zip").write_bytes(content)
    with pytest.raises(DataError) as caught:
        store(tmp_path / "train.zip", tmp_path / "data")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_archive_is_refused_with_the_remedy(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "other.zip", {"train/cat.0.jpg": encoded(pixels(1))})
    with pytest.raises(DataError, match=r"no image of a dog.* https://"):
        store(archive, tmp_path / "data")


def test_other_images_of_the_same_numbers_are_not_lost(tmp_path: Path) -> None:
    twice = {f"copy/train/{name}": encoded(pixels(1)) for name in ("cat.0.jpg", "dog.0.jpg")}
    again = {**twice, **{name.removeprefix("copy/"): content for name, content in twice.items()}}
    with SMALL.images(str(zipped(tmp_path / "twice.zip", again)), tmp_path, silent) as images:
        assert sorted(image.name for image in images) == ["cat/0.jpg", "dog/0.jpg"]
    other = {**again, "train/cat.0.jpg": encoded(pixels(2))}
    with pytest.raises(DataError, match=r"'cat/0\.jpg'.* unique"):
        store(zipped(tmp_path / "other.zip", other), tmp_path / "data")


def test_a_damaged_member_is_a_broken_image(tmp_path: Path) -> None:
    path = kaggle(tmp_path / "train.zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("train/cat.3.jpg")
    content[member.header_offset + 60] ^= 0xFF  # inside its data: the checksum no longer fits
    path.write_bytes(content)
    assert set(store(path, tmp_path / "data").broken) == {"cat/3.jpg"}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("copy/train/cat.3.jpg", b"which of the two is whole cannot be told")
    assert set(store(path, tmp_path / "data").broken) == {"cat/3.jpg"}
