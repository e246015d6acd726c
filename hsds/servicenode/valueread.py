"""Reading values: one plain response for a few elements, slabs for many; as JSON or as bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, NamedTuple, TypeVar

import numpy as np
from aiohttp import web

from hsds.errors import TooLarge
from hsds.hdf5.binary import encode
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.fields import pick_fields
from hsds.hdf5.jsonvalue import dumps, to_json
from hsds.hdf5.paging import pages
from hsds.hdf5.selection import Selection, whole
from hsds.servicenode.aside import aside
from hsds.servicenode.brackets import Target, block_text
from hsds.servicenode.replies import BINARY_TYPE
from hsds.servicenode.slabs import Page, is_small, reading
from hsds.servicenode.stream import JSON, Part, plain_reply, read_ahead, send
from hsds.servicenode.valuerequest import ValueRequest
from hsds.transport.ops import ReadChunks

Array = np.ndarray[Any, Any]

T = TypeVar("T")

JSON_BLOCK = 256 * 1024
"""Bytes of elements that become JSON text at once; as Python objects they take some ten times as much."""


class Block(NamedTuple):
    """Values, and where they belong in the result."""

    values: Array
    target: Target


async def read_values(
    request: ValueRequest, selection: Selection, *, limited: bool = False
) -> web.StreamResponse:
    """Answer with the selected elements. JSON answers, scalars and ``limited`` ones have to be smaller than
    ``max_request_size``, others are of any size.
    """
    datatype = request.datatype()
    binary = request.call.wants_binary
    nbytes = selection.npoints * datatype.itemsize
    if limited or not binary or request.space.rank == 0:
        check_size(request, nbytes)
    if binary:
        return await _read_binary(request, selection, datatype, nbytes)
    return await _read_json(request, selection, datatype, nbytes)


def check_size(request: ValueRequest, nbytes: int) -> None:
    """``TooLarge`` for an answer of ``nbytes`` that has to be made whole."""
    limit = request.call.settings.max_request_size
    if nbytes >= limit:
        raise TooLarge(f"the selection has {nbytes} bytes, the limit (max_request_size) is {limit}")


async def read_block(request: ValueRequest, datatype: Datatype, selection: Selection) -> Array:
    """The selected elements with the members of ``datatype``, in their order."""
    values = await request.call.ask(ReadChunks(request.bucket, request.spec, selection))
    return pick(values, datatype)


def pick(values: Array, datatype: Datatype) -> Array:
    """The members of ``datatype`` alone, packed; the same array where it has no others."""
    if values.dtype.names == datatype.dtype.names:
        return values
    return pick_fields(values, datatype)


async def _read_binary(
    request: ValueRequest, selection: Selection, datatype: Datatype, nbytes: int
) -> web.StreamResponse:
    if is_small(request.spec, selection, nbytes):
        part = encode(await read_block(request, datatype, selection), datatype)
        return plain_reply(request.call, part, BINARY_TYPE)
    length = None if datatype.variable else nbytes
    return await send(request.call, _binary_parts(request, selection, datatype), BINARY_TYPE, length=length)


async def _binary_parts(
    request: ValueRequest, selection: Selection, datatype: Datatype
) -> AsyncGenerator[Part, None]:
    async def fetch(page: Page) -> Part:
        block = await read_block(request, datatype, page.selection)
        if not datatype.variable:
            return encode(block, datatype)
        return await aside(block.nbytes, lambda: encode(block, datatype))

    def known(page: Page) -> Part | None:
        if datatype is not request.spec.datatype or datatype.variable:
            return None
        block = request.call.node.nodes.known(ReadChunks(request.bucket, request.spec, page.selection))
        return None if block is None else encode(block, datatype)

    async with aclosing(_slabs(request, selection, datatype, fetch, known)) as parts:
        async for part in parts:
            yield part
            del part


def _slabs(
    request: ValueRequest,
    selection: Selection,
    datatype: Datatype,
    fetch: Callable[[Page], Awaitable[T]],
    known: Callable[[Page], T | None] = lambda page: None,
) -> AsyncGenerator[T, None]:
    """The selection slab by slab, as ``fetch`` makes it from a page, or ``known`` at once."""
    call = request.call
    copies = 1 if datatype is request.spec.datatype and not datatype.variable else 2
    way = reading(request.spec, selection, call.node.budget, copies=copies)

    def begin(page: Page) -> Awaitable[T]:
        call.moved_on()
        return fetch(page)

    budget = call.node.budget
    return read_ahead(
        way.pages, begin, way.cost, budget, depth=way.depth, acquire=call.early.acquire, known=known
    )


async def _read_json(
    request: ValueRequest, selection: Selection, datatype: Datatype, nbytes: int
) -> web.StreamResponse:
    shape = _json_shape(request, selection)
    ignore_nan = request.call.flag("ignore_nan")
    if shape and not is_small(request.spec, selection, nbytes):
        parts = _json_parts(request, selection, datatype, shape, ignore_nan)
        return await send(request.call, parts, JSON)
    values = await read_block(request, datatype, selection)
    items = values.reshape((shape or (1,)) + values.shape[len(selection.shape) :])
    value = to_json(items, datatype)
    head, tail = json_frame(request)
    return plain_reply(
        request.call, head + dumps(value if shape else value[0], ignore_nan=ignore_nan) + tail, JSON
    )


async def _json_parts(
    request: ValueRequest, selection: Selection, datatype: Datatype, shape: tuple[int, ...], ignore_nan: bool
) -> AsyncGenerator[Part, None]:
    async def fetch(page: Page) -> Block:
        return Block(await read_block(request, datatype, page.selection), page.target)

    kept = _kept(request, selection)
    head, tail = json_frame(request)
    async with aclosing(_slabs(request, selection, datatype, fetch)) as slabs:
        async for slab in slabs:
            for values, target in _split(slab, datatype):
                place = tuple(target[axis] for axis in kept)
                extents = tuple(part.stop - part.start for part in place)
                items = values.reshape(extents + values.shape[len(target) :])
                yield head + block_text(items, datatype, shape, place, ignore_nan=ignore_nan)
                head = b""
            del slab, values, items
    yield tail


def _split(slab: Block, datatype: Datatype) -> Iterator[Block]:
    """Cut a slab into blocks that are small enough to become text at once."""
    extents = slab.values.shape[: len(slab.target)]
    for _, part in pages(whole(extents), max(1, JSON_BLOCK // datatype.itemsize)):
        offsets = zip(slab.target, part, strict=True)
        target = tuple(slice(a.start + b.start, a.start + b.stop) for a, b in offsets)
        yield Block(slab.values[part], target)


def _json_shape(request: ValueRequest, selection: Selection) -> tuple[int, ...]:
    """Extents of the nested lists; none for a bare element."""
    return tuple(selection.shape[axis] for axis in _kept(request, selection))


def _kept(request: ValueRequest, selection: Selection) -> tuple[int, ...]:
    """Axes of the result that are lists in JSON; with ``reduce_dim`` only those longer than one."""
    if request.space.rank == 0:
        return ()
    shape = selection.shape
    reduce = len(shape) > 1 and request.call.flag("reduce_dim")
    return tuple(axis for axis, extent in enumerate(shape) if extent != 1 or not reduce)


def json_frame(request: ValueRequest) -> tuple[bytes, bytes]:
    """What comes before and behind the text of ``value`` in an answer."""
    status = b'"status":200,' if request.call.request.method == "GET" else b""
    return b"{" + status + b'"value":', b',"hrefs":' + dumps(request.hrefs()) + b"}"
