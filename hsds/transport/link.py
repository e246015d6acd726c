"""One keep-alive connection to a data node: HTTP/1.1 as far as nodes speak it among themselves.

A general HTTP client took longer for a small question than the data node for its answer: headers in
multidicts, a parser, a timer and several tasks a request. Here a request is one buffer, an answer mostly one
read, and large values are received where they are to stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, cast

Buffer = bytes | bytearray | memoryview

_ROOM: Final = 1 << 16
"""Bytes that are received before anybody asks for them: a head, and the whole of a small answer."""
_LONGEST_HEAD: Final = 1 << 14
"""Bytes, far less than there is room for: what follows a head never fills the room alone."""
_SLICE: Final = 1 << 20
"""Bytes given to the socket at a time."""


class LinkError(ConnectionError):
    """The connection ended, or what came over it is no answer."""


class Link(asyncio.BufferedProtocol):
    """An open connection, for one exchange at a time: ``send``, ``answer``, then ``read`` or ``fill``.

    After a fault, or an exchange that was given up before its end, it is not ``fit`` for another: what is
    still to come would be taken for the next answer, or the next request for the rest of this one.
    """

    def __init__(self) -> None:
        self._memory = bytearray(_ROOM)
        self._room = memoryview(self._memory)
        self._start = self._stop = 0
        self._place: memoryview | None = None
        """Where what comes next is to go; None: into the room."""
        self._waiting: asyncio.Future[None] | None = None
        self._writable = True
        self._lost: Exception | None = None
        self._held = False
        """Whether reading pauses because the room is full."""
        self._keep = True
        self._sent = True
        """Whether the whole of the request is on its way."""
        self._answered = True
        """Whether the answer to it has begun to arrive."""
        self.left = 0
        """Bytes of the answer's body that have not been taken."""
        self.idle_since = 0.0

    def __repr__(self) -> str:
        state = "lost" if self._lost is not None else "fit" if self.fit else "in use"
        return f"<Link {state}, {self._stop - self._start} bytes received>"

    @property
    def fit(self) -> bool:
        """Whether it can carry another exchange."""
        unread = self.left or self._stop != self._start or self._place is not None
        done = self._sent and self._answered and not unread
        return done and self._keep and self._lost is None and self._writable

    def close(self) -> None:
        """End the connection at once."""
        self._keep = False
        self._place = None
        self._transport.abort()

    # -- an exchange -------------------------------------------------------------------------------------

    async def send(self, head: bytes, parts: Sequence[Buffer]) -> None:
        """Send a request. Ends early if the answer comes before all has been sent."""
        self._check()
        self._sent = self._answered = False
        if len(parts) == 1 and len(parts[0]) < _ROOM:
            self._transport.write(head + parts[0])
        else:
            self._transport.write(head)
            for part in parts:
                view = memoryview(part).cast("B")
                for at in range(0, view.nbytes, _SLICE):
                    if not await self._drained():
                        return
                    self._transport.write(view[at : at + _SLICE])
        self._sent = True
        await self._drained()

    async def answer(self) -> int:
        """The status of the answer; its body is ``left`` bytes. Raises ``LinkError``."""
        while (end := self._head_end()) < 0:
            if self._stop - self._start >= _LONGEST_HEAD:
                raise LinkError(f"an answer whose head does not end within {_LONGEST_HEAD} bytes")
            await self._wait()
        first, *lines = bytes(self._room[self._start : end]).split(b"\r\n")
        self._start = end + 4
        length = None
        for line in lines:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length" if value.strip().isdigit():
                    length = int(value)
                case b"connection" if value.strip().lower() == b"close":
                    self._keep = False
        status = first[9:12]
        if not first.startswith(b"HTTP/1.1 ") or not status.isdigit() or length is None:
            raise LinkError(f"no answer of a data node: {first[:80]!r}")
        self.left = length
        self._answered = True
        return int(status)

    def _head_end(self) -> int:
        return self._memory.find(b"\r\n\r\n", self._start, min(self._stop, self._start + _LONGEST_HEAD))

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

    async def fill(self, place: memoryview) -> None:
        """Receive the next bytes of the body straight into ``place``, until it is full."""
        if place.nbytes > self.left:
            raise LinkError("the body ends before the value does")
        count = min(self._stop - self._start, place.nbytes)
        place[:count] = self._room[self._start : self._start + count]
        self._take(count)
        if count == place.nbytes:
            return
        self.left -= place.nbytes - count
        self._place = place[count:]
        while self._place is not None:
            await self._wait()

    def _take(self, count: int) -> None:
        self._start += count
        self.left -= count
        if self._held and count:
            self._held = False
            self._transport.resume_reading()

    async def _drained(self) -> bool:
        """Wait until more can be sent; False if there is an answer already."""
        while not self._writable and self._start == self._stop:
            await self._wait()
        return self._start == self._stop

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

    # -- what the loop calls -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._place is not None:
            return self._place
        if self._start == self._stop:
            self._start = self._stop = 0
        elif self._stop == _ROOM:
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
            if self._stop - self._start == _ROOM:
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
