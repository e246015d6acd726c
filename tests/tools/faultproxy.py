"""Stands between a data node and S3, and does to requests what networks and servers do now and then.

One request a connection, so that each can be mistreated by itself. The host is passed on as the client sent
it: it is part of the signature.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

FAULTS = {
    "reset": 2,  # the connection breaks before the request has arrived
    "delay": 3,
    "500": 1,  # without effect
    "500 done": 1,  # with it
    "slow down": 2,
    "truncated": 2,  # the answer breaks off
    "lost": 2,  # the effect, and no answer
    "late": 1,  # no answer, and the effect half a second later or so
}
"""Kinds of faults and how often each comes, relative to the others."""

_SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code></Error>"


class FaultProxy:
    """Listens on loopback and forwards to ``endpoint``; a part ``rate`` of requests meets a fault.

    While ``down`` nobody listens on the port, and connections that were open are cut. Requests of which
    ``holds`` says so, going by their head, are not passed on, nor answered, until ``let_go``. With ``tls`` it
    is spoken to over TLS.
    """

    def __init__(
        self, endpoint: str, *, rate: float = 0.0, seed: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(endpoint)
        self._upstream = (parts.hostname, parts.port)
        self._tls = tls
        self.rate = rate
        self.chance = random.Random(seed)
        self.met: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.holds: Callable[[bytes], bool] = lambda _head: False
        self.held = 0
        """Requests that are waiting for ``let_go``."""
        self._let_go = asyncio.Event()
        self._changed = asyncio.Condition()

    @property
    def endpoint(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FaultProxy:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    def let_go(self) -> None:
        """Pass on what is held, and hold nothing any more."""
        self.holds = lambda _head: False
        self._let_go.set()
        self._let_go = asyncio.Event()

    async def holding(self, count: int) -> None:
        """Return when so many requests are held."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.held >= count)

    async def _hold(self) -> None:
        self.held += 1
        async with self._changed:
            self._changed.notify_all()
        try:
            await self._let_go.wait()
        finally:
            self.held -= 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._exchange(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._fault()
        if fault == "reset":
            await reader.read(self.chance.randrange(1, 4096))
            writer.transport.abort()
            return
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        self.requests[head.split(b" ", 1)[0].decode()] += 1
        if self.holds(head):
            await self._hold()
        match fault:
            case "delay":
                await asyncio.sleep(self.chance.uniform(0, 0.5))
            case "500":
                writer.write(b"HTTP/1.1 500 Internal\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            case "slow down":
                lines = f"HTTP/1.1 503 Slow Down\r\nContent-Length: {len(_SLOW_DOWN)}\r\n"
                writer.write(lines.encode() + b"Connection: close\r\n\r\n" + _SLOW_DOWN)
                return
            case "late":
                task = asyncio.create_task(self._later(head, body))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                writer.transport.abort()
                return
        answer = await self._forward(head, body)
        match fault:
            case "500 done":
                answer = b"HTTP/1.1 500 Internal\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            case "truncated":
                answer = answer[: self.chance.randrange(len(answer))]
            case "lost":
                writer.transport.abort()
                return
        writer.write(answer)
        await writer.drain()

    async def _later(self, head: bytes, body: bytes) -> None:
        await asyncio.sleep(self.chance.uniform(0, 1.0))
        with suppress(OSError):
            await self._forward(head, body)

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
            return await reader.read()
        finally:
            writer.close()

    def _fault(self) -> str | None:
        if self.chance.random() >= self.rate:
            return None
        (fault,) = self.chance.choices(tuple(FAULTS), tuple(FAULTS.values()))
        self.met[fault] += 1
        return fault
