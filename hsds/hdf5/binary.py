"""Binary form of values: what octet-stream bodies, chunks and base64 text hold.

Fixed-size types: elements in row-major order, packed, in the type's own byte order; no copy either way.
Types with variable-length parts: see `hsds.hdf5.vlen`.
"""

from __future__ import annotations

import base64
import binascii
from math import prod
from typing import Any

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5 import vlen
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.reasons import kind_of

Buffer = bytes | bytearray | memoryview


def encode(array: np.ndarray, datatype: Datatype) -> bytes | memoryview:
    """The elements of an array of the type's dtype in row-major order.

    Fixed-size types: a view of the array's memory where that is contiguous.
    """
    if datatype.variable:
        return vlen.encode(array, datatype)
    packed = np.ascontiguousarray(array, dtype=datatype.dtype.base)
    return packed.reshape(-1).view(np.uint8).data


def decode(buffer: Buffer, datatype: Datatype, dims: tuple[int, ...]) -> np.ndarray:
    """An array of ``dims`` elements (and the axes of an array type) from their binary form.

    Fixed-size types: a view of the buffer, read-only if the buffer is.

    Raises:
        InvalidInput: the buffer is not exactly that many elements.
    """
    if datatype.variable:
        return vlen.decode(buffer, datatype, dims)
    expected = prod(dims) * datatype.itemsize
    size = memoryview(buffer).nbytes
    if size != expected:
        raise InvalidInput(f"expected {expected} bytes of data, got {size}")
    shape = (*dims, *datatype.dtype.shape)
    if not expected:
        return np.empty(shape, dtype=datatype.dtype.base)
    return np.frombuffer(buffer, dtype=datatype.dtype.base).reshape(shape)


def decode_base64(text: Any, datatype: Datatype, dims: tuple[int, ...]) -> np.ndarray:
    """As `decode`, from base64 text.

    Raises:
        InvalidInput: no base64 text, or not exactly that many elements.
    """
    return decode(from_base64(text), datatype, dims)


def from_base64(text: Any, what: str = "value") -> bytes:
    """The bytes of base64 text. Raises ``InvalidInput`` that names ``what`` was to be it."""
    if not isinstance(text, str):
        raise InvalidInput(f"{what} is not base64 text, but {kind_of(text)}")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{what} is not base64: {error}") from error


def to_base64(data: Buffer) -> str:
    return base64.b64encode(data).decode("ascii")
