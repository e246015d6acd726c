"""One end of a keep-alive connection between nodes: HTTP/1.1 as far as nodes speak it among themselves.

General HTTP clients and servers took longer for a small question than the data node for its answer: headers
in multidicts, a parser, a timer and several tasks a request. Here a message is one buffer, what comes is
mostly one read, and large values are received where they are to stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, cast

from hsds.transport.unixbuffer import enlarge_unix_buffer

Buffer = bytes | bytearray | memoryview

LONGEST_HEAD: Final = 1 << 13
"""Bytes, less than there is room for: what follows a head never fills the room alone."""
_SMALL: Final = 1 << 16
"""Bytes of a message that are rather copied than sent in two pieces."""
_SLICE: Final = 1 << 20
"""Bytes given to the socket at a time: what it cannot take at once is copied once more."""

_STALLED: Final = 60.0
"""Seconds after which nobody is believed to take what is being sent."""


class LinkError(ConnectionError):
    """The connection ended, or what came over it is not what nodes say to one another."""


class Channel(asyncio.BufferedProtocol):
    """Receives messages and sends them. Only one task at a time may wait for it.

    ``room`` bytes are received before anybody asks for them: a head, and the whole of a small message.
    """

    def __init__(self, room: int) -> None:
        self._memory = bytearray(room)
        self._room = memoryview(self._memory)
        self._start = self._stop = 0
        self._place: memoryview | None = None
        """Where what comes next is to go; None: into the room."""
        self._waiting: asyncio.Future[None] | None = None
        self._writable = True
        self._lost: Exception | None = None
        self._held = False
        """Whether reading pauses because the room is full."""
        self.left = 0
        """Bytes of the body that have not been taken."""

    # -- receiving -----------------------------------------------------------------------------------------

    async def read(self) -> bytes:
        """The next bytes of the body, as many as have arrived; none at its end."""
        if not self.left:
            return b""
        while self._start == self._stop:
            await self._wait()
        stop = min(self._stop, self._start + self.left)
        data = bytes(self._room[self._start : stop])
        self._take(len(data))
        return data

    def whole(self) -> bytes | None:
        """The body, if all of it has come; else None, and nothing is taken of it."""
        if self._stop - self._start < self.left:
            return None
        data = bytes(self._room[self._start : self._start + self.left])
        self._take(self.left)
        return data

    async def fill(self, place: memoryview) -> None:
        """Receive the next bytes of the body straight into ``place``, until it is full."""
        if place.nbytes > self.left:
            raise LinkError("the body ends before the value does")
        count = min(self._stop - self._start, place.nbytes)
        place[:count] = self._room[self._start : self._start + count]
        self._take(count)
        if count == place.nbytes:
            return
        self._place = place[count:]
        try:
            while self._place is not None:
                await self._wait()
        finally:
            missing = 0 if self._place is None else self._place.nbytes
            self.left -= place.nbytes - count - missing
            self._place = None  # who gives up does not keep the memory

    async def _head(self) -> list[bytes]:
        """The lines of the next message's head."""
        while (end := self._memory.find(b"\r\n\r\n", self._start, self._head_room())) < 0:
            if self._stop - self._start >= LONGEST_HEAD:
                raise LinkError(f"a message whose head does not end within {LONGEST_HEAD} bytes")
            await self._wait()
        lines = bytes(self._room[self._start : end]).split(b"\r\n")
        self._advance(end + 4 - self._start)
        return lines

    def _head_room(self) -> int:
        return min(self._stop, self._start + LONGEST_HEAD)

    def _take(self, count: int) -> None:
        self.left -= count
        self._advance(count)

    def _advance(self, count: int) -> None:
        self._start += count
        if self._held and count:
            self._held = False
            self._transport.resume_reading()

    # -- sending -------------------------------------------------------------------------------------------

    async def _put(self, head: bytes, parts: Sequence[Buffer]) -> bool:
        """Send a message; whether the whole of it is on its way. Large parts leave as they are."""
        if len(parts) == 1 and len(parts[0]) < _SMALL:
            self._transport.write(head + parts[0])
            return True
        self._transport.write(head)
        for piece in _slices(parts):
            if not await self._drained():
                return False
            self._transport.write(piece)
        return True

    async def _drained(self) -> bool:
        """Wait until more can be sent; False if there is no use in that."""
        while not self._writable and not self._in_vain():
            async with asyncio.timeout(_STALLED):
                await self._wait()
        return not self._in_vain()

    def _in_vain(self) -> bool:
        """Whether nobody waits for what is being sent."""
        return False

    # -- waiting -------------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        """Until something happens."""
        self._check()
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _check(self) -> None:
        if self._lost is not None:
            raise LinkError(str(self._lost) or "the connection is closed") from self._lost

    def _happened(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # -- what the loop calls -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        enlarge_unix_buffer(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._place is not None:
            return self._place
        if self._start == self._stop:
            self._start = self._stop = 0
        elif self._stop == len(self._memory):
            rest = bytes(self._room[self._start : self._stop])
            self._room[: len(rest)] = rest
            self._start, self._stop = 0, len(rest)
        return self._room[self._stop :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._place is not None:
            self._place = self._place[nbytes:] if nbytes < self._place.nbytes else None
            if self._place is not None:
                return
        else:
            self._stop += nbytes
            if self._stop - self._start == len(self._memory):
                self._held = True
                self._transport.pause_reading()
        self._happened()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._happened()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = error or ConnectionResetError("the connection is closed")
        self._happened()


def _slices(parts: Sequence[Buffer]) -> Iterator[memoryview]:
    for part in parts:
        view = memoryview(part).cast("B")
        for at in range(0, view.nbytes, _SLICE):
            yield view[at : at + _SLICE]
