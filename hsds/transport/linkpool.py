"""The connections of a node to one other node: kept while they are fit, as many as are in use at once."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Final

from hsds.transport.link import Link

_CONNECT_SECONDS: Final = 2.0
_CONNECTING: Final = 16
"""Connections that are opened at once: a listening socket has room for a hundred or so, and refuses more."""
_KEPT: Final = 64
"""Links that are kept when nobody uses them; each has memory of its own."""
_KEEPALIVE: Final = 600.0
"""Seconds after which an unused connection is not trusted any more."""


class LinkPool:
    """Links to an IP and port, or to the path of a Unix socket; at most ``limit`` at once, others wait."""

    def __init__(self, address: str, port: int, *, limit: int) -> None:
        self._address = address
        self._port = port
        self._turns = asyncio.Semaphore(limit)
        self._connecting = asyncio.Semaphore(_CONNECTING)
        self._idle: list[Link] = []
        self._links: set[Link] = set()
        self._closed = False
        self._sweep: asyncio.TimerHandle | None = None
        """Runs while there are idle links: a node that is gone for good is never asked again."""

    def __repr__(self) -> str:
        return f"<LinkPool {self._address}:{self._port}, {len(self._links)} links, {len(self._idle)} idle>"

    def close(self) -> None:
        """Close all links; what is under way fails, and whatever is asked for afterwards."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for link in self._links:
            link.close()
        self._links.clear()
        self._idle.clear()

    def link(self) -> AbstractAsyncContextManager[Link]:
        """A link for one exchange. Raises ``OSError`` where nobody is reached."""
        return _Loan(self)

    async def take(self) -> Link:
        """The same without a context, to be given back."""
        await self._turns.acquire()
        try:
            return self._kept() or await self._opened()
        except BaseException:
            self._turns.release()
            raise

    def give_back(self, link: Link) -> None:
        """The exchange is over, well or not."""
        self._turns.release()
        if link.fit and link in self._links and len(self._idle) < _KEPT:
            loop = asyncio.get_running_loop()
            link.idle_since = loop.time()
            self._idle.append(link)
            if self._sweep is None:
                self._sweep = loop.call_later(_KEEPALIVE, self._close_old)
        else:
            self._drop(link)

    def _kept(self) -> Link | None:
        """The link that was used last, if it is still there: others grow old and are closed."""
        oldest = asyncio.get_running_loop().time() - _KEEPALIVE
        while self._idle:
            link = self._idle.pop()
            if link.fit and link.idle_since > oldest:
                return link
            self._drop(link)
        return None

    async def _opened(self) -> Link:
        """A link that another request has given back meanwhile, or a new one."""
        async with self._connecting:
            return self._kept() or await self._connect()

    async def _connect(self) -> Link:
        if self._closed:
            raise ConnectionError("this node is ending")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                if self._address.startswith("/"):
                    _, link = await loop.create_unix_connection(Link, self._address)
                else:
                    _, link = await loop.create_connection(Link, self._address, self._port)
        except TimeoutError:
            raise ConnectionError("nobody takes the connection") from None
        self._links.add(link)
        if self._closed:
            self._drop(link)
            raise ConnectionError("this node is ending")
        return link

    def _close_old(self) -> None:
        loop = asyncio.get_running_loop()
        idle, self._idle = self._idle, []
        for link in idle:
            if link.fit and link.idle_since > loop.time() - _KEEPALIVE:
                self._idle.append(link)
            else:
                self._drop(link)
        self._sweep = loop.call_later(_KEEPALIVE, self._close_old) if self._idle else None

    def _drop(self, link: Link) -> None:
        link.close()
        self._links.discard(link)


class _Loan(AbstractAsyncContextManager[Link]):
    """A link that is given back at the end of a block. A generator would cost more than the pool."""

    __slots__ = ("_link", "_pool")

    def __init__(self, pool: LinkPool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Link:
        self._link = await self._pool.take()
        return self._link

    async def __aexit__(self, *_: object) -> None:
        self._pool.give_back(self._link)
