"""Answers that are sent in slabs: each slab's bytes are held from the node's budget, and the next is fetched
while the last is sent. A fault before the first byte has its real status.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from aiohttp import web

from hsds.budget import ByteBudget
from hsds.servicenode.call import Call

MIB = 2**20
SEARCHED = 16 * MIB
"""Bytes that a query searches in one trip to each data node: mostly little of them comes back."""
STEP = 1 * MIB
"""Bytes handed to the socket at once; each has ``STALLED`` seconds to get away."""
HEAD = 4 * 1024
"""Bytes that leave with the head of the answer."""
STALLED = 60.0

JSON = "application/json"
"""Without a charset, unlike other JSON of this service: that is how HSDS sends values."""

P = TypeVar("P")
T = TypeVar("T")
Part = bytes | bytearray | memoryview


async def read_ahead(
    pages: Iterable[P],
    fetch: Callable[[P], Awaitable[T]],
    cost: Callable[[P], int],
    budget: ByteBudget,
    *,
    depth: int = 1,
    acquire: Callable[[int], Awaitable[None]] | None = None,
    known: Callable[[P], T | None] = lambda page: None,
) -> AsyncGenerator[T, None]:
    """Yield the fetched pages in order, fetching the next ``depth`` while the taker works on the last.

    ``cost`` bytes of a page are held from before its fetch until the taker asks for the next; ``acquire``
    takes them where some of ``budget`` may be held already. ``known`` says what is fetched where that takes
    no waiting: a task for each page was a tenth of a read from memory.
    """
    ahead = _Ahead(iter(pages), fetch, cost, budget, acquire or budget.acquire, known)
    try:
        ahead.begin(depth + 1)  # the first pages at once: each alone would be a trip to a data node
        while ahead.begun:
            page, item = ahead.begun[0]
            if isinstance(item, asyncio.Task):
                item = await item
            ahead.begun.popleft()
            try:
                ahead.begin(depth)
                yield item
                del item
            finally:
                budget.release(cost(page))
    finally:
        ahead.end()


@dataclass(slots=True)
class _Ahead(Generic[P, T]):
    """The pages that are fetched ahead, with what each holds of the budget; as the arguments of
    ``read_ahead``.
    """

    pages: Iterator[P]
    fetch: Callable[[P], Awaitable[T]]
    cost: Callable[[P], int]
    budget: ByteBudget
    acquire: Callable[[int], Awaitable[None]]
    known: Callable[[P], T | None]
    begun: deque[tuple[P, T | asyncio.Task[T]]] = field(default_factory=deque)

    def begin(self, count: int) -> None:
        """Fetch the next pages, until there are ``count``."""
        while len(self.begun) < count and (page := next(self.pages, None)) is not None:
            item = self._at_once(page)
            self.begun.append((page, asyncio.create_task(self._load(page)) if item is None else item))

    def end(self) -> None:
        """Give up those that nobody took. Nothing is awaited: whoever takes pages may be cancelled twice."""
        for page, item in self.begun:
            if isinstance(item, asyncio.Task):
                item.cancel()
                item.add_done_callback(partial(_give_back, self.budget, self.cost(page)))
            else:
                self.budget.release(self.cost(page))

    def _at_once(self, page: P) -> T | None:
        # not behind a page that waits: it might wait for what this one holds
        waits = self.begun and isinstance(self.begun[-1][1], asyncio.Task)
        if waits or not self.budget.try_acquire(self.cost(page)):
            return None
        item = None
        try:
            item = self.known(page)
        finally:
            if item is None:
                self.budget.release(self.cost(page))
        return item

    async def _load(self, page: P) -> T:
        await self.acquire(self.cost(page))
        try:
            return await self.fetch(page)
        except BaseException:
            self.budget.release(self.cost(page))
            raise


def _give_back(budget: ByteBudget, nbytes: int, task: asyncio.Task[T]) -> None:
    """Release what a page holds that nobody is going to take."""
    if not task.cancelled() and task.exception() is None:
        budget.release(nbytes)


async def send(
    call: Call,
    parts: AsyncGenerator[Part, None],
    content_type: str,
    *,
    length: int | None = None,
    first: Part | None = None,
) -> web.StreamResponse:
    """Send ``parts`` as they come, behind ``first`` if that is there already. ``length`` is the number of
    bytes where it is known.

    The first part is awaited before the head goes out. An error later on leaves a body that is visibly short:
    the middleware drops the connection.
    """
    async with aclosing(parts):
        part = await anext(parts) if first is None else first
        response = web.StreamResponse(headers={"Content-Type": content_type})
        if length is not None:
            response.content_length = length
        if call.settings.http_compression:
            response.enable_compression()
        await response.prepare(call.request)
        view = memoryview(part)
        await _write(response, view[:HEAD])  # aiohttp joins the head of an answer with its first bytes
        await _write(response, view[HEAD:])
        del part, view
        async for part in parts:
            await _write(response, part)
            del part
        await response.write_eof()
    return response


async def _write(response: web.StreamResponse, part: Part) -> None:
    view = memoryview(part)
    for start in range(0, view.nbytes, STEP):
        async with asyncio.timeout(STALLED):
            await response.write(view[start : start + STEP])


def plain_reply(call: Call, part: Part, content_type: str) -> web.Response:
    """An answer in one piece."""
    response = web.Response(body=bytes(part), headers={"Content-Type": content_type})
    if call.settings.http_compression:
        response.enable_compression()
    return response
