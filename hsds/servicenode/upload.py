"""Bodies of elements of a fixed size, written slab by slab while they arrive: any length, bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import numpy as np
from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.binary import decode
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.selection import Selection
from hsds.servicenode.slabs import SLAB, is_small, overhead, plan, row_bytes, slab_bytes
from hsds.servicenode.stream import STALLED
from hsds.servicenode.valuerequest import ValueRequest
from hsds.transport.ops import WriteChunks

Array = np.ndarray[Any, Any]

LEAST = 2**20
"""Bytes of a slab, where chunks do not ask for more: the sooner one is whole, the sooner its PUT begins."""
WINDOW = 2 * SLAB
"""Bytes of one request that are being written while the next slab arrives; at least two slabs."""


def check_length(request: ValueRequest, expected: int) -> None:
    """``InvalidInput`` if the client says that its body has another length; it may say nothing."""
    http = request.call.request
    length = http.content_length
    if length is not None and length != expected and "Content-Encoding" not in http.headers:
        raise wrong_length(length, expected)


def wrong_length(length: int, expected: int) -> InvalidInput:
    """The error for a body of another length than the selection asks for."""
    return InvalidInput(f"the body has {length} bytes, the selection takes {expected}")


async def upload(
    request: ValueRequest, selection: Selection, datatype: Datatype, fields: tuple[str, ...] | None
) -> None:
    """Write the body, packed elements of ``datatype``, to the selection."""
    expected = selection.npoints * datatype.itemsize
    check_length(request, expected)
    body = _Body(request.call.request)
    if is_small(request.spec, selection, expected):
        data = await _receive(body, expected, expected)
        await body.check_end(expected)
        request.call.moved_on()
        await _write(request, selection, data, datatype, fields)
        return
    budget = request.call.node.budget
    writing: deque[asyncio.Task[None]] = deque()

    def write(part: Selection, data: Array, held: int) -> asyncio.Task[None]:
        task = asyncio.create_task(_write(request, part, data, datatype, fields))
        # not at the end of the task's own code: one that is cancelled before its first step runs none of it
        task.add_done_callback(lambda _: budget.release(held))
        return task

    try:
        slab = slab_bytes(row_bytes(request.spec, selection), budget, LEAST)
        window = max(2, min(WINDOW, budget.limit // 2) // slab)
        for page in plan(request.spec, selection, slab):
            if len(writing) == window:
                await writing.popleft()
            nbytes = page.selection.npoints * datatype.itemsize
            held = nbytes + overhead(request.spec, page.selection)
            await budget.acquire(held)
            try:
                data = await _receive(body, nbytes, expected)
            except BaseException:
                budget.release(held)
                raise
            request.call.moved_on()
            writing.append(write(page.selection, data, held))
            del data
        await body.check_end(expected)
        while writing:
            await writing.popleft()
    finally:
        if writing:  # a fault: nothing of this request goes on behind its answer
            await asyncio.gather(*writing, return_exceptions=True)


async def _write(
    request: ValueRequest,
    selection: Selection,
    data: Array,
    datatype: Datatype,
    fields: tuple[str, ...] | None,
) -> None:
    values = decode(data.data, datatype, selection.shape)
    await request.call.ask(WriteChunks(request.bucket, request.spec, selection, values, fields))


async def _receive(body: _Body, nbytes: int, expected: int) -> Array:
    data = np.empty(nbytes, np.uint8)
    if not await body.fill(data.data):
        raise wrong_length(body.received, expected)
    return data


class _Body:
    """Fills buffers with a request's body, in whatever pieces that arrives."""

    def __init__(self, request: web.Request) -> None:
        self._content = request.content
        self._rest = memoryview(b"")
        self.received = 0

    async def fill(self, target: memoryview) -> bool:
        """Fill ``target``; False when the body ends before."""
        at = 0
        while at < len(target):
            if not self._rest and not await self._more():
                return False
            n = min(len(target) - at, len(self._rest))
            target[at : at + n] = self._rest[:n]
            self._rest = self._rest[n:]
            at += n
        return True

    async def check_end(self, expected: int) -> None:
        """``InvalidInput`` if there is more than ``expected`` bytes."""
        if self._rest or await self._more():
            raise wrong_length(self.received, expected)

    async def _more(self) -> bool:
        try:
            async with asyncio.timeout(STALLED):
                data = await self._content.readany()
        except web.RequestPayloadError as error:
            raise InvalidInput(f"the body cannot be read: {error}") from None
        except TimeoutError:
            raise InvalidInput(f"the body stopped after {self.received} bytes") from None
        self._rest = memoryview(data)
        self.received += len(data)
        return bool(data)
