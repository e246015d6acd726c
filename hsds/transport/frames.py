"""The frame: a JSON head and binary buffers in one HTTP body. Values cross a socket as they lie in memory.

    "hdsF" | version u16 | 0 u16 | bytes of head u32 | buffers u32 | bytes of each u64 | head | buffers

All numbers are big-endian. What the head says is the business of ``wire``.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hsds.errors import InvalidInput, NotSupported

Buffer = bytes | bytearray | memoryview
Read = Callable[[], Awaitable[bytes]]
"""The next bytes of a body, as many as have arrived; none at its end."""
Fill = Callable[[memoryview], Awaitable[None]]
"""Puts the next bytes of a body into all of some memory."""

VERSION: Final = 1
"""The version of the protocol that this release speaks. It changes with the form of frames only: a new form
is understood for one release before it is sent: nodes of neighbouring releases are mixed in every rollout.
"""
OLDEST: Final = 1
"""The oldest version that it still understands."""
SMALL: Final = 1 << 16
"""Bytes that are rather copied into one buffer than sent one after another."""

_MAGIC: Final = b"hdsF"
_PREFIX: Final = struct.Struct("!4sHHII")
_MAX_BUFFERS: Final = 1 << 20
_SHORT: Final = "the body ends before the frame does"
_LONG: Final = "the body goes on after the end of the frame"


class BadFrame(InvalidInput):
    """What came is not a frame, or not a whole one, or more than one, or longer than is allowed."""


class WrongVersion(NotSupported):
    """The frame is of a version of the protocol that this release does not speak."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to be sent. Buffers are sent as they are, whatever their item size."""

    head: bytes
    buffers: Sequence[Buffer] = ()
    version: int = VERSION

    @property
    def nbytes(self) -> int:
        """Bytes of the frame as sent."""
        return _PREFIX.size + 8 * len(self.buffers) + len(self.head) + sum(map(_size, self.buffers))

    def parts(self) -> list[Buffer]:
        """What to send, one after another: one buffer if the frame is small."""
        sizes = [_size(buffer) for buffer in self.buffers]
        prefix = _PREFIX.pack(_MAGIC, self.version, 0, len(self.head), len(sizes))
        first = b"".join((prefix, struct.pack(f"!{len(sizes)}Q", *sizes), self.head))
        if len(first) + sum(sizes) <= SMALL:
            return [b"".join((first, *self.buffers))]
        return [first, *(memoryview(buffer).cast("B") for buffer in self.buffers if _size(buffer))]


def whole_frame(data: bytes, *, limit: int) -> tuple[memoryview, list[memoryview]]:
    """The head and the buffers of a frame that has come whole. Raises ``BadFrame`` or ``WrongVersion``."""
    view = memoryview(data)
    if len(view) < _PREFIX.size:
        raise BadFrame(_SHORT)
    length, count = _prefix(view[: _PREFIX.size], limit)
    start = _PREFIX.size + 8 * count
    if len(view) < start:
        raise BadFrame(_SHORT)
    at, buffers = start + length, []
    for size in _sizes(view[_PREFIX.size : start], length, limit):
        buffers.append(view[at : at + size])
        at += size
    if at != len(view):
        raise BadFrame(_SHORT if at > len(view) else _LONG)
    return view[start : start + length], buffers


def _prefix(data: Buffer, limit: int) -> tuple[int, int]:
    """Bytes of the head and number of buffers. Raises ``BadFrame`` or ``WrongVersion``."""
    magic, version, _, length, count = _PREFIX.unpack(data)
    if magic != _MAGIC:
        raise BadFrame("not a frame of this protocol")
    if not OLDEST <= version <= VERSION:
        raise WrongVersion(f"protocol version {version} is not spoken here, {OLDEST} to {VERSION} are")
    if count > _MAX_BUFFERS:
        raise BadFrame(f"a frame of {count} buffers, {_MAX_BUFFERS} are allowed")
    _check_size(_PREFIX.size + 8 * count + length, limit)
    return length, count


def _sizes(table: memoryview, length: int, limit: int) -> tuple[int, ...]:
    """Bytes of each buffer, of a frame with a head of ``length`` bytes. Raises ``BadFrame``."""
    sizes = struct.unpack(f"!{table.nbytes // 8}Q", table)
    _check_size(_PREFIX.size + table.nbytes + length + sum(sizes), limit)
    return sizes


def _check_size(total: int, limit: int) -> None:
    if total > limit:
        raise BadFrame(f"a frame of {total} bytes, {limit} are allowed")


class FrameReader:
    """Reads a frame piece by piece: first ``head``, then ``buffers``, so that the head can say where buffers
    should go.
    """

    def __init__(self, read: Read, *, limit: int, fill: Fill | None = None) -> None:
        """``limit`` is how many bytes the frame may have. ``fill`` saves a copy where the source has it."""
        self._read = read
        self._fill_rest = fill or self._fill_by_reading
        self._limit = limit
        self._rest = memoryview(b"")
        self.sizes: tuple[int, ...] = ()
        """Bytes of each buffer, known with the head."""

    async def head(self) -> memoryview:
        """The head. Raises ``BadFrame`` or ``WrongVersion``."""
        length, count = _prefix(await self._take(_PREFIX.size), self._limit)
        self.sizes = _sizes(await self._take(8 * count), length, self._limit)
        return await self._take(length)

    async def buffers(self, places: Mapping[int, memoryview] | None = None) -> list[memoryview]:
        """All buffers, to the end of the body.

        A buffer whose number is in ``places`` is read into that memory, which must have its size in bytes.
        """
        found = []
        for number, size in enumerate(self.sizes):
            place = places.get(number) if places else None
            if place is None:
                found.append(await self._take(size))
            elif place.nbytes != size:
                raise BadFrame(f"a buffer of {size} bytes where {place.nbytes} belong")
            else:
                await self._fill(place)
                found.append(place)
        if self._rest or await self._read():
            raise BadFrame(_LONG)
        return found

    async def _take(self, size: int) -> memoryview:
        """The next ``size`` bytes: without a copy if they have arrived in one piece."""
        if not self._rest and size:
            self._rest = memoryview(await self._more())
        if len(self._rest) >= size:
            taken, self._rest = self._rest[:size], self._rest[size:]
            return taken
        place = np.empty(size, np.uint8).data  # which, unlike a bytearray, nobody fills with zeros
        await self._fill(place)
        return place

    async def _fill(self, place: memoryview) -> None:
        count = min(place.nbytes, len(self._rest))
        place[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        if count < place.nbytes:
            await self._fill_rest(place[count:])

    async def _fill_by_reading(self, place: memoryview) -> None:
        done, size = 0, place.nbytes
        while done < size:
            data = memoryview(await self._more())
            count = min(size - done, len(data))
            place[done : done + count] = data[:count]
            self._rest = data[count:]
            done += count

    async def _more(self) -> bytes:
        data = await self._read()
        if not data:
            raise BadFrame(_SHORT)
        return data


def _size(buffer: Buffer) -> int:
    return memoryview(buffer).nbytes
