"""Pickled traffic signs: refused, converted without running anything, or trusted; always the same pixels."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.dataset import DataError
from datasets.sources.traffic_sign_arrays import MEAN_FILE, convert, images
from datasets.sources.traffic_signs import TrafficSigns
from datasets.store.image_store import ImageStore, prepare
from errors import arg

COUNTS = {"train": 43 * 3, "validation": 43, "test": 43}


def pixels_of_each() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.integers(0, 256, (count, 3, 32, 32), np.uint8) for name, count in COUNTS.items()}


def contents(**changes: Any) -> tuple[dict[str, Any], np.ndarray]:
    """What data2.pickle holds as Kaggle has it, with changes, and its mean image."""
    pixels = pixels_of_each()
    mean = (pixels["train"] / np.float32(255)).mean(axis=0)
    data: dict[str, Any] = {}
    for name, array in pixels.items():
        data |= {f"x_{name}": array / np.float32(255) - mean, f"y_{name}": np.arange(len(array)) % 43}
    return {**data, "labels": ["a"] * 43, **changes}, mean


def signs(folder: Path, protocol: int | None = 3, **changes: Any) -> Path:
    """data2.pickle beside its mean image. protocol: None writes them as Python 2 would."""
    data, mean = contents(**changes)
    folder.mkdir(exist_ok=True)
    for name, content in (("data2.pickle", data), (MEAN_FILE, {"mean_image_rgb": mean})):
        written = python2(content) if protocol is None else pickle.dumps(content, protocol=protocol)
        (folder / name).write_bytes(written)
    return folder / "data2.pickle"


def python2(content: dict[str, Any]) -> bytes:
    """A dictionary of arrays and lists of texts in protocol 0: bytes are STRING opcodes, in quotes and escaped."""

    def written(value: Any) -> bytes:
        if isinstance(value, list):
            return b"(l" + b"".join(b"S%s\na" % repr(text).encode() for text in value)
        shape = b"(" + b"".join(b"I%d\n" % side for side in value.shape) + b"t"
        kind = b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb" % value.dtype.str[1:].encode()
        raw = b"S%s\n" % repr(value.tobytes())[1:].encode()
        empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        return empty + b"(I1\n" + shape + kind + b"I00\n" + raw + b"tb"

    return b"(d" + b"".join(b"S'%s'\n%ss" % (name.encode(), written(value)) for name, value in content.items()) + b"."


@pytest.mark.parametrize("protocol", [None, 2, 3, 4])
def test_converted_and_trusted_are_the_same_pixels(tmp_path: Path, protocol: int | None) -> None:
    source = signs(tmp_path / "in", protocol)
    assert convert(source, tmp_path / "signs.npz") == sum(COUNTS.values())
    stores = [
        ImageStore.open(prepare(TrafficSigns(), tmp_path / "a", str(tmp_path / "signs.npz"))),
        ImageStore.open(prepare(TrafficSigns(allow_pickle=True), tmp_path / "b", str(source))),
    ]
    assert stores[0].fingerprint == stores[1].fingerprint
    store = stores[0]
    assert [len(store.indices(split)) for split in ("train", "val", "test")] == list(COUNTS.values())
    expected = pixels_of_each()["test"][5].transpose(1, 2, 0)
    np.testing.assert_array_equal(store.image(int(store.indices("test")[5])), expected)
    assert store.labels[store.indices("test")].tolist() == list(range(43))


def test_a_store_of_a_trusted_pickle_is_found_without_the_word(tmp_path: Path) -> None:
    source = signs(tmp_path / "in")
    built = prepare(TrafficSigns(allow_pickle=True), tmp_path / "data", str(source))
    before = built.stat().st_mtime_ns
    assert prepare(TrafficSigns(), tmp_path / "data") == built
    assert prepare(TrafficSigns(), tmp_path / "data", str(source)) == built
    assert built.stat().st_mtime_ns == before


def test_a_pickle_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    source = signs(tmp_path / "in")
    with pytest.raises(DataError) as caught:
        prepare(TrafficSigns(), tmp_path / "data", str(source))
    assert "datasets convert data2.pickle signs.npz" in str(caught.value)
    assert arg.allow_pickle in caught.value.template


class Bomb:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_converting_runs_nothing(tmp_path: Path) -> None:
    source = signs(tmp_path / "in", extra=Bomb(tmp_path / "exploded"))
    with pytest.raises(DataError, match="which is no array"):
        convert(source, tmp_path / "signs.npz")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "signs.npz").exists()


def test_the_other_files_of_kaggle_are_refused(tmp_path: Path) -> None:
    """data0 is raw, data1 not less the mean, data3 divided by the deviation too: under the same names and shapes."""
    data2, mean = contents()
    names = [f"x_{split}" for split in COUNTS]
    data1 = {name: data2[name] + mean for name in names}
    for data in ({name: data1[name] * 255 for name in names}, data1, {name: data2[name] / 0.29 for name in names}):
        source = signs(tmp_path / "in", **data)
        with pytest.raises(DataError, match=r"give data2.pickle \(not data0, 1 or 3\) with its own mean image"):
            convert(source, tmp_path / "signs.npz")
        with pytest.raises(DataError, match="pixels lie within 0 and 1"):
            prepare(TrafficSigns(allow_pickle=True), tmp_path / "data", str(source))
    assert not (tmp_path / "signs.npz").exists()


ZEROS = np.zeros((43, 3, 32, 32), np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((3, 32, 32), np.float32)}, "must hold x_train"),
        ({"y_test": np.zeros(5, int)}, "must hold x_test"),
        ({"y_test": [0] * 43}, "must hold x_test"),
        ({"y_test": np.zeros(43)}, "must hold x_test .* of integers"),
        ({"y_test": np.array(["0"] * 43)}, "must hold x_test .* of integers"),
        ({"x_test": [[1], [1, 2]]}, "must hold x_test"),
        ({"x_test": ZEROS.astype(object)}, "must hold x_test .* of numbers"),
        ({"x_test": ZEROS * np.nan}, "runs from nan to nan"),
    ],
)
@pytest.mark.parametrize("trusted", [False, True])
def test_what_does_not_fit_is_one_line(tmp_path: Path, changes: Any, message: str, trusted: bool) -> None:
    source = signs(tmp_path / "in", **changes)
    read = (lambda: images(source, 43, allow_pickle=True)) if trusted else (lambda: convert(source, tmp_path / "x.npz"))
    with pytest.raises(DataError) as caught:
        read()
    assert re.search(f"{message}|which are no numbers", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("x_test", np.zeros((43, 32, 32, 3), np.float32)),
        ("x_test", np.zeros((43, 32, 32, 3), np.int8)),
        ("x_test", np.zeros((43, 32, 32, 3), object)),
        ("x_test", np.zeros((43, 3, 32, 32), np.uint8)),
        ("y_test", np.array(["0"] * 43)),
        ("y_test", np.zeros(43)),
        ("y_test", np.zeros(5, int)),
    ],
)
def test_arrays_that_convert_did_not_write(tmp_path: Path, name: str, array: np.ndarray) -> None:
    convert(signs(tmp_path / "in"), tmp_path / "signs.npz")
    with np.load(tmp_path / "signs.npz") as archive:
        np.savez(tmp_path / "signs.npz", allow_pickle=True, **{**dict(archive), name: array})
    with pytest.raises(DataError, match="convert it again") as caught:
        prepare(TrafficSigns(), tmp_path / "data", str(tmp_path / "signs.npz"))
    assert "\n" not in str(caught.value)


def test_the_target_must_be_what_is_read_later(tmp_path: Path) -> None:
    source = signs(tmp_path / "in")
    before = source.read_bytes()
    for target in (source, tmp_path / "signs"):
        with pytest.raises(DataError, match=r"must end in \.npz: data2\.npz"):
            convert(source, target)
    assert source.read_bytes() == before
    assert not (tmp_path / "signs").exists()


def test_a_target_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"signs.npz .*Not a directory"):
        convert(signs(tmp_path / "in"), tmp_path / "file" / "signs.npz")


def test_labels_that_are_no_signs(tmp_path: Path) -> None:
    source = signs(tmp_path / "in", y_test=np.arange(43) - 1)
    with pytest.raises(DataError, match=r"-1 to 41, .*0 to 42"):
        prepare(TrafficSigns(allow_pickle=True), tmp_path / "data", str(source))


def test_what_is_no_pickle_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.pickle").write_bytes(b"not a pickle")
    with pytest.raises(DataError, match="cannot be read as arrays"):
        convert(tmp_path / "x.pickle", tmp_path / "signs.npz")
    with pytest.raises(DataError, match="is not there"):
        convert(tmp_path / "none.pickle", tmp_path / "signs.npz")
    source = signs(tmp_path / "in")
    source.with_name(MEAN_FILE).write_bytes(pickle.dumps({"mean_image_rgb": "none"}))
    with pytest.raises(DataError, match=r"mean_image_rgb \[3, 32, 32\]"):
        convert(source, tmp_path / "signs.npz")
