"""tiny-imagenet-200.zip: the test split is cut from training, the authors' validation images stay what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from datasets.dataset import silent
from datasets.sources.tiny_imagenet import NAMES, TinyImageNet
from datasets.store.splits import assign_splits
from tests.fixtures.archives import encoded, laid_out, listed, pixels, refusal, zipped

WNIDS = tuple(NAMES)
TRAINED = 10  # of 500
VAL = 200  # of 10,000
Files = dict[str, bytes]


@cache
def files() -> Files:
    made: Files = {}
    for label, wnid in enumerate(WNIDS):
        image = encoded(pixels(label, 12, 12))  # 64 x 64 in the real one
        made |= {f"train/{wnid}/images/{wnid}_{number}.JPEG": image for number in range(TRAINED)}
        rows = [f"{wnid}_{number}.JPEG\t0\t0\t63\t63" for number in range(TRAINED)]
        made[f"train/{wnid}/{wnid}_boxes.txt"] = "\n".join(rows).encode()
    rows = []
    for number in range(VAL):
        label = (7 * number) % len(WNIDS)
        made[f"val/images/val_{number}.JPEG"] = encoded(pixels(label, 12, 12))
        made[f"test/images/test_{number}.JPEG"] = b"never looked at"
        rows.append(f"val_{number}.JPEG\t{WNIDS[label]}\t0\t32\t44\t62\n")
    made["val/val_annotations.txt"] = "".join(rows).encode()
    made["wnids.txt"] = "\n".join(reversed(WNIDS)).encode()
    made["words.txt"] = "\n".join(f"{wnid}\t{name}, and more" for wnid, name in NAMES.items()).encode()
    return {f"tiny-imagenet-200/{name}": content for name, content in made.items()}


def test_the_test_split_is_cut_from_training(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "tiny-imagenet-200.zip", files())
    with TinyImageNet().images(str(archive), tmp_path, silent) as images:
        used, notices = assign_splits(TinyImageNet(), images)
    assert Counter((image.label, split) for image, split in used) == {
        (label, split): count for label in range(200) for split, count in (("train", 9), ("val", 1), ("test", 1))
    }
    label_of = {image.name: image.label for image, _ in used}
    classes = TinyImageNet().classes
    assert len(classes) == len(set(classes)) == 200
    assert classes[label_of["train/n02124075/n02124075_3.JPEG"]] == "Egyptian cat"
    assert {image.name: image.label for image, split in used if split == "val"} == {
        f"val/val_{number}.JPEG": (7 * number) % 200 for number in range(VAL)
    }
    assert all(image.name.startswith("train/") for image, split in used if split == "test")
    assert notices == ("no test split of its own: 10 % of each class's training images are for test",)


def test_unpacked_it_is_the_same(tmp_path: Path) -> None:
    few = {name: content for name, content in files().items() if "train" not in name or name.endswith("_3.JPEG")}
    expected = listed(TinyImageNet(), zipped(tmp_path / "tiny-imagenet-200.zip", few), tmp_path / "data")
    assert len(expected) == 200 + VAL
    folder = laid_out(tmp_path / "in", few)
    for origin in (folder, folder / "tiny-imagenet-200"):
        assert listed(TinyImageNet(), origin, tmp_path / "data") == expected


ANNOTATIONS = "tiny-imagenet-200/val/val_annotations.txt"


def without(part: str) -> Callable[[Files], Files]:
    return lambda files: {name: content for name, content in files.items() if part not in name}


def annotated(change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    return lambda files: {**files, ANNOTATIONS: change(files[ANNOTATIONS])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("train/n02124075/"), "has no training image of 'Egyptian cat' (train/n02124075/images/*.JPEG); name"),
        (without("val/images"), "has no validation image (val/images/*.JPEG)"),
        (without("val_annotations"), "has validation images, but not their labels, val/val_annotations.txt"),
        (annotated(lambda text: text.partition(b"\n")[2]), "says nothing of val_0.JPEG"),
        (annotated(lambda text: text.replace(b"\t", b" ")), "must have rows of file, class and box, by tabs"),
        (annotated(lambda text: b"\xff\xfe" + text), "must have rows of file, class and box, by tabs"),
        (annotated(lambda text: text.replace(WNIDS[7].encode(), b"n00000001")), "of the class 'n00000001', which Tiny"),
        (
            lambda files: {**files, "tiny-imagenet-200/train/n00000002/images/n00000002_0.JPEG": b""},
            "n00000002_0.JPEG in",
        ),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, change: Callable[[Files], Files], message: str) -> None:
    origin = zipped(tmp_path / "tiny-imagenet-200.zip", change(files()))
    assert message in refusal(TinyImageNet(), origin, tmp_path / "data")


def test_a_truncated_archive(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "tiny-imagenet-200.zip", files())
    archive.write_bytes(archive.read_bytes()[:-100])
    assert "cannot be read as a zip archive" in refusal(TinyImageNet(), archive, tmp_path / "data")
