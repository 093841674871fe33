"""CIFAR-10's binary version: records of a label and three planes of 1,024 bytes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets.sources.cifar10 import BATCHES, CLASSES, Cifar10
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import laid_out, listed, refusal, tarred

PER_BATCH = 20
RECORD = 3073


def pictures(batch: str) -> np.ndarray:
    return np.random.default_rng(BATCHES.index(batch)).integers(0, 256, (PER_BATCH, 32, 32, 3), np.uint8)


def content(batch: str) -> bytes:
    """Byte by byte as its page says: "the first 1024 bytes are the red channel values, the next 1024 the green"."""
    records = b""
    for number, picture in enumerate(pictures(batch)):
        records += bytes([number % 10])
        for channel in range(3):
            records += bytes(value for row in picture[..., channel].tolist() for value in row)
    return records


def files(**changes: bytes | None) -> dict[str, bytes]:
    """By name in the archive; a change of None leaves that batch out."""
    made = {f"{batch}.bin": content(batch) for batch in BATCHES}
    made |= {"batches.meta.txt": "\n".join(CLASSES).encode() + b"\n\n", "readme.html": b"<meta>"}
    made |= {f"{name}.bin": value for name, value in changes.items() if value is not None}
    return {
        f"cifar-10-batches-bin/{name}": value
        for name, value in made.items()
        if changes.get(name.removesuffix(".bin"), b"") is not None
    }


def test_archive_and_folder_are_the_same_data(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "in", files())
    origins = [tarred(tmp_path / "cifar-10-binary.tar.gz", files()), folder, folder / "cifar-10-batches-bin"]
    expected = listed(Cifar10(), origins[0], tmp_path / "data")
    assert all(listed(Cifar10(), origin, tmp_path / "data") == expected for origin in origins[1:])
    store = ImageStore.open(prepare(Cifar10(), tmp_path / "data", str(origins[0])))
    assert store.classes == CLASSES
    # 10 training images a class, 10 % of which are for validation.
    assert Counter(zip(store.labels.tolist(), store.splits.tolist(), strict=True)) == {
        (label, split): count for label in range(10) for split, count in enumerate((9, 1, 2))
    }
    for batch in ("data_batch_3", "test_batch"):
        index = store.names.index(f"{batch}/00013.ppm")
        np.testing.assert_array_equal(store.image(index), pictures(batch)[13])
        assert store.labels[index] == 3
        assert (store.splits[index] == 2) == (batch == "test_batch")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_batch_3": None}, "has no data_batch_3.bin; name the archive from https://"),
        ({"test_batch": None}, "has no test_batch.bin"),
        ({"data_batch_2": content("data_batch_2")[:-1]}, "data_batch_2.bin in"),
        ({"data_batch_2": content("data_batch_2")[:-1]}, "has 61,459 bytes, but must hold whole records of 3,073"),
        ({"data_batch_5": b""}, "has 0 bytes, but must hold whole records"),
        ({"data_batch_1": bytes([10]) * RECORD}, "holds the label 10, but CIFAR-10's go from 0 to 9"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, changes: dict[str, bytes | None], message: str) -> None:
    assert message in refusal(Cifar10(), laid_out(tmp_path / "in", files(**changes)), tmp_path / "data")
    archive = tarred(tmp_path / "cifar-10-binary.tar.gz", files(**changes))
    assert message in refusal(Cifar10(), archive, tmp_path / "data")


def test_other_versions_are_told_apart(tmp_path: Path) -> None:
    python = {f"cifar-10-batches-py/{name}": b"\x80\x02}." for name in (*BATCHES, "batches.meta")}
    folder = laid_out(tmp_path / "in", python)
    for origin in (tarred(tmp_path / "cifar-10-python.tar.gz", python), folder, folder / "cifar-10-batches-py"):
        assert "is the version for Python, pickles" in refusal(Cifar10(), origin, tmp_path / "data")
    other = files() | {"cifar-10-batches-bin/batches.meta.txt": b"apple\nbear\n"}
    said = refusal(Cifar10(), laid_out(tmp_path / "other", other), tmp_path / "data")
    assert "names the classes apple, bear, not CIFAR-10's" in said


def test_a_truncated_archive(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "cifar-10-binary.tar.gz", files())
    archive.write_bytes(archive.read_bytes()[:-100])
    assert "is truncated or damaged" in refusal(Cifar10(), archive, tmp_path / "data")
