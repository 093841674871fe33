"""Flowers 17 from its archive, whose files say by their numbers what they show, or from a folder a flower."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from datasets.dataset import silent
from datasets.sources.flowers17 import CLASSES, Flowers17
from datasets.store.image_store import ImageStore, prepare
from datasets.store.splits import assign_splits
from tests.fixtures.archives import encoded, laid_out, listed, pixels, refusal, tarred, zipped

SMALL = {label: encoded(pixels(label, 16, 20)) for label in range(len(CLASSES))}


def files(per_class: int = 80) -> dict[str, bytes]:
    """17flowers.tgz: 1,360 photographs in one folder, and the list of them with an editor's copy."""
    numbers = [number for number in range(1, 1361) if (number - 1) % 80 < per_class]
    made = {f"jpg/image_{number:04d}.jpg": SMALL[(number - 1) // 80] for number in numbers}
    names = "\n".join(sorted(name.removeprefix("jpg/") for name in made)).encode()
    return {**made, "jpg/files.txt": names, "jpg/files.txt~": names}


def test_80_in_a_row_are_one_flower(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "17flowers.tgz", files())
    with Flowers17().images(str(archive), tmp_path, silent) as images:
        used, notices = assign_splits(Flowers17(), images)
    assert notices == ()
    assert Counter((image.label, split) for image, split in used) == {
        (label, split): count for label in range(17) for split, count in (("train", 51), ("val", 9), ("test", 20))
    }  # the report's 1,020 to learn from, of which 153 are to choose by, and its 340
    flower = {image.name.partition("/")[2]: CLASSES[image.label] for image, _ in used}
    for number, name in ((1, "daffodil"), (80, "daffodil"), (81, "snowdrop"), (801, "daisy"), (1360, "pansy")):
        assert flower[f"image_{number:04d}.jpg"] == name
    assert all(image.name.startswith(f"{CLASSES[image.label]}/") for image, _ in used)


def test_archive_and_folders_are_the_same_data(tmp_path: Path) -> None:
    flat = files(per_class=3)
    by_flower = {
        f"images/{folder}/{name[4:]}": content
        for name, content in flat.items()
        if name.endswith(".jpg")
        for folder in [CLASSES[(int(name[10:14]) - 1) // 80].title().replace(" ", "")]  # LilyValley, ColtsFoot
    }
    expected = listed(Flowers17(), tarred(tmp_path / "17flowers.tgz", flat), tmp_path / "data")
    assert len(expected) == 51
    folder = laid_out(tmp_path / "flat", {**flat, "jpg/small_image_0001.jpg": SMALL[0]})
    low = {name.lower(): content for name, content in by_flower.items()}
    for origin in (
        *(folder, folder / "jpg"),
        *(laid_out(tmp_path / "named", by_flower), laid_out(tmp_path / "low", low)),
    ):
        assert listed(Flowers17(), origin, tmp_path / "data") == expected


def test_fewer_images_shrink_the_split(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Flowers17(), tmp_path, str(laid_out(tmp_path / "in", files(per_class=12)))))
    assert "scaled down from 51 / 9 / 20 to 8 / 1 / 3" in store.notices[0]


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_a_flower_that_is_missing_is_named(tmp_path: Path, kind: str) -> None:
    some = {name: content for name, content in files(2).items() if not name.startswith("jpg/image_016")}
    origin = tarred(tmp_path / "17flowers.tgz", some) if kind == "archive" else laid_out(tmp_path / "in", some)
    said = refusal(Flowers17(), origin, tmp_path / "data")
    assert "'lily valley', neither image_0161.jpg to image_0240.jpg" in said


def test_other_archives(tmp_path: Path) -> None:
    said = refusal(Flowers17(), tarred(tmp_path / "102flowers.tgz", {"jpg/rose.jpg": SMALL[0]}), tmp_path / "data")
    assert "has no image of 'daffodil'" in said
    cut = tarred(tmp_path / "17flowers.tgz", files(2))
    cut.write_bytes(cut.read_bytes()[:-50])
    assert "is truncated or damaged" in refusal(Flowers17(), cut, tmp_path / "data")
    said = refusal(Flowers17(), zipped(tmp_path / "flowers.zip", files(2)), tmp_path / "data")
    assert "is not a tar archive" in said
