"""Data nodes of other processes over HTTP: one signed POST for each batch of operations.

No answer (refused, cut off, silent) is ``NotReachable``, which is raised; whatever the node answered comes
back in the places of the results. Nothing is sent twice here: who knows the views decides about that.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import orjson
from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from hsds.cluster.view import View
from hsds.errors import HsdsError, InvalidInput, NotReachable, Unavailable
from hsds.transport.base import DataNode, Trace
from hsds.transport.frames import Buffer, Frame, FrameReader, WrongVersion
from hsds.transport.ops import Op
from hsds.transport.signing import HEADER, Signer
from hsds.transport.wire import Wire

EXECUTE: Final = "/execute"
FRAME_TYPE: Final = "application/x-hsds-frame"
_SLICE: Final = 1 << 20
"""Bytes given to the socket at a time."""
_READ_BUFFER: Final = 1 << 18
_KEEPALIVE: Final = 600.0
_CONNECT_SECONDS: Final = 2.0
_LONGEST_TEXT: Final = 4096


class _FrameBody(payload.Payload):
    """The buffers of a frame as a body of known length, sent as they are."""

    def __init__(self, parts: Sequence[Buffer], nbytes: int) -> None:
        super().__init__(parts, content_type=FRAME_TYPE)
        self._parts = parts
        self._size = nbytes

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a frame is no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        for piece in slices(self._parts):
            await writer.write(piece)


def slices(parts: Sequence[Buffer]) -> list[memoryview]:
    """Buffers in pieces that may be copied once more on their way into a socket."""
    return [
        memoryview(part)[at : at + _SLICE]
        for part in parts
        for at in range(0, memoryview(part).nbytes, _SLICE)
    ]


class Connections:
    """The keep-alive connections of one node to others, and what all requests over them share."""

    def __init__(
        self,
        signer: Signer,
        *,
        learned: Callable[[View], None] = lambda view: None,
        limit_per_host: int = 64,
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
        self._session: aiohttp.ClientSession | None = None
        self._sockets: dict[str, aiohttp.ClientSession] = {}
        self._nodes: dict[tuple[str, int], RemoteDataNode] = {}

    def node(self, address: str, port: int) -> RemoteDataNode:
        """The data node at an IP and port, or at the path of a Unix socket.

        Raises ``NotReachable`` after ``close``.
        """
        if self._closed:
            raise NotReachable("this node is ending")
        node = self._nodes.get((address, port))
        if node is None:
            if address.startswith("/"):
                base, session = URL("http://socket"), self._socket(address)
            else:
                host = f"[{address}]" if ":" in address else address
                base, session = URL(f"http://{host}:{port}"), self._tcp()
            node = self._nodes[address, port] = RemoteDataNode(self, session, base, _name(address, port))
        return node

    async def close(self) -> None:
        """Close all connections; what is under way fails."""
        self._closed = True
        for session in (self._session, *self._sockets.values()):
            if session is not None:
                await session.close()

    def _tcp(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, limit_per_host=self._limit, keepalive_timeout=_KEEPALIVE, use_dns_cache=False
            )
            self._session = _session(connector)
        return self._session

    def _socket(self, path: str) -> aiohttp.ClientSession:
        if path not in self._sockets:
            connector = aiohttp.UnixConnector(path, limit=self._limit, keepalive_timeout=_KEEPALIVE)
            self._sockets[path] = _session(connector)
        return self._sockets[path]


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_READ_BUFFER,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        trust_env=False,
    )


def _name(address: str, port: int) -> str:
    return address if address.startswith("/") else f"{address}:{port}"


class RemoteDataNode(DataNode):
    """A data node of another process, from ``Connections.node``."""

    def __init__(
        self, connections: Connections, session: aiohttp.ClientSession, base: URL, name: str
    ) -> None:
        self._connections = connections
        self._session = session
        self._base = base
        self._execute = base.with_path(EXECUTE)
        self._name = name

    def __repr__(self) -> str:
        return f"<RemoteDataNode {self._name}>"

    @property
    def name(self) -> str:
        return self._name

    async def execute(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        wire = self._connections.wire
        frame = wire.put_request(ops, trace)
        within = None if trace.deadline is None else trace.deadline - self._connections.clock()
        headers = {"Content-Type": FRAME_TYPE}
        async with self._ask("POST", self._execute, _body(frame), within, trace.epoch, headers) as response:
            reader = FrameReader(response.content.readany, limit=self._connections.answer_limit)
            head = await reader.head()
            buffers = await reader.buffers(wire.places(ops, head))
            reply = wire.get_reply(ops, head, buffers)
        if reply.view is not None:
            self._connections.learned(View.from_json(reply.view))
        return reply.results

    async def ask_json(
        self, method: str, path: str, *, body: Any = None, within: float, epoch: int | None = None
    ) -> Any:
        """A small request of JSON, answered by JSON, ``within`` seconds. Raises ``NotReachable``."""
        data = None if body is None else orjson.dumps(body)
        url = self._base.join(URL(path, encoded=True))
        async with self._ask(method, url, data, within, epoch, {}) as response:
            return orjson.loads(await response.read())

    @asynccontextmanager
    async def _ask(
        self,
        method: str,
        url: URL,
        data: Any,
        within: float | None,
        epoch: int | None,
        headers: Mapping[str, str],
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer while it is read, if the node has accepted the request. Translates what can go wrong."""
        if within is not None and within <= 0:
            raise NotReachable(f"no time is left to ask the data node {self._name}")
        signature = self._connections.signer.sign(method, url.raw_path_qs, epoch)
        limits = aiohttp.ClientTimeout(total=within, sock_connect=_CONNECT_SECONDS)
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers={HEADER: signature, **headers},
                timeout=limits,
                allow_redirects=False,
            ) as response:
                if response.status not in (200, 421):
                    await self._refused(response)
                yield response
        except TimeoutError as error:
            raise NotReachable(f"the data node {self._name} did not answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotReachable(f"the data node {self._name} is not reached: {_first_line(error)}") from error
        except (InvalidInput, WrongVersion, orjson.JSONDecodeError) as error:
            raise NotReachable(f"the data node {self._name} does not answer as one: {error}") from error

    async def _refused(self, response: aiohttp.ClientResponse) -> None:
        """Raise what an answer without results means."""
        text = (await response.content.read(_LONGEST_TEXT)).decode(errors="replace").partition("\n")[0]
        match response.status:
            case 401 | 403:
                raise Unavailable(f"the data node {self._name} does not believe our signature: {text}")
            case 400 | 413:
                raise HsdsError(f"the data node {self._name} does not take the request: {text}")
            case 501:
                raise Unavailable(f"the data node {self._name} is of another version: {text}")
        raise NotReachable(f"the data node {self._name} answers {response.status}: {text}")


def _body(frame: Frame) -> Any:
    parts = frame.parts()
    return parts[0] if len(parts) == 1 else _FrameBody(parts, frame.nbytes)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
