"""Reads tensors in PyTorch's legacy format (torch.save before 1.6) without PyTorch, and without its pickle's powers.

The format (torch/serialization.py, `_legacy_load`): five pickles one after the other - magic number, protocol 1001,
system information, the object, the list of storage keys - then for each key an int64 count and the raw numbers. The
object is a mapping from names to tensors, each a view (offset, shape, strides) of a storage named by key.
"""

from __future__ import annotations

import io
import math
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from datasets.readers.restricted_pickle import RestrictedUnpickler

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # torch/serialization.py
PROTOCOL_VERSION = 1001
_ZIP_MAGIC = b"PK\x03\x04"  # torch.save since 1.6 writes a zip archive
_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


class TorchFileError(ValueError):
    """The file is not what it should be: the message is one line that names the file."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    elements: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, requires_grad: Any = False, hooks: Any = None, *_: Any
) -> _Tensor:
    """Stands in for torch._utils._rebuild_tensor_v2; what it is given is checked before any memory is viewed."""
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or any(type(number) is not int or number < 0 for number in numbers):
        raise TorchFileError("a tensor with impossible shape or strides")
    if len(shape) != len(strides):
        raise TorchFileError(f"a tensor of {len(shape)} dimensions with {len(strides)} strides")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if math.prod(shape) > 0 and last >= storage.elements:
        raise TorchFileError(f"a tensor that reaches element {last} of a storage of {storage.elements}")
    if math.prod(shape) > storage.elements:  # strides of 0 would let a small file ask for any amount of memory
        raise TorchFileError(f"a tensor of {math.prod(shape)} elements over a storage of {storage.elements}")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


_STAND_INS = {
    ("collections", "OrderedDict"): OrderedDict,  # a real one: BUILD in the file sets its attribute _metadata
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    **{("torch", name): dtype for name, dtype in _DTYPES.items()},
}


class _Unpickler(RestrictedUnpickler):
    def refusal(self, reference: str) -> Exception:
        return TorchFileError(f"a reference to {reference}, which no file of weights needs")

    def persistent_load(self, identifier: Any) -> _Storage:
        kind, dtype, key, _, count, view = identifier
        if kind != "storage" or not isinstance(dtype, np.dtype) or type(key) is not str or view is not None:
            raise TorchFileError(f"a persistent object of kind {kind!r}")
        if type(count) is not int or count < 0:
            raise TorchFileError(f"a storage of {count!r} elements")
        return _Storage(key, dtype, count)


def read(path: Path) -> dict[str, np.ndarray]:
    """Return every tensor of a file by name, in PyTorch's axis order.

    The arrays are views of the bytes read: 18.8 MB take about 0.03 s.

    Returns:
        Read-only arrays.

    Raises:
        TorchFileError: The file is missing, empty, truncated, in the zip format, or no mapping from names to tensors.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TorchFileError(f"{path} cannot be read ({error.strerror or error})") from None
    if not content:
        raise TorchFileError(f"{path} is empty; fetch it again")
    if content.startswith(_ZIP_MAGIC):
        raise TorchFileError(
            f"{path} is in PyTorch's zip format, but the legacy format is needed: "
            "write it with torch.save(state, path, _use_new_zipfile_serialization=False)"
        )
    try:
        return _read(content)
    except TorchFileError as error:
        raise TorchFileError(f"{path} is not a usable file of PyTorch weights: {error}") from None
    except Exception as error:  # a hostile or damaged pickle can raise nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TorchFileError(f"{path} is damaged or no file of PyTorch weights ({reason}); fetch it again") from None


def _read(content: bytes) -> dict[str, np.ndarray]:
    stream = io.BytesIO(content)
    if _load(stream) != MAGIC_NUMBER:
        raise TorchFileError("it does not begin with PyTorch's magic number")
    if _load(stream) != PROTOCOL_VERSION:
        raise TorchFileError(f"its protocol is not {PROTOCOL_VERSION}")
    system = _load(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise TorchFileError("it was not written on a little-endian machine")
    tensors, keys = _load(stream), _load(stream)
    if not isinstance(tensors, dict) or not all(
        type(name) is str and isinstance(tensor, _Tensor) for name, tensor in tensors.items()
    ):
        raise TorchFileError("it holds something other than a mapping from names to tensors")
    if not isinstance(keys, list):
        raise TorchFileError("its list of storages is missing")

    declared: dict[str, _Storage] = {}
    for tensor in tensors.values():
        if declared.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise TorchFileError(f"storage {tensor.storage.key} is declared twice, differently")
    storages: dict[str, np.ndarray] = {}
    position = stream.tell()
    for key in keys:
        if key not in declared:
            raise TorchFileError(f"storage {key!r} belongs to no tensor")
        storage = declared[key]
        if position + 8 > len(content):
            raise TorchFileError("it ends too early; fetch it again")
        (count,) = struct.unpack_from("<q", content, position)
        if count != storage.elements:
            raise TorchFileError(f"storage {key} holds {count} elements, but its tensors say {storage.elements}")
        position += 8
        if position + count * storage.dtype.itemsize > len(content):
            raise TorchFileError("it ends too early; fetch it again")
        storages[key] = np.frombuffer(content, storage.dtype, count, position)
        position += count * storage.dtype.itemsize
    missing = sorted(set(declared) - set(storages))
    if missing:
        raise TorchFileError(f"storage {missing[0]} is missing")
    return {name: _view(tensor, storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _load(stream: io.BytesIO) -> Any:
    return _Unpickler(stream, _STAND_INS).load()


def _view(tensor: _Tensor, storage: np.ndarray) -> np.ndarray:
    """Return a view of the storage; bounds were checked in _rebuild_tensor, as_strided checks none."""
    strides = tuple(stride * storage.itemsize for stride in tensor.strides)
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)
