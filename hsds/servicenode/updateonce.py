"""Limited updates with an ``Idempotency-Key``: the first rows that match, and never others for one key.

An element that was updated as a rule matches no more, so that a repeat would take the next ones. Therefore
the rows are chosen first and kept with the dataset under the key; what is done to them, setting those that
match or have the new values already, can then be done any number of times. Rows that somebody else took in
between are replaced by further ones, which are kept before they are touched, too. Once all is done that is
kept as well: later repeats touch nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from hsds.errors import Conflict, InvalidInput, Unavailable
from hsds.hdf5.query import Query
from hsds.hdf5.selection import Points, Selection
from hsds.servicenode.selectparam import selection_of
from hsds.servicenode.slabs import plan
from hsds.servicenode.valuerequest import ValueRequest
from hsds.transport.ops import GetKept, Hits, Json, Keep, QueryChunks, ReadChunks, UpdateWhere

Array = np.ndarray[Any, Any]

MOST = 4096
"""Rows of one such update: they are kept in the dataset's JSON."""
_SCANNED = 1 << 20
"""Elements that are searched at once."""
_ROUNDS = 1000


async def update_once(request: ValueRequest, query: Query, values: Mapping[str, Array]) -> Hits:
    """The rows that the first request with this key updated, or would have had it not died."""
    limit = request.limit()
    if limit > MOST:
        raise InvalidInput(f"with Idempotency-Key the Limit of an update is at most {MOST}")
    call, dataset = request.call, request.spec.id
    operation, mark = call.operation, _fingerprint(request, query, values)
    kept = await call.ask(GetKept(request.bucket, dataset, operation))
    for _ in range(_ROUNDS):
        if kept is not None and kept.get("request") != mark:
            raise Conflict("this Idempotency-Key was given with another request")
        rows = _rows(kept, request)
        if kept is not None and kept.get("done"):
            return await _read(request, rows)
        hits = await _update(request, rows, query, values)
        more = await _first_matches(request, query, limit - len(hits.values))
        wanted = np.concatenate([hits.indices, more])
        chosen = {"request": mark, "rows": wanted.tolist(), "done": not len(more)}
        kept = await call.ask(Keep(request.bucket, dataset, operation, chosen, kept))
        if chosen["done"] and kept == chosen:
            return hits
    raise Unavailable("the rows that match are changed by others all the time")


def _rows(kept: Json | None, request: ValueRequest) -> Array:
    rows = kept["rows"] if kept is not None else []
    return np.array(rows, np.int64).reshape(-1, request.space.rank)


async def _update(request: ValueRequest, rows: Array, query: Query, values: Mapping[str, Array]) -> Hits:
    if not len(rows):
        return Hits(rows, np.empty(0, request.spec.datatype.dtype))
    op = UpdateWhere(request.bucket, request.spec, Points(rows), query, values, 0, or_equal=True)
    return await request.call.ask(op)


async def _read(request: ValueRequest, rows: Array) -> Hits:
    """The rows of an update that is done, with the values that they have now."""
    values = np.empty(0, request.spec.datatype.dtype)
    if len(rows):
        values = await request.call.ask(ReadChunks(request.bucket, request.spec, Points(rows)))
    return Hits(rows, values)


async def _first_matches(request: ValueRequest, query: Query, limit: int) -> Array:
    """Coordinates (n, rank) of the first ``limit`` elements of the selection that match now."""
    found = [np.empty((0, request.space.rank), np.int64)]
    selection: Selection = selection_of(request)
    for page in plan(request.spec, selection, _SCANNED * request.spec.datatype.itemsize):
        if limit <= 0:
            break
        hits = await request.call.ask(QueryChunks(request.bucket, request.spec, page.selection, query, limit))
        found.append(hits.indices[:limit])
        limit -= len(found[-1])
    return np.concatenate(found)


def _fingerprint(request: ValueRequest, query: Query, values: Mapping[str, Array]) -> str:
    """What makes two requests the same."""
    digest = hashlib.sha256(f"{query.text}\n{selection_of(request)}\n{request.limit()}".encode())
    datatype = request.spec.datatype
    for name in sorted(values):
        value = values[name]
        text = value.tobytes() if not value.dtype.hasobject else repr(value.tolist()).encode()
        digest.update(f"\n{name} {datatype.dtype}".encode() + text)
    return digest.hexdigest()[:32]
