"""The four idx files, gzipped or not, and every way in which they can be wrong."""

from __future__ import annotations

import gzip
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.readers.idx_format import IdxError, parse
from datasets.sources.mnist import Mnist
from datasets.store.image_store import ImageStore, prepare
from tests.fixtures.archives import laid_out, listed, refusal, zipped

TRAINING, TESTED = 200, 30
Files = dict[str, bytes]


def idx(array: np.ndarray) -> bytes:
    """As the authors describe it: 0, 0, 8 (unsigned bytes), dimensions, their sizes in big-endian, values."""
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    made = {}
    for part, count in (("train", TRAINING), ("t10k", TESTED)):
        made[f"{part}-images-idx3-ubyte"] = random.integers(0, 256, (count, 28, 28), np.uint8)
        made[f"{part}-labels-idx1-ubyte"] = (np.arange(count) % 10).astype(np.uint8)
    return made


def files() -> Files:
    return {name: idx(array) for name, array in arrays().items()}


def test_every_way_of_packing_is_the_same_data(tmp_path: Path) -> None:
    plain = files()
    packed = {f"{name}.gz": gzip.compress(content) for name, content in plain.items()}
    dotted = {name.replace("-idx", ".idx"): content for name, content in plain.items()}
    origins = [
        laid_out(tmp_path / "plain", plain),
        laid_out(tmp_path / "packed" / "MNIST", {f"raw/{name}": content for name, content in packed.items()}),
        laid_out(tmp_path / "both", {**plain, **packed}),
        laid_out(tmp_path / "dotted", dotted),
        zipped(tmp_path / "mnist.zip", packed),
    ]
    expected = listed(Mnist(), origins[0], tmp_path / "data")
    assert all(listed(Mnist(), origin, tmp_path / "data") == expected for origin in origins[1:])
    store = ImageStore.open(prepare(Mnist(), tmp_path / "data", str(origins[0])))
    assert (store.name, store.title, store.classes) == ("mnist", "MNIST", tuple("0123456789"))
    # 20 training images a class, 10 % of which are for validation.
    assert Counter(zip(store.labels.tolist(), store.splits.tolist(), strict=True)) == {
        (label, split): count for label in range(10) for split, count in enumerate((18, 2, 3))
    }
    assert store.notices == ("no val split of its own: 10 % of each class's training images are for val",)
    made = arrays()
    tested = store.indices("test")
    assert store.labels[tested].tolist() == made["t10k-labels-idx1-ubyte"].tolist()
    np.testing.assert_array_equal(  # grey as red, green and blue
        store.image(int(tested[7])), np.repeat(made["t10k-images-idx3-ubyte"][7][..., None], 3, axis=2)
    )
    assert all(name.startswith("t10k/") for name in np.array(store.names)[tested])


def cut(name: str, keep: int) -> Callable[[Files], Files]:
    return lambda files: {**files, name: files[name][:keep]}


def changed(name: str, content: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: content}


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: content for other, content in files.items() if other != name}


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without(LABELS), "has no train-labels-idx1-ubyte (or .gz); name a folder with the four files"),
        (without("t10k-images-idx3-ubyte"), "has no t10k-images-idx3-ubyte"),
        (cut(IMAGES, -1), "its header claims 156,800 bytes (200 x 28 x 28), but it holds only 156,799"),
        (cut(IMAGES, 10), "it ends within its header"),
        (cut(IMAGES, 0), "it begins with nothing, but must with 00000803"),
        (changed(IMAGES, files()[LABELS]), "no idx file of images (it begins with 00000801, but must with 00000803)"),
        (changed(LABELS, b"\x00\x00\x0d\x01" + files()[LABELS][4:]), "begins with 00000d01, but must with 00000801"),
        (changed(LABELS, files()[LABELS] + b"\0"), "it holds more"),
        (changed(LABELS, idx(np.zeros(TRAINING - 1, np.uint8))), "holds 199 labels for 200 images"),
        (changed(LABELS, idx(np.full(TRAINING, 10, np.uint8))), "holds the label 10, but MNIST has 10 classes, 0 to 9"),
        (changed(IMAGES, idx(np.zeros((TRAINING, 32, 30), np.uint8))), "holds images of 30 x 32 pixels, but those of"),
        (changed(IMAGES, gzip.compress(files()[IMAGES])[:-9]), "it is truncated or damaged"),
        (changed(IMAGES, gzip.compress(files()[IMAGES])[:-8] + bytes(8)), "it is truncated or damaged: CRC check"),
        (changed(IMAGES, b"\0\0\x08\x03" + b"\xff" * 12), "over the limit of 1,073,741,824"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, change: Callable[[Files], Files], message: str) -> None:
    assert message in refusal(Mnist(), laid_out(tmp_path / "in", change(files())), tmp_path / "data")


def test_one_of_the_files_alone_and_nothing_at_all(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "in", files())
    assert "name a folder" in refusal(Mnist(), folder / IMAGES, tmp_path / "data")
    (tmp_path / "empty").mkdir()
    assert "has no train-images-idx3-ubyte (or .gz)" in refusal(Mnist(), tmp_path / "empty", tmp_path / "data")
    assert "does not exist; name the archive" in refusal(Mnist(), tmp_path / "none", tmp_path / "data")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.booleans())
def test_any_array_comes_back(sizes: list[int], zipped: bool) -> None:
    array = np.random.default_rng(sum(sizes)).integers(0, 256, sizes, np.uint8)
    encoded = gzip.compress(idx(array)) if zipped else idx(array)
    np.testing.assert_array_equal(parse(encoded, len(sizes)), array)
    with pytest.raises(IdxError, match="must with"):
        parse(encoded, len(sizes) + 1)
