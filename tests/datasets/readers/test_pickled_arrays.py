"""Arrays come out of a pickle; whatever else a pickle could do is refused before it happens."""

from __future__ import annotations

import codecs
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy._core.multiarray import _reconstruct, scalar  # type: ignore[attr-defined]

from datasets.readers.pickled_arrays import load

EMPTY = (np.ndarray, (0,), b"b")


class Call:
    """Pickles as a call of that function, and a state that the result is given."""

    def __init__(self, function: Any, arguments: tuple[Any, ...], state: Any = None) -> None:
        self._parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._parts


def loaded(tmp_path: Path, content: Any, protocol: int = 2) -> Any:
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(content, protocol=protocol))
    with (tmp_path / "x.pickle").open("rb") as file:
        return load(file)


def array(shape: tuple[Any, ...], kind: Any, raw: Any) -> Call:
    return Call(_reconstruct, EMPTY, (1, shape, kind, False, raw))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["f4", ">f8", "u1", "i8", "f2"])
def test_arrays_come_as_they_were(tmp_path: Path, kind: str, protocol: int) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(kind)
    content = {"plain": values, "turned": values.T, "labels": ["a", "b"]}
    copy = loaded(tmp_path, content, protocol)
    assert list(copy) == list(content)
    assert copy["labels"] == ["a", "b"]
    for name in ("plain", "turned"):
        np.testing.assert_array_equal(copy[name], content[name])
        assert copy[name].dtype == values.dtype


def test_flags_that_lie_are_not_heeded(tmp_path: Path) -> None:
    """NumPy would take these numbers for addresses of objects: bit 1 of the last field says that they are."""
    kind = Call(np.dtype, ("f4", False, True), (3, "<", None, None, None, -1, -1, 63))
    copy = loaded(tmp_path, {"x": array((2,), kind, np.array([1, 2], "<f4").tobytes())})
    assert copy["x"].dtype == np.float32
    assert copy["x"].tolist() == [1, 2]


TEXT = "a" * 1000
FLOAT = np.dtype("f4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (array((1,), np.dtype(object), b"\x41" * 8), "'O8', which are no numbers"),
        (array((1,), np.dtype([("x", "f4")]), b"1234"), "which are no numbers"),
        (Call(np.dtype, ("f4", False, True), (3, "?", None, None, None, -1, -1, 0)), "byte order"),
        (array((10**12,), FLOAT, b"1234"), "shape \\(1000000000000,\\) in 4 bytes"),
        (array((-1, -1), FLOAT, b"1234"), "shape \\(-1, -1\\)"),
        (array((1,) * 40, FLOAT, b"1234"), "not made of numbers"),
        (array((1,), FLOAT, ["object"]), "not made of numbers"),
        (array((1,), "f4", b"1234"), "not made of numbers"),
        (Call(np.ndarray, ((10**12,),)), "not callable"),
        (Call(scalar, (FLOAT, b"1234")), "multiarray.scalar, which is no array"),
        (Call(codecs.encode, (Call(codecs.encode, ("ab", "hex")), "hex")), "encodes a str by 'hex'"),
        (Call(codecs.encode, (b"ab", "latin1")), "encodes a bytes"),
        ([Call(codecs.encode, (TEXT, "latin1")) for _ in range(100)], "more bytes than the file has"),
        ([array((1000,), np.dtype("u1"), TEXT) for _ in range(100)], "more bytes than the file has"),
        (Call(eval, ("1",)), "eval, which is no array"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises((pickle.UnpicklingError, TypeError), match=message):
        loaded(tmp_path, {"x": content}, protocol=3)


def test_the_stand_ins_cannot_be_changed_from_a_file(tmp_path: Path) -> None:
    """A BUILD opcode on a class or a function would set its attributes, for every file read after this one."""
    for reference in (b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"c_codecs\nencode\n"):
        (tmp_path / "x.pickle").write_bytes(reference + b"(N(dS'__init__'\nNsS'dtype'\nNstb.")
        with (tmp_path / "x.pickle").open("rb") as file, pytest.raises((TypeError, AttributeError)):
            load(file)
        assert loaded(tmp_path, {"x": np.arange(3.0)})["x"].tolist() == [0, 1, 2]
