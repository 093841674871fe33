"""NumPy's arrays out of a pickle, without a pickle's powers: all that it can call are the stand-ins below."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from datasets.readers.restricted_pickle import RestrictedUnpickler

_NUMBERS = {f"{kind}{size}" for kind, sizes in (("i", "1248"), ("u", "1248"), ("f", "248")) for size in sizes}
_DIMENSIONS = 32  # NumPy 1's own limit


def load(file: IO[bytes]) -> Any:
    """Return the content of a pickle: containers, numbers, texts, and arrays as values of its dictionary.

    Pickles of Python 2 are read too, their texts as latin1. Memory is bounded by a small multiple of the file's size. A
    damaged pickle can raise any exception, but no code of it runs.
    """
    content = _Reader(file, os.fstat(file.fileno()).st_size).load()
    if not isinstance(content, dict):
        return content
    return {name: value.values if isinstance(value, _Array) else value for name, value in content.items()}


class _Kind:
    """Stands in for numpy.dtype, which would let a file declare its bytes to be addresses of objects."""

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in _NUMBERS:
            raise pickle.UnpicklingError(f"it holds an array of {code!r}, which are no numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        """Set the byte order, the only part of the state that numbers need."""
        if state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"it holds numbers in the byte order {state[1]!r}")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands in for numpy.ndarray as it is before its state is set."""

    def __init__(self, encoded: Callable[[Any, Any], bytes]) -> None:
        self._encoded = encoded
        self.values: NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        """From (version, shape, dtype, whether in Fortran's order, bytes). The array is a view of those bytes."""
        _, shape, kind, fortran, raw = state
        if isinstance(raw, str):  # Python 2's bytes
            raw = self._encoded(raw, "latin1")
        if type(raw) is not bytes or type(kind) is not _Kind or type(shape) is not tuple or len(shape) > _DIMENSIONS:
            raise pickle.UnpicklingError("it holds an array that is not made of numbers")
        if any(type(side) is not int or side < 0 for side in shape):
            raise pickle.UnpicklingError(f"it holds an array of the shape {shape}")
        if len(raw) != math.prod(shape) * kind.dtype.itemsize:
            raise pickle.UnpicklingError(f"it holds an array of the shape {shape} in {len(raw)} bytes")
        self.values = np.frombuffer(raw, kind.dtype).reshape(shape, order="F" if fortran else "C")


class _Reader(RestrictedUnpickler):
    def __init__(self, file: IO[bytes], size: int) -> None:
        stand_ins = {
            ("numpy", "dtype"): _Kind,
            ("numpy", "ndarray"): "numpy.ndarray",  # an argument of _reconstruct, never called
            ("_codecs", "encode"): self._encoded,
            ("numpy.core.multiarray", "_reconstruct"): self._reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): self._reconstruct,
        }
        super().__init__(file, stand_ins, encoding="latin1")
        self._left = size  # bytes that texts may still become; a text that is used again and again would fill memory

    def refusal(self, reference: str) -> Exception:
        return pickle.UnpicklingError(f"it refers to {reference}, which is no array")

    def _reconstruct(self, *_: Any) -> _Array:
        return _Array(self._encoded)

    def _encoded(self, text: Any, codec: Any) -> bytes:
        """Return bytes as Python 3 writes them in the old protocols; any other codec could enlarge them."""
        if type(text) is not str or codec not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"it encodes a {type(text).__name__} by {codec!r}")
        self._left -= len(text)
        if self._left < 0:
            raise pickle.UnpicklingError("it holds more bytes than the file has")
        return text.encode("latin1")
