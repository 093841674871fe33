"""GTSRB from archives laid out as the official ones are."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets.dataset import DataError
from datasets.sources.traffic_signs import CLASSES, TrafficSigns
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import encoded, pixels

TRACKS, FRAMES, TESTED = 7, 2, 43  # the smallest class of the real one has 7 tracks of 30 frames


def archives(folder: Path, labels: bool = True) -> Path:
    """The three official files: PPM images in a folder a class, each with its list; the test split flat."""
    folder.mkdir()
    header = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\n"
    with zipfile.ZipFile(folder / "GTSRB_Final_Training_Images.zip", "w") as archive:
        archive.writestr("GTSRB/Readme-Images.txt", "German Traffic Sign Recognition Benchmark")
        for label in range(len(CLASSES)):
            rows = header
            for track in range(TRACKS):
                for frame in range(FRAMES):
                    name = f"{track:05d}_{frame:05d}.ppm"
                    image = encoded(pixels(1000 * label + 10 * track + frame, 20 + frame, 22), "PPM")
                    archive.writestr(f"GTSRB/Final_Training/Images/{label:05d}/{name}", image)
                    rows += f"{name};22;{20 + frame};5;5;17;15;{label}\r\n"
            archive.writestr(f"GTSRB/Final_Training/Images/{label:05d}/GT-{label:05d}.csv", rows)
    with zipfile.ZipFile(folder / "GTSRB_Final_Test_Images.zip", "w") as archive:
        archive.writestr("GTSRB/Final_Test/Images/GT-final_test.test.csv", header[: header.rindex(";")])
        for number in range(TESTED):
            image = encoded(pixels(10**6 + number, 30, 30), "PPM")
            archive.writestr(f"GTSRB/Final_Test/Images/{number:05d}.ppm", image)
    if labels:
        with zipfile.ZipFile(folder / "GTSRB_Final_Test_GT.zip", "w") as archive:
            rows = "".join(f"{n:05d}.ppm;30;30;5;5;25;25;{(n * 7) % 43}\r\n" for n in range(TESTED))
            archive.writestr("GT-final_test.csv", header + rows)
    return folder


def test_official_archives_become_a_store(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(TrafficSigns(), tmp_path / "data", str(archives(tmp_path / "in"))))
    assert store.classes == CLASSES
    assert len(set(CLASSES)) == 43
    counted = Counter(zip(store.labels.tolist(), store.splits.tolist(), strict=True))
    # One of seven tracks of every class is for validation.
    assert all(counted[label, 0] == 6 * FRAMES and counted[label, 1] == FRAMES for label in range(43))
    tested = {store.names[index]: int(store.labels[index]) for index in store.indices("test")}
    assert tested == {f"test/{n:05d}.ppm": (n * 7) % 43 for n in range(TESTED)}
    assert any("no val split of its own" in notice for notice in store.notices)


def test_no_track_is_in_two_splits(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(TrafficSigns(), tmp_path / "data", str(archives(tmp_path / "in"))))
    tracks: dict[str, set[int]] = {}
    for name, split in zip(store.names, store.splits.tolist(), strict=True):
        if name.startswith("train/"):
            tracks.setdefault(name.rpartition("_")[0], set()).add(split)
    assert len(tracks) == 43 * TRACKS
    assert all(len(splits) == 1 for splits in tracks.values())


def test_unpacked_is_the_same(tmp_path: Path) -> None:
    packed = archives(tmp_path / "in")
    for archive in packed.glob("*.zip"):
        with zipfile.ZipFile(archive) as file:
            file.extractall(tmp_path / "out")
    stores = [
        ImageStore.open(prepare(TrafficSigns(), tmp_path / name, str(origin)))
        for name, origin in (("a", packed), ("b", tmp_path / "out"))
    ]
    assert stores[0].fingerprint == stores[1].fingerprint
    np.testing.assert_array_equal(stores[0].image(0), stores[1].image(0))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for origin, message in (
        (tmp_path / "empty", "has no train image of GTSRB; name a folder with GTSRB_Final_Training_Images.zip"),
        (archives(tmp_path / "in", labels=False), "has test images, but not their labels, GT-final_test.csv"),
    ):
        with pytest.raises(DataError) as caught:
            prepare(TrafficSigns(), tmp_path / "data", str(origin))
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
