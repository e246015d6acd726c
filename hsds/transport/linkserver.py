"""The answering end of connections between nodes.

What nodes ask one another is answered here. A connection over which anything else comes, a probe say, is
handed over to a general HTTP server for good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from hsds.transport.channel import Buffer, Channel, LinkError
from hsds.transport.signing import HEADER

_SIGNATURE: Final = HEADER.lower().encode()
_ROOM: Final = 1 << 14
"""Bytes. Whoever reaches the port can have so much of the memory for a connection."""
_LONGEST_LINE: Final = 1 << 10
"""Bytes of a request's first line. Nodes send far shorter ones."""
_VERSION: Final = b" HTTP/1.1"
_REASONS: Final = {200: b"OK", 421: b"Misdirected Request"}
_IDLE_SECONDS: Final = 3630.0
"""Longer than who asks keeps a connection: it never sends into one that is being closed."""
_HEAD_SECONDS: Final = 60.0
_LINGER_SECONDS: Final = 5.0
"""For what a refused sender is still sending: closed at once, the refusal might not reach it."""

log = logging.getLogger(__name__)


class Exchange(Channel):
    """An accepted connection, and the request on it that is being answered.

    A handler takes the body of ``length`` bytes with ``read`` or ``fill``, and calls ``answer`` once.
    """

    def __init__(self, server: LinkServer) -> None:
        super().__init__(_ROOM)
        self._server = server
        self._task: asyncio.Task[None] | None = None
        self._keep = True
        self.busy = False
        """Whether a request is being answered."""
        self.idle_since = 0.0
        self.method = self.target = self.path = self.query = ""
        """As in the first line of the request; ``target`` is path and query as sent."""
        self.signature: str | None = None
        self.length: int | None = None
        """Bytes of the request's body; None where its head does not say it, or not in a way that is known."""
        self.status = 0
        """Of the answer; 0 before there is one."""
        self.sent = 0
        """Bytes of the answer's body."""

    def __repr__(self) -> str:
        return f"<Exchange {'busy' if self.busy else 'idle'}, {self._stop - self._start} bytes received>"

    async def answer(
        self, status: int, parts: Sequence[Buffer], *, content_type: str, last: bool = False
    ) -> None:
        """Send the answer. With ``last``, or with some of the request not taken, the connection ends.

        Raises ``LinkError`` where it has ended, and ``TimeoutError`` if nobody takes the answer.
        """
        self._keep = self._keep and not last and not self.left
        self.status, self.sent = status, sum(memoryview(part).nbytes for part in parts)
        head = b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
            status,
            _REASONS.get(status, b"Refused"),
            content_type.encode(),
            self.sent,
            b"" if self._keep else b"Connection: close\r\n",
        )
        self._check()
        await self._put(head, parts)

    def end(self) -> None:
        """End the connection at once, and what is being answered on it."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    # -- the life of a connection --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._task = asyncio.create_task(self._live())
        self._server.joined(self, self._task)

    async def _live(self) -> None:
        handed_over = False
        try:
            with suppress(LinkError, TimeoutError):  # who asked has gone, or does not take the answer
                while self._keep and not handed_over:
                    handler = await self._next()
                    if handler is None:
                        self._hand_over()
                        handed_over = True
                    else:
                        await self._serve(handler)
        finally:
            if not handed_over and self._writable:
                self._transport.close()
            elif not handed_over:
                self._transport.abort()

    async def _next(self) -> Handler | None:
        """Wait for the next request; who answers it, None if it is none of a node."""
        self.idle_since = asyncio.get_running_loop().time()
        while self._start == self._stop:
            await self._wait()
        first = self._first_line()
        if first is None:
            async with asyncio.timeout(_HEAD_SECONDS):
                while (first := self._first_line()) is None:
                    await self._wait()
        if not first.endswith(_VERSION):
            return None
        return self._server.routes.get(first.removesuffix(_VERSION).partition(b"?")[0])

    def _first_line(self) -> bytes | None:
        """The first line of the request; as much as is there of one that is none of a node; else None."""
        begun = bytes(self._room[self._start : min(self._stop, self._start + _LONGEST_LINE)])
        line, end, _ = begun.partition(b"\r\n")
        if end or len(begun) == _LONGEST_LINE:
            return line
        known = any(begun.startswith(route) or route.startswith(begun) for route in self._server.routes)
        return None if known else line

    async def _serve(self, handler: Handler) -> None:
        """Answer one request."""
        self.busy, self.status, self.sent = True, 0, 0
        try:
            if self._memory.find(b"\r\n\r\n", self._start, self._stop) < 0:
                async with asyncio.timeout(_HEAD_SECONDS):
                    lines = await self._head()
            else:  # the common case; a timer costs as much as the head
                lines = await self._head()
            self._read_head(lines)
            await handler(self)
            if self.left:
                self._keep = False
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LINGER_SECONDS):
                        while await self.read():
                            pass
        finally:
            self.busy = False

    def _read_head(self, lines: Sequence[bytes]) -> None:
        self.method, self.target, _ = lines[0].decode("latin-1").split(" ", 2)
        self.path, _, self.query = self.target.partition("?")
        self.signature, length, known = None, None, True
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length" if value.strip().isdigit() and length is None:
                    length = int(value)
                case b"content-length" | b"transfer-encoding" | b"expect" | b"upgrade":
                    known = False
                case name if name == _SIGNATURE:
                    self.signature = value.strip().decode("latin-1")
                case b"connection" if value.strip().lower() == b"close":
                    self._keep = False
        if length is None and self.method == "GET":
            length = 0
        self.length = length if known else None
        self._keep = self._keep and self.length is not None
        self.left = self.length or 0

    def _hand_over(self) -> None:
        """Let the general server go on with what has come."""
        transport, begun = self._transport, bytes(self._room[self._start : self._stop])
        if not self._held:
            transport.pause_reading()
        protocol = self._server.others()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(begun)
        transport.resume_reading()


Handler = Callable[[Exchange], Awaitable[None]]


class LinkServer:
    """Makes the protocols of accepted connections.

    ``routes`` says who answers an ``Exchange``, by method and path; ``others`` makes the protocols of the
    general HTTP server.
    """

    def __init__(self, routes: Mapping[str, Handler], others: Callable[[], asyncio.Protocol]) -> None:
        self.routes = {route.encode(): handler for route, handler in routes.items()}
        self.others = others
        self._open: dict[Exchange, asyncio.Task[None]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        """Runs while there are connections: those of nodes that vanished do not stay for ever."""

    def __repr__(self) -> str:
        return f"<LinkServer of {len(self._open)} connections>"

    def __call__(self) -> Exchange:
        """The protocol of a connection."""
        return Exchange(self)

    def joined(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        """A connection was accepted; ``task`` answers what comes over it."""
        self._open[exchange] = task
        task.add_done_callback(lambda task: self._ended(exchange, task))
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._end_old)

    async def close(self, seconds: float) -> None:
        """End all connections, when nothing more is accepted. What is being answered has ``seconds``."""
        if self._sweep is not None:
            self._sweep.cancel()
        tasks = list(self._open.values())
        for exchange in list(self._open):
            if not exchange.busy:
                exchange.end()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for exchange in list(self._open):
            exchange.end()

    def _ended(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        del self._open[exchange]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request was not answered", exc_info=error)

    def _end_old(self) -> None:
        loop = asyncio.get_running_loop()
        for exchange in list(self._open):
            if not exchange.busy and exchange.idle_since < loop.time() - _IDLE_SECONDS:
                exchange.end()
        self._sweep = loop.call_later(_IDLE_SECONDS, self._end_old) if self._open else None
