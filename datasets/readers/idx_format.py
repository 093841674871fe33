"""Arrays of bytes in the idx format, as MNIST is published: a header of sizes, then the values, often gzipped."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTES = 0x08  # the format's code of the type of its values
MOST_BYTES = 2**30  # 20 times MNIST; a gzipped file of a few kilobytes can claim to hold terabytes


class IdxError(Exception):
    """Invalid idx file; the message has the reason without the file's name."""


def parse(encoded: bytes, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of a file: two zero bytes, type, number of dimensions, sizes as big-endian int32, values.

    Args:
        encoded: Content of the file, gzipped or not.
        dimensions: Expected number of dimensions.

    Returns:
        uint8 with that many dimensions.

    Raises:
        IdxError: The gzip stream is damaged, or type, dimensions or number of values differ.
    """
    try:
        with gzip.open(io.BytesIO(encoded)) if encoded[:2] == GZIP_MAGIC else io.BytesIO(encoded) as file:
            magic = file.read(4)
            expected = bytes((0, 0, UNSIGNED_BYTES, dimensions))
            if magic != expected:
                raise IdxError(f"it begins with {magic.hex() or 'nothing'}, but must with {expected.hex()}")
            header = file.read(4 * dimensions)
            if len(header) < 4 * dimensions:
                raise IdxError("it ends within its header")
            shape = struct.unpack(f">{dimensions}I", header)
            size = math.prod(shape)
            if size > MOST_BYTES:
                raise IdxError(f"its header claims {size:,} bytes, over the limit of {MOST_BYTES:,}")
            values = file.read(size + 1)  # one more, so that what should not be there is seen
    except (OSError, EOFError, zlib.error) as error:
        raise IdxError(f"it is truncated or damaged: {error}") from None
    if len(values) != size:
        held = f"only {len(values):,}" if len(values) < size else "more"
        raise IdxError(f"its header claims {size:,} bytes ({' x '.join(map(str, shape))}), but it holds {held}")
    return np.frombuffer(values, np.uint8).reshape(shape)
