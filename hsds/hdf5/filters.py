"""The filter pipeline of chunks: what requests may ask for, and the coding of stored bytes.

gzip is written as HDF5 writes it, byte shuffle and a plain zlib stream; the other compressors as Blosc-1
frames. Whatever HSDS 0.9 or 1.x wrote is read (contract, sections 2.4, 5.4 and 1.6 of 1.x).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from isal import igzip_lib, isal_zlib
from numcodecs.shuffle import Shuffle

from hsds.errors import HsdsError, InvalidInput
from hsds.hdf5 import bitshuffle, blosc
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.reasons import shown

Json = dict[str, Any]
Buffer = bytes | bytearray | memoryview

_NAMES: Final = {
    "H5Z_FILTER_NONE": (0, "none"),
    "H5Z_FILTER_DEFLATE": (1, "gzip"),
    "H5Z_FILTER_SHUFFLE": (2, "shuffle"),
    "H5Z_FILTER_FLETCHER32": (3, "fletcher32"),
    "H5Z_FILTER_SZIP": (4, "szip"),
    "H5Z_FILTER_NBIT": (5, "nbit"),
    "H5Z_FILTER_SCALEOFFSET": (6, "scaleoffset"),
    "H5Z_FILTER_LZF": (32000, "lzf"),
    "H5Z_FILTER_BLOSC": (32001, "blosclz"),
    "H5Z_FILTER_SNAPPY": (32003, "snappy"),
    "H5Z_FILTER_LZ4": (32004, "lz4"),
    "H5Z_FILTER_LZ4HC": (32005, "lz4hc"),
    "H5Z_FILTER_BITSHUFFLE": (32008, "bitshuffle"),
    "H5Z_FILTER_ZSTD": (32015, "zstd"),
}
_CLASS_OF_ID: Final = {id_: cls for cls, (id_, _) in _NAMES.items()}
_CLASS_OF_NAME: Final = {name: cls for cls, (_, name) in _NAMES.items()} | {"deflate": "H5Z_FILTER_DEFLATE"}
_UNSUPPORTED: Final = "H5Z_FILTER_SNAPPY"
_COMPRESSORS: Final = {
    "H5Z_FILTER_DEFLATE": "zlib",
    "H5Z_FILTER_BLOSC": "blosclz",
    "H5Z_FILTER_LZ4": "lz4",
    "H5Z_FILTER_LZ4HC": "lz4hc",
    "H5Z_FILTER_ZSTD": "zstd",
}
"""Filter classes that compress, with Blosc's name for each."""
MARK_BYTES: Final = 8
"""Bytes of a mark behind a compressed chunk, which tells it from earlier ones with the same elements. HDF5
and HSDS stop at the end of the zlib stream or Blosc frame."""
_BEHIND: Final = (0, MARK_BYTES, MARK_BYTES + 1)
"""Bytes that may follow a frame; one more where the chunk would else be as long as an uncompressed one."""
_DEFAULT_LEVEL: Final = 5
_MAX_LEVEL: Final = 9


class ChunkError(HsdsError, ValueError):
    """Stored bytes that are not what the dataset's filters and type say."""


def canonical_filters(filters: object) -> list[Json]:
    """Check the filters of a request and give each its ``class``, ``id`` and ``name``.

    A filter is a name, an id, or an object with ``class``, ``id`` or ``name`` whose further keys are kept as
    they are. ``InvalidInput`` for what is unknown or not offered.
    """
    if not isinstance(filters, list):
        raise InvalidInput("filters must be a list")
    return [_canonical(item) for item in filters]


def effective_filters(filters: Sequence[Json], *, variable: bool) -> list[Json]:
    """Those of canonical filters that HSDS may be told of: bytes stored here are right for it with them.

    HSDS undoes a byte shuffle that it never did when no compressor is set, its versions disagree on
    bitshuffle, it does not compress after scaleoffset, and it knows neither szip nor lzf, which are kept for
    who asks how the dataset was made. Blosc frames tell of their shuffle themselves. Shuffles of variable
    types do nothing.
    """
    classes = [item.get("class") for item in filters]
    compressed = any(cls in _COMPRESSORS for cls in classes)
    inert = {"H5Z_FILTER_BITSHUFFLE", "H5Z_FILTER_SZIP", "H5Z_FILTER_LZF"}
    if variable or not compressed:
        inert.add("H5Z_FILTER_SHUFFLE")
    if compressed:
        inert.add("H5Z_FILTER_SCALEOFFSET")
    return [item for item, cls in zip(filters, classes, strict=True) if cls not in inert]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The coding of chunks of one dataset.

    ``compressor`` is Blosc's name of it. ``itemsize`` is the size of the elements that are shuffled, in
    bytes. ``maybe_raw`` says that HSDS may have stored chunks without compressing them.
    """

    compressor: str | None = None
    level: int = _DEFAULT_LEVEL
    shuffle: blosc.Shuffle = "none"
    itemsize: int = 1
    maybe_raw: bool = False

    @classmethod
    def parse(cls, filters: Sequence[Json], datatype: Datatype) -> Pipeline:
        """The pipeline that stored filters stand for. The first compressor counts; order does not."""
        items = [_lenient(item) for item in filters]
        classes = [item["class"] for item in items]
        compressing: Json = next((item for item in items if item["class"] in _COMPRESSORS), {})
        shuffle: blosc.Shuffle = "none"
        if not datatype.variable and datatype.itemsize > 0:
            if "H5Z_FILTER_BITSHUFFLE" in classes:
                shuffle = "bit"
            elif "H5Z_FILTER_SHUFFLE" in classes:
                shuffle = "byte"
        level = compressing.get("level")
        return cls(
            compressor=_COMPRESSORS.get(compressing.get("class", "")),
            level=min(max(level, 0), _MAX_LEVEL) if isinstance(level, int) else _DEFAULT_LEVEL,
            shuffle=shuffle,
            itemsize=1 if datatype.variable else datatype.itemsize,
            maybe_raw="H5Z_FILTER_SCALEOFFSET" in classes,
        )

    def encode(self, data: Buffer, mark: bytes = b"") -> Buffer:
        """The bytes to store for the binary form of a chunk.

        A shuffle without a compressor is not applied: HSDS stores such chunks as they are, and they cannot be
        told apart from shuffled ones when they are read. ``mark``, of ``MARK_BYTES``, goes behind what is
        compressed; what is not has no room for one. A Blosc frame without a mark tells itself from a chunk as
        it is, whatever its length; nothing else does.
        """
        if self.compressor is None:
            return data
        encoded = self._compress(data)
        if not mark and not (self._deflates and self.maybe_raw):
            return encoded
        as_long_as_raw = len(encoded) + len(mark) == len(data)
        return b"".join((encoded, mark, b"\0" if as_long_as_raw else b""))

    @property
    def _deflates(self) -> bool:
        """Whether a chunk is stored as a plain zlib stream, not as a Blosc frame."""
        return self.compressor == "zlib" and self.shuffle != "bit"

    def _compress(self, data: Buffer) -> bytes:
        if self._deflates:
            return zlib.compress(
                _shuffle(data, self.itemsize) if self.shuffle == "byte" else data, self.level
            )
        assert self.compressor is not None
        return blosc.encode(
            data,
            compressor=self.compressor,
            level=self.level,
            shuffle=self.shuffle,
            typesize=self.itemsize,
        )

    def decode(self, data: Buffer, nbytes: int | None = None) -> Buffer:
        """The binary form of a chunk from stored bytes; ``nbytes`` is its size where the type fixes it.

        Raises ``ChunkError`` when the bytes are not what they should be.
        """
        try:
            decoded = self._decode(data, nbytes)
        except (ValueError, RuntimeError, zlib.error, struct.error) as error:
            raise ChunkError(f"a stored chunk cannot be decoded: {error}") from error
        if nbytes is not None and len(decoded) != nbytes:
            raise ChunkError(f"a stored chunk decodes to {len(decoded)} bytes instead of {nbytes}")
        return decoded

    def _decode(self, data: Buffer, nbytes: int | None) -> Buffer:
        if self.compressor is not None:
            # Under bitshuffle a Blosc frame may hold a frame of the bitshuffle filter, of another size.
            if blosc.is_frame(data, None if self.shuffle == "bit" else nbytes, behind=_BEHIND):
                data = blosc.decode(data)
            elif self.maybe_raw and not _is_compressed(data, nbytes):
                return data
            elif self.compressor == "zlib":
                data = _inflate(data, nbytes)
                if self.shuffle == "byte":
                    return _unshuffle(data, self.itemsize)
            else:
                raise ChunkError("it is no Blosc frame")
        if self.shuffle == "bit" and nbytes is not None and bitshuffle.is_frame(data, self.itemsize, nbytes):
            return bitshuffle.decode(data, self.itemsize)
        return data


def _is_compressed(data: Buffer, nbytes: int | None) -> bool:
    """Whether bytes that are no Blosc frame are a zlib stream, rather than a chunk as it is."""
    if nbytes is not None:
        return len(data) != nbytes
    try:
        zlib.decompressobj().decompress(data, 64)
    except zlib.error:
        return False
    return True


def _inflate(data: Buffer, nbytes: int | None) -> bytes:
    """Decompress a zlib stream, by ISA-L where it can."""
    try:
        return isal_zlib.decompress(data, bufsize=nbytes or 4 * len(data) + 1024)
    except igzip_lib.IsalError:  # type: ignore[misc]  # its stub calls the class a value
        return zlib.decompress(data)


def _shuffle(data: Buffer, itemsize: int) -> Buffer:
    """HDF5's byte shuffle: first bytes of all elements, then all second bytes, and so on."""
    if itemsize == 1:
        return data
    return np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(-1, itemsize).T).data.cast("B")


def _unshuffle(data: Buffer, itemsize: int) -> Buffer:
    if itemsize == 1:
        return data
    # Up to eight times as fast as the transposition by numpy, which holds for this direction only.
    decoded: np.ndarray[Any, Any] = np.asarray(Shuffle(itemsize).decode(data))
    return decoded.data.cast("B")


def _canonical(item: object) -> Json:
    if isinstance(item, bool) or not isinstance(item, str | int | dict):
        raise InvalidInput(f"not a filter: {shown(item)}")
    cls = _class_of(item)
    if cls is None:
        raise InvalidInput(f"unknown filter: {shown(item)}")
    id_, name = _NAMES[cls]
    if cls == _UNSUPPORTED:
        raise InvalidInput(f"Unsupported filter id: {id_}")
    given = item if isinstance(item, dict) else {}
    if given.get("id", id_) != id_:
        raise InvalidInput(f"filter id {shown(given['id'])} is not that of {cls}")
    if cls in _COMPRESSORS:
        _check_level(given.get("level"), cls)
    return {**given, "class": cls, "id": id_, "name": given.get("name", name)}


def _class_of(item: str | int | Json) -> str | None:
    """The class of a filter given by name, id or object; None if it is none that is known."""
    match item:
        case str():
            return item if item in _NAMES else _CLASS_OF_NAME.get(item)
        case int():
            return _CLASS_OF_ID.get(item)
        case {"class": str(cls)} if cls != "H5Z_FILTER_USER":
            return cls if cls in _NAMES else None
        case {"id": int(id_)}:
            return _CLASS_OF_ID.get(id_)
        case {"name": str(name)}:
            return _CLASS_OF_NAME.get(name)
    return None


def _lenient(item: object) -> Json:
    """A stored filter with its class; what is unknown has none and does nothing."""
    given = item if isinstance(item, dict) else {}
    cls = _class_of(item) if isinstance(item, str | int | dict) else None
    return {**given, "class": cls}


def _check_level(level: object, cls: str) -> None:
    if level is None:
        return
    if not isinstance(level, int) or isinstance(level, bool):
        raise InvalidInput(f"level of {cls} must be an integer")
    if cls == "H5Z_FILTER_DEFLATE" and not 0 <= level <= _MAX_LEVEL:
        raise InvalidInput(f"level of {cls} must be 0 to {_MAX_LEVEL}, not {level}")
