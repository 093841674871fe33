"""A store is whole or absent, built once, and tells what it left out."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from filelock import FileLock

from datasets.dataset import SPLITS, Counts, DataError
from datasets.images.histogram import channel_histogram, mean_and_deviation
from datasets.store import store_writer
from datasets.store.image_store import ImageStore, prepare, store_path
from tests.fixtures.archives import Pictures, pixels

CHECKOUT = Path(__file__).parents[3]


def one_line(caught: pytest.ExceptionInfo[DataError]) -> str:
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_stored_is_what_was_published(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Pictures(), tmp_path))
    assert store.classes == ("first", "second")
    assert store.title == "Pictures"
    assert store.names == tuple(f"{name}/{number:03d}.png" for name in ("first", "second") for number in range(10))
    assert store.labels.tolist() == [0] * 10 + [1] * 10
    assert store.labels.dtype == np.int64
    for index in range(len(store)):
        number = 100 * (index // 10) + index % 10
        expected = pixels(number, 20 + number % 7, 24 + number % 3)
        np.testing.assert_array_equal(store.image(index), expected)
        assert (store.heights[index], store.widths[index]) == expected.shape[:2]
    assert store.broken == {}
    assert store.notices == ()


def test_splits_cover_every_image_once(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Pictures(), tmp_path))
    parts = [store.indices(split) for split in SPLITS]
    assert [len(part) for part in parts] == [14, 4, 2]
    assert sorted(np.concatenate(parts).tolist()) == list(range(20))
    with pytest.raises(DataError, match="one of train, val, test"):
        store.indices("training")  # type: ignore[arg-type]


def test_images_are_read_only_views_of_the_file(tmp_path: Path) -> None:
    image = ImageStore.open(prepare(Pictures(), tmp_path)).image(3)
    assert not image.flags.writeable
    assert not image.flags.owndata
    store = ImageStore.open(prepare(Pictures(), tmp_path))
    for index in (-1, 20):
        with pytest.raises(IndexError, match="use 0 to 19"):
            store.image(index)


def test_large_images_are_bounded(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Pictures(max_side=16), tmp_path))
    assert max(store.heights.max(), store.widths.max()) == 16


def test_scaling_statistics_come_from_training_images_alone(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Pictures(), tmp_path))
    values = np.concatenate([store.image(index).reshape(-1, 3) for index in store.indices("train")]).astype(np.float64)
    np.testing.assert_allclose(store.channel_mean, values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(store.channel_std, values.std(axis=0), rtol=1e-10)


def test_histograms_agree_with_a_count_by_hand() -> None:
    image = np.array([[[0, 1, 255], [0, 2, 255]]], np.uint8)
    histogram = channel_histogram(image)
    assert histogram.sum(axis=1).tolist() == [2, 2, 2]
    assert (histogram[0, 0], histogram[1, 1], histogram[1, 2], histogram[2, 255]) == (2, 1, 1, 2)
    mean, deviation = mean_and_deviation(histogram)
    assert mean == (0.0, 1.5, 255.0)
    assert deviation == (0.0, 0.5, 0.0)


def test_stores_that_users_have_are_not_built_again(tmp_path: Path) -> None:
    """Another name or fingerprint would decode every user's images anew.

    Raise store_writer.VERSION where that is meant.
    """
    path = prepare(Pictures(), tmp_path)
    assert path.name == "pictures-64px-c78fd9e844.h5"
    store = ImageStore.open(path)
    assert store.fingerprint == "ac6a8b8b9cf4df60f365cc0092f36fbcc8afbb6e0817c5a5f83aafa5819d4e7d"
    pixels = hashlib.sha256(b"".join(store.image(index).tobytes() for index in range(len(store))))
    assert pixels.hexdigest() == "b4090ac3e339a6dd14cedbe09014c7cf4b327db6ed47688dc7d38f6299a30768"


def test_preparing_again_builds_nothing(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    dataset = Pictures(diary=str(diary))
    path = prepare(dataset, tmp_path)
    before = path.stat()
    assert prepare(dataset, tmp_path) == path
    assert diary.read_text() == "asked\n"
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_another_origin_builds_again_and_the_same_one_does_not(tmp_path: Path) -> None:
    diary, origin = tmp_path / "diary", tmp_path / "origin.tar.gz"
    origin.write_bytes(b"one")
    dataset = Pictures(diary=str(diary))
    for expected in (1, 1):
        prepare(dataset, tmp_path, str(origin))
        assert len(diary.read_text().splitlines()) == expected
    prepare(dataset, tmp_path)  # whatever it was built from
    assert len(diary.read_text().splitlines()) == 1
    origin.write_bytes(b"another")
    prepare(dataset, tmp_path, str(origin))
    assert len(diary.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "change", [{"max_side": 32}, {"counts": Counts(train=6, val=3, test=1)}, {"classes": ("first", "third")}]
)
def test_whatever_changes_the_content_changes_the_path(tmp_path: Path, change: dict[str, Any]) -> None:
    assert store_path(Pictures(**change), tmp_path) != store_path(Pictures(), tmp_path)
    assert store_path(Pictures(title="Other words"), tmp_path) == store_path(Pictures(), tmp_path)


def test_fingerprints_tell_pixels_apart_and_not_folders(tmp_path: Path) -> None:
    def fingerprint(dataset: Pictures, folder: str) -> str:
        return ImageStore.open(prepare(dataset, tmp_path / folder)).fingerprint

    first = fingerprint(Pictures(), "a")
    assert len(first) == len(hashlib.sha256().hexdigest())
    assert fingerprint(Pictures(), "b") == first
    assert fingerprint(Pictures(max_side=20), "c") != first
    assert fingerprint(Pictures(counts=Counts(train=6, val=3, test=1)), "d") != first


def test_a_store_pickles_as_its_path(tmp_path: Path) -> None:
    store = ImageStore.open(prepare(Pictures(), tmp_path))
    store.image(0)
    content = pickle.dumps(store)
    assert len(content) < 1000
    copy = pickle.loads(content)
    assert copy.path == store.path
    np.testing.assert_array_equal(copy.image(7), store.image(7))


def test_a_store_rebuilt_from_other_images_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    path = prepare(Pictures(), tmp_path / "a")
    content = pickle.dumps(ImageStore.open(path))
    shutil.copy(prepare(Pictures(max_side=20), tmp_path / "b"), path)
    with pytest.raises(DataError, match="rebuilt from other images"):
        pickle.loads(content)


def test_no_store_and_damaged_stores(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no image store at"):
        ImageStore.open(tmp_path / "none.h5")
    path = prepare(Pictures(), tmp_path)
    whole = path.read_bytes()
    for damaged in (b"", b"nonsense" * 100, whole[: len(whole) // 2], whole[:-5000]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="not a complete image store") as caught:
            ImageStore.open(path)
        one_line(caught)
    assert ImageStore.open(prepare(Pictures(), tmp_path)).image(0).shape == (20, 24, 3)  # it heals itself


def test_a_broken_image_is_left_out_and_named(tmp_path: Path) -> None:
    dataset = Pictures(per_class=40, counts=Counts(train=28, val=8, test=4), broken=("second/007.png",))
    dataset = replace(dataset, unreadable=("first/003.png",))
    store = ImageStore.open(prepare(dataset, tmp_path))
    assert set(store.broken) == {"first/003.png", "second/007.png"}
    assert store.broken["first/003.png"] == "Input/output error"
    assert store.notices == ("2 broken images left out: first/003.png, second/007.png",)
    assert len(store) == 78
    assert not {"first/003.png", "second/007.png"} & set(store.names)
    # The others keep the split that they have in a data set without a broken image.
    whole = ImageStore.open(prepare(replace(dataset, broken=(), unreadable=()), tmp_path))
    split_of = dict(zip(whole.names, whole.splits.tolist(), strict=True))
    assert all(split_of[name] == split for name, split in zip(store.names, store.splits.tolist(), strict=True))
    np.testing.assert_array_equal(store.image(77), whole.image(79))


def test_too_many_broken_images_are_refused(tmp_path: Path) -> None:
    broken = tuple(f"second/{number:03d}.png" for number in range(3))
    dataset = Pictures(per_class=40, counts=Counts(train=28, val=8, test=4), broken=broken)
    with pytest.raises(
        DataError, match=r"3 of 40 images of the class 'second' are broken, but at most 5% may be"
    ) as caught:
        prepare(dataset, tmp_path)
    assert "second/000.png (" in one_line(caught)
    assert all(name in one_line(caught) for name in broken)
    assert not list(tmp_path.glob("*.h5"))
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_class_that_is_too_small_without_its_broken_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare(Pictures(broken=("second/000.png",)), tmp_path)
    assert "1 of 10 images of the class 'second'" in one_line(caught)
    assert "but at least 10 must be whole; replace them" in one_line(caught)


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for data_dir in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError, match="choose another with data_dir") as caught:
            prepare(Pictures(), data_dir)
        one_line(caught)


def test_a_disk_without_room_is_noticed_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1000))
    monkeypatch.setattr(store_writer, "decode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"0.0 GB free, but the image store needs") as caught:
        prepare(Pictures(), tmp_path)
    one_line(caught)


def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_writer, "open", lambda *_: Full(), raising=False)
    with pytest.raises(DataError, match=r"No space left on device") as caught:
        prepare(Pictures(), tmp_path)
    one_line(caught)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if what.startswith("decoding") and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(Pictures(), tmp_path, progress=interrupt)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_progress_counts_every_image(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    prepare(Pictures(), tmp_path, progress=lambda *step: told.append(step))
    for work in ("measuring pictures", "decoding pictures"):
        assert [step[1:] for step in told if step[0] == work] == [(done, 20) for done in range(1, 21)]


BUILD = """
import sys
from pathlib import Path
from datasets.store.image_store import prepare
from tests.fixtures.archives import Pictures
prepare(Pictures(seconds_each=float(sys.argv[2]), diary=sys.argv[3]), Path(sys.argv[1]))
"""


def start(data_dir: Path, seconds_each: float, diary: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", BUILD, str(data_dir), str(seconds_each), str(diary)]
    return subprocess.Popen(command, cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)})


@pytest.mark.slow
def test_a_killed_build_leaves_no_store_and_no_lock(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    data_dir = tmp_path / "data"
    process = start(data_dir, 0.1, diary)
    deadline = time.monotonic() + 60
    while not list(data_dir.glob("*.unfinished")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(data_dir.glob("*.unfinished"))
    assert not list(data_dir.glob("*.h5"))
    dataset = Pictures(seconds_each=0.1, diary=str(diary))  # the same data set: the seconds are part of its name
    path = prepare(dataset, data_dir)
    assert len(ImageStore.open(path)) == 20
    assert not list(data_dir.glob("*.unfinished"))


def test_the_next_build_removes_what_a_killed_one_of_other_images_left(tmp_path: Path) -> None:
    for name in ("killed", "running"):
        (tmp_path / f"{name}.unfinished").touch()
    with FileLock(tmp_path / "running.lock"):
        prepare(Pictures(), tmp_path)
    assert [path.name for path in tmp_path.glob("*.unfinished")] == ["running.unfinished"]


@pytest.mark.slow
def test_two_processes_build_once(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    processes = [start(tmp_path / "data", 0.05, diary) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert diary.read_text() == "asked\n"
    (path,) = (tmp_path / "data").glob("*.h5")
    assert len(ImageStore.open(path)) == 20
