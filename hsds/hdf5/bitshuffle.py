"""Decoder of frames of the HDF5 filter bitshuffle (32008) with LZ4, as older HSDS versions store chunks.

A frame is 8 bytes total size and 4 bytes block size in bytes, both big-endian, then for each block its
compressed size, 4 bytes big-endian, and an LZ4 block; then as they are the last elements that do not fill
a group of 8. https://github.com/kiyo-masui/bitshuffle, src/bshuf_h5filter.h. Nothing here writes frames.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numcodecs import lz4

Buffer = bytes | bytearray | memoryview

_HEADER: Final = struct.Struct(">QI")
_BLOCK_SIZE: Final = struct.Struct(">I")
_LZ4_SIZE: Final = struct.Struct("<I")
_GROUP: Final = 8
"""Bits are transposed over groups of this many elements."""


def is_frame(data: Buffer, itemsize: int, nbytes: int) -> bool:
    """Whether ``data`` begins like the frame of ``nbytes`` bytes of elements of ``itemsize`` bytes."""
    if len(data) < _HEADER.size:
        return False
    total, block = _HEADER.unpack_from(data)
    return bool(total == nbytes and block > 0 and block % (_GROUP * itemsize) == 0)


def decode(data: Buffer, itemsize: int) -> memoryview:
    """The bytes in a frame. Raises ``ValueError``, ``RuntimeError`` or ``struct.error`` for a damaged one."""
    view = memoryview(data)
    total, block = _HEADER.unpack_from(view)
    out = np.empty(total, np.uint8)
    whole = total - total % (_GROUP * itemsize)
    at = _HEADER.size
    for begin in range(0, whole, block):
        size = min(block, whole - begin)
        (compressed,) = _BLOCK_SIZE.unpack_from(view, at)
        at += _BLOCK_SIZE.size
        # numcodecs' LZ4 is a block behind its size, little-endian.
        planes = lz4.decompress(_LZ4_SIZE.pack(size) + bytes(view[at : at + compressed]))
        out[begin : begin + size] = _untranspose(np.frombuffer(planes, np.uint8), itemsize)
        at += compressed
    out[whole:] = np.frombuffer(view[at:], np.uint8)
    return out.data


def _untranspose(planes: np.ndarray[Any, np.dtype[np.uint8]], itemsize: int) -> np.ndarray[Any, Any]:
    """Elements from their bit planes: bit i of byte j of all elements is plane ``8 * j + i``."""
    bits = np.unpackbits(planes.reshape(itemsize, 8, -1), axis=-1, bitorder="little")
    return np.packbits(bits.transpose(2, 0, 1), axis=-1, bitorder="little").reshape(-1)
