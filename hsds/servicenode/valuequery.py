"""Queries over values: the elements that match, and their indices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import numpy as np
from aiohttp import web

from hsds.errors import InvalidInput, TooLarge
from hsds.hdf5.binary import encode
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsonvalue import dumps, to_json
from hsds.hdf5.query import Query
from hsds.hdf5.selection import Selection
from hsds.servicenode.call import Call, Route
from hsds.servicenode.replies import BINARY_TYPE, JSON_TYPE
from hsds.servicenode.selectparam import selection_of
from hsds.servicenode.slabs import SMALL, Page, overhead, plan, row_bytes, slab_bytes
from hsds.servicenode.stream import JSON, SEARCHED, Part, plain_reply, read_ahead, send
from hsds.servicenode.valueread import check_size, pick
from hsds.servicenode.valuerequest import ValueRequest, open_values
from hsds.transport.ops import Hits, QueryChunks

Array = np.ndarray[Any, Any]
Member = tuple[str, int, Callable[[slice], list[Any]]]
"""A list in a JSON answer: its name, its length, and what gives a part of it."""

_ROWS = 4096
"""Items that become JSON text at once."""


async def query_values(request: ValueRequest, query: Query) -> web.StreamResponse:
    """Answer with the elements that match: as JSON with their indices beside them, in binary bare.

    No hits are told as JSON in either case: h5pyd takes an empty body for a fault.
    """
    datatype, selection = request.datatype(), _selection(request)
    if request.call.wants_binary:
        reply = await _binary(
            request, selection, query, lambda hits: encode(pick(hits.values, datatype), datatype)
        )
        return reply or await _rows(request, ("value", 0, _nothing), ("index", 0, _nothing))
    async with collected(request, selection, _asker(request, query)) as hits:
        values = pick(hits.values, datatype)
        return await _rows(request, value_list(values, datatype), index_list("index", hits.indices))


async def _rows(request: ValueRequest, *members: Member) -> web.StreamResponse:
    head = b'{"status":200,' if request.call.request.method == "GET" else b"{"
    return await json_lists(request, *members, head=head, content_type=JSON)


async def get_query(call: Call) -> web.StreamResponse:
    """``GET /datasets/{id}/query``: the indices of the elements that match, one list of coordinates each."""
    request = await open_values(call, "read")
    query = request.query()
    if query is None:
        raise InvalidInput("the parameter query is missing")
    selection = _selection(request)
    check_size(request, selection.npoints * request.spec.datatype.itemsize)
    if call.wants_binary:
        reply = await _binary(request, selection, query, lambda hits: index_bytes(hits.indices))
        return reply or await json_lists(request, ("indices", 0, _nothing))
    async with collected(request, selection, _asker(request, query)) as hits:
        return await json_lists(request, coordinate_list(hits.indices))


async def _binary(
    request: ValueRequest, selection: Selection, query: Query, part_of: Callable[[Hits], Part]
) -> web.StreamResponse | None:
    """The hits in binary while they are found; None if there are none."""
    budget = request.call.node.budget
    slab = slab_bytes(row_bytes(request.spec, selection), budget, SEARCHED)
    ask, limit = _asker(request, query), request.limit()

    async def parts() -> AsyncGenerator[Part, None]:
        left = limit
        found = read_ahead(
            plan(request.spec, selection, slab),
            lambda page: ask(page, limit),
            lambda page: _cost(request, page),
            budget,
        )
        async with aclosing(found):
            async for all_hits in found:
                hits = _first(all_hits, left)
                if len(hits.values):
                    yield part_of(hits)
                if limit:
                    left -= len(hits.values)
                    if not left:
                        return

    hits = parts()
    first = await anext(hits, None)
    if first is None:
        return None
    if selection.npoints * request.spec.datatype.itemsize <= slab and memoryview(first).nbytes <= SMALL:
        await hits.aclose()
        return plain_reply(request.call, first, BINARY_TYPE)
    return await send(request.call, hits, BINARY_TYPE, first=first)


@asynccontextmanager
async def collected(
    request: ValueRequest, selection: Selection, ask: Callable[[Page, int], Awaitable[Hits]]
) -> AsyncGenerator[Hits, None]:
    """All hits, their bytes held from the budget. ``TooLarge`` if they have ``max_request_size`` or more."""
    limit, largest = request.limit(), request.call.settings.max_request_size
    budget = request.call.node.budget
    slab = slab_bytes(row_bytes(request.spec, selection), budget, SEARCHED)
    element = _element_bytes(request)
    bound = min(selection.npoints, limit or selection.npoints) * element
    async with budget.hold(min(bound, largest) + min(selection.npoints * element, slab)):
        found: list[Hits] = []
        left, size = limit, 0
        for page in plan(request.spec, selection, slab):
            hits = _first(await ask(page, left), left)
            found.append(hits)
            size += len(hits.values) * element
            if size >= largest:
                raise TooLarge(
                    f"the hits have {size} bytes and more, the limit (max_request_size) is {largest}"
                )
            if limit:
                left -= len(hits.values)
                if not left:
                    break
        yield _joined(found, request)


def _asker(request: ValueRequest, query: Query) -> Callable[[Page, int], Awaitable[Hits]]:
    def ask(page: Page, limit: int) -> Awaitable[Hits]:
        return request.call.ask(QueryChunks(request.bucket, request.spec, page.selection, query, limit))

    return ask


def _selection(request: ValueRequest) -> Selection:
    if request.space.rank == 0:
        raise InvalidInput("a scalar dataset cannot be queried")
    return selection_of(request)


def _element_bytes(request: ValueRequest) -> int:
    """Bytes of one hit: its value and its coordinates."""
    return request.spec.datatype.itemsize + 8 * request.space.rank


def _cost(request: ValueRequest, page: Page) -> int:
    return page.selection.npoints * _element_bytes(request) + overhead(request.spec, page.selection)


def _first(hits: Hits, limit: int) -> Hits:
    return Hits(hits.indices[:limit], hits.values[:limit]) if limit and len(hits.values) > limit else hits


def _joined(found: list[Hits], request: ValueRequest) -> Hits:
    if not found:
        rank, dtype = request.space.rank, request.spec.datatype.dtype
        return Hits(np.empty((0, rank), np.int64), np.empty(0, dtype))
    if len(found) == 1:
        return found[0]
    return Hits(
        np.concatenate([hits.indices for hits in found]), np.concatenate([hits.values for hits in found])
    )


# -- answers ---------------------------------------------------------------------------------------


def index_bytes(indices: Array) -> Part:
    """Coordinates as little-endian int64, element by element."""
    return np.ascontiguousarray(indices, "<i8").reshape(-1).view(np.uint8).data


def value_list(values: Array, datatype: Datatype) -> Member:
    """The bare elements."""
    return "value", len(values), lambda part: list(to_json(values[part], datatype))


def index_list(name: str, indices: Array) -> Member:
    """Row numbers, or lists of coordinates where there is more than one axis."""
    flat = indices[:, 0] if indices.shape[1] == 1 else indices
    return name, len(flat), lambda part: list(flat[part].tolist())


def coordinate_list(indices: Array) -> Member:
    """Lists of coordinates, whatever the number of axes."""
    return "indices", len(indices), lambda part: list(indices[part].tolist())


async def json_lists(
    request: ValueRequest, *members: Member, head: bytes = b"{", content_type: str = JSON_TYPE
) -> web.StreamResponse:
    """An answer with these lists and ``hrefs``, in one piece if they are short."""
    parts = _list_texts(request, members, head)
    if sum(length for _, length, _ in members) <= _ROWS:
        return plain_reply(request.call, b"".join(parts), content_type)

    async def stream() -> AsyncGenerator[Part, None]:
        for part in parts:
            yield part

    return await send(request.call, stream(), content_type)


def _list_texts(request: ValueRequest, members: tuple[Member, ...], head: bytes) -> Iterator[bytes]:
    ignore_nan = request.call.flag("ignore_nan")
    yield head
    for name, length, items in members:
        yield dumps(name) + b":["
        for start in range(0, length, _ROWS):
            text = dumps(items(slice(start, start + _ROWS)), ignore_nan=ignore_nan)
            yield (b"," if start else b"") + text[1:-1]
        yield b"],"
    yield b'"hrefs":' + dumps(request.hrefs()) + b"}"


def _nothing(_part: slice) -> list[Any]:
    return []


ROUTES: list[Route] = [("GET", "/datasets/{id}/query", get_query)]
