"""Blosc-1 frames: recognised by their header, written with the true element size and shuffle flag.

Header of 16 bytes (c-blosc 1.x, README_HEADER): version, versionlz, flags, typesize, then nbytes, blocksize
and cbytes as little-endian uint32. https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Final, Literal

import numpy as np
from numcodecs import blosc

Buffer = bytes | bytearray | memoryview
Shuffle = Literal["none", "byte", "bit"]

_HEADER: Final = struct.Struct("<BBBBIII")
_FORMAT_VERSION: Final = 2
_MAX_TYPESIZE: Final = 255
_SHUFFLES: Final = {"none": blosc.NOSHUFFLE, "byte": blosc.SHUFFLE, "bit": blosc.BITSHUFFLE}

# Chunks are coded in executor threads, several at a time; threads of Blosc's own would add only a lock that
# is shared by all of them.
blosc.use_threads = False


def is_frame(data: Buffer, nbytes: int | None = None, *, behind: Collection[int] = (0,)) -> bool:
    """Whether ``data`` is one whole Blosc-1 frame, that of ``nbytes`` bytes where these are known.

    ``behind`` are the numbers of bytes that may follow it, being no part of it.
    """
    if len(data) < _HEADER.size:
        return False
    version, _, _, typesize, size, blocksize, cbytes = _HEADER.unpack_from(data)
    return (
        version == _FORMAT_VERSION
        and typesize > 0
        and len(data) - cbytes in behind
        and blocksize <= max(size, 1)
        and (nbytes is None or size == nbytes)
    )


def decode(frame: Buffer) -> bytes:
    """The bytes in a frame, unshuffled as its header says, whatever follows it.

    Raises ``RuntimeError`` for a damaged one.
    """
    cbytes = _HEADER.unpack_from(frame)[-1]
    decoded: bytes = blosc.decompress(memoryview(frame)[:cbytes])
    return decoded


def encode(data: Buffer, *, compressor: str, level: int, shuffle: Shuffle, typesize: int) -> bytes:
    """Compress into one frame.

    ``compressor`` is Blosc's name (``zlib``, ``zstd``, ...), ``level`` 0 to 9. Elements of more than 255
    bytes are not shuffled: the header cannot hold their size.
    """
    if typesize > _MAX_TYPESIZE:
        shuffle, typesize = "none", 1
    elements = np.frombuffer(data, np.dtype((np.void, typesize)))
    frame: bytes = blosc.compress(elements, compressor.encode(), level, _SHUFFLES[shuffle])
    return frame
