"""Updates of the elements that match a query: constants for some members, or for plain elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.datatype import Compound, Datatype
from hsds.hdf5.jsonvalue import from_json, to_json
from hsds.hdf5.query import ELEMENT, Query
from hsds.servicenode.replies import BINARY_TYPE
from hsds.servicenode.selectparam import selection_of
from hsds.servicenode.slabs import Page
from hsds.servicenode.stream import plain_reply
from hsds.servicenode.updateonce import update_once
from hsds.servicenode.valuequery import Member, collected, coordinate_list, index_bytes, json_lists
from hsds.servicenode.valuerequest import ValueRequest
from hsds.transport.ops import Hits, UpdateWhere

Array = np.ndarray[Any, Any]

_OPTIONS = frozenset({"query", "select", "start", "stop", "step", "Limit", "fields"})


async def update_values(request: ValueRequest, query: Query) -> web.StreamResponse:
    """Set what the body says in the elements that match, ``Limit`` of them at most.

    Answers with their indices and, as HSDS 0.9 did, with rows that begin with the index; in binary with the
    indices alone.
    """
    if request.space.rank == 0:
        raise InvalidInput("a scalar dataset cannot be queried")
    datatype = request.spec.datatype
    values = _constants(datatype, request.body)
    # members of a compound may be called as options are: then the body does not mean the option
    members = datatype.names if isinstance(datatype, Compound) else ("value",)
    request = replace(request, body={k: v for k, v in request.body.items() if k not in members})

    key = request.call.idempotency_key
    if key is not None and request.limit():
        return await _reply(request, await update_once(request, query, values))

    async def ask(page: Page, limit: int) -> Hits:
        op = UpdateWhere(request.bucket, request.spec, page.selection, query, values, limit)
        return await request.call.ask(op)

    async with collected(request, selection_of(request), ask) as hits:
        return await _reply(request, hits)


async def _reply(request: ValueRequest, hits: Hits) -> web.StreamResponse:
    if request.call.wants_binary and len(hits.indices):
        return plain_reply(request.call, index_bytes(hits.indices), BINARY_TYPE)
    rows = _row_list(hits, request.spec.datatype)
    return await json_lists(request, coordinate_list(hits.indices), rows)


def _constants(datatype: Datatype, body: Mapping[str, Any]) -> dict[str, Array]:
    """The constants of the body by member, each an array of no axes of the member's type."""
    if not isinstance(datatype, Compound):
        if "value" not in body:
            raise InvalidInput("an update of elements that match needs a value")
        return {ELEMENT: from_json(body["value"], datatype, ())}
    members = dict(datatype.fields)
    unknown = [name for name in body if name not in members and name not in _OPTIONS]
    if unknown:
        raise InvalidInput(f"{unknown[0]!r} is no field of the dataset")
    values = {name: from_json(body[name], member, ()) for name, member in members.items() if name in body}
    if not values:
        raise InvalidInput("an update of elements that match names at least one field")
    return values


def _row_list(hits: Hits, datatype: Datatype) -> Member:
    """Rows that begin with the index of the element (a list of coordinates if there are several axes)."""
    flat = hits.indices[:, 0] if hits.indices.shape[1] == 1 else hits.indices

    def rows(part: slice) -> list[Any]:
        values = to_json(hits.values[part], datatype)
        if isinstance(datatype, Compound):
            return [[index, *row] for index, row in zip(flat[part].tolist(), values, strict=True)]
        return [[index, value] for index, value in zip(flat[part].tolist(), values, strict=True)]

    return "value", len(hits.values), rows
