"""Data nodes of other processes over HTTP: one signed POST for each batch of operations.

No answer (refused, cut off, silent) is ``NotReachable``, which is raised; whatever the node answered comes
back in the places of the results. Nothing is sent twice here: who knows the views decides about that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from hsds.cluster.view import View
from hsds.errors import HsdsError, InvalidInput, NotReachable, Unavailable
from hsds.transport.base import DataNode, Trace
from hsds.transport.frames import Buffer, FrameReader, WrongVersion, whole_frame
from hsds.transport.link import Link
from hsds.transport.linkpool import LinkPool
from hsds.transport.ops import Op
from hsds.transport.signing import HEADER, Signer
from hsds.transport.wire import Reply, Wire

EXECUTE: Final = "/execute"
FRAME_TYPE: Final = "application/x-hsds-frame"
_LONGEST_TEXT: Final = 4096
_MOST_LINKS: Final = 1024
"""To one node at once. So many that questions for what is cached, and pings, do not wait behind those for
what is not: bytes are what budgets are for.
"""

_FAULTS: Final = (OSError, InvalidInput, WrongVersion, orjson.JSONDecodeError)
"""Of connections, and of what comes over them."""


class Connections:
    """The keep-alive connections of one node to others, and what all requests over them share."""

    def __init__(
        self,
        signer: Signer,
        *,
        learned: Callable[[View], None] = lambda view: None,
        limit_per_host: int = _MOST_LINKS,
        answer_limit: int = 1 << 32,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``learned`` is called with every view that an answer carries; ``clock`` is that of deadlines."""
        self.signer = signer
        self.wire = Wire()
        self.learned = learned
        self.answer_limit = answer_limit
        self.clock = clock
        self._limit = limit_per_host
        self._closed = False
        self._nodes: dict[tuple[str, int], tuple[RemoteDataNode, LinkPool]] = {}

    def node(self, address: str, port: int) -> RemoteDataNode:
        """The data node at an IP and port, or at the path of a Unix socket.

        Raises ``NotReachable`` after ``close``.
        """
        if self._closed:
            raise NotReachable("this node is ending")
        known = self._nodes.get((address, port))
        if known is None:
            links = LinkPool(address, port, limit=self._limit)
            node = RemoteDataNode(self, links, _name(address, port), _host(address, port))
            known = self._nodes[address, port] = node, links
        return known[0]

    async def close(self) -> None:
        """Close all connections; what is under way fails."""
        self._closed = True
        for _, links in self._nodes.values():
            links.close()


def _name(address: str, port: int) -> str:
    return address if address.startswith("/") else f"{address}:{port}"


def _host(address: str, port: int) -> str:
    if address.startswith("/"):
        return "socket"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class RemoteDataNode(DataNode):
    """A data node of another process, from ``Connections.node``."""

    distant = True

    def __init__(self, connections: Connections, links: LinkPool, name: str, host: str) -> None:
        self._connections = connections
        self._links = links
        self._name = name
        self._host = host

    def __repr__(self) -> str:
        return f"<RemoteDataNode {self._name}>"

    @property
    def name(self) -> str:
        return self._name

    async def execute(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        """Who asks bounds the wait: one more timer for each request would cost a tenth of a small one."""
        if trace.deadline is not None and trace.deadline <= self._connections.clock():
            raise NotReachable(f"no time is left to ask the data node {self._name}")
        parts = self._connections.wire.put_request(ops, trace).parts()
        try:
            async with self._links.link() as link:
                await self._ask(link, "POST", EXECUTE, parts, trace.epoch, FRAME_TYPE)
                reply = await self._reply(link, ops)
        except _FAULTS as error:
            raise self._unreached(error) from error
        if reply.view is not None:
            self._connections.learned(View.from_json(reply.view))
        return reply.results

    async def _reply(self, link: Link, ops: Sequence[Op[Any]]) -> Reply:
        wire = self._connections.wire
        whole = link.whole()
        if whole is not None:  # most are: reading in pieces costs more than the rest
            text, rest = whole_frame(whole, limit=self._connections.answer_limit)
            return wire.get_reply(ops, wire.reply_head(ops, text), rest)
        reader = FrameReader(link.read, limit=self._connections.answer_limit, fill=link.fill)
        head = wire.reply_head(ops, await reader.head())
        buffers = await reader.buffers(wire.places(ops, head))
        return wire.get_reply(ops, head, buffers)

    async def ask_json(
        self, method: str, path: str, *, body: Any = None, within: float, epoch: int | None = None
    ) -> Any:
        """A small request of JSON, answered by JSON, ``within`` seconds. Raises ``NotReachable``."""
        parts = () if body is None else (orjson.dumps(body),)
        try:
            async with asyncio.timeout(within), self._links.link() as link:
                await self._ask(link, method, path, parts, epoch, "application/json")
                return orjson.loads(await _text(link, self._connections.answer_limit))
        except _FAULTS as error:
            raise self._unreached(error) from error

    async def _ask(
        self,
        link: Link,
        method: str,
        path: str,
        parts: Sequence[Buffer],
        epoch: int | None,
        content_type: str,
    ) -> None:
        """Send a request, and wait for the head of an answer that brings results."""
        signature = self._connections.signer.sign(method, path, epoch)
        length = sum(memoryview(part).nbytes for part in parts)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{HEADER}: {signature}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
        )
        await link.send(head.encode(), parts)
        status = await link.answer()
        if status not in (200, 421):
            await self._refused(status, link)

    def _unreached(self, fault: Exception) -> NotReachable:
        """What one of ``_FAULTS`` means."""
        match fault:
            case TimeoutError():
                return NotReachable(f"the data node {self._name} did not answer in time")
            case OSError():
                return NotReachable(f"the data node {self._name} is not reached: {_first_line(fault)}")
        return NotReachable(f"the data node {self._name} does not answer as one: {fault}")

    async def _refused(self, status: int, link: Link) -> None:
        """Raise what an answer without results means."""
        text = (await _text(link, _LONGEST_TEXT)).decode(errors="replace").partition("\n")[0]
        match status:
            case 401 | 403:
                raise Unavailable(f"the data node {self._name} does not believe our signature: {text}")
            case 400 | 413:
                raise HsdsError(f"the data node {self._name} does not take the request: {text}")
            case 501:
                raise Unavailable(f"the data node {self._name} is of another version: {text}")
        raise NotReachable(f"the data node {self._name} answers {status}: {text}")


async def _text(link: Link, limit: int) -> bytes:
    """The body of an answer, or as much of it as is allowed."""
    body = b""
    while len(body) < limit and (data := await link.read()):
        body += data
    return body[:limit]


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
