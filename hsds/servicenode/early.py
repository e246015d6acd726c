"""Asking early: what a request is going to need is asked of the data nodes in one trip, not in three.

Nothing is answered from memory. What is remembered of a dataset only tells which questions are likely; a
handler then asks them as ever, and finds those answered that were guessed right. What the user may not see is
never looked at: the handler asks for the domain first, and refuses.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

from hsds.errors import HsdsError
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.ids import Collection, check_id
from hsds.hdf5.query import parse_query
from hsds.hdf5.selection import Hyperslab, Selection, whole
from hsds.hdf5.selecttext import parse_select
from hsds.servicenode.call import Call
from hsds.servicenode.guesses import Asker
from hsds.servicenode.slabs import is_small, reading
from hsds.servicenode.stream import SEARCHED
from hsds.transport.ops import GetDomain, GetObject, Json, Op, QueryChunks, ReadChunks


async def ask_early(call: Call, collection: Collection, *likely: Op[Any]) -> None:
    """Ask for the domain of the request along with what is ``likely`` asked of its object in the path.

    Where data nodes are a function call away it does nothing.
    """
    if not call.node.nodes.distant or not _well_formed(call.path["id"], collection):
        return
    bucket, path = call.target("read")
    ops: tuple[Op[Any], ...] = (GetDomain(bucket, path), *likely)
    for op, answer in zip(ops, await call.node.nodes.settle(ops, call.trace), strict=True):
        call.early.add(op, answer)


async def ask_early_for_values(call: Call, *, read: bool) -> None:
    """The same for values of a dataset: its JSON, and for a ``read`` what it asks for if that is one trip."""
    if not call.node.nodes.distant or not _well_formed(call.path["id"], "datasets"):
        return
    bucket, _ = call.target("read")
    likely: list[Op[Any]] = [GetObject(bucket, call.path["id"])]
    known = call.node.guesses.get(asker(call), call.path["id"]) if read else None
    if known is not None:
        likely += _likely_reads(call, bucket, known)
    await ask_early(call, "datasets", *likely)


def _likely_reads(call: Call, bucket: str, json: Json) -> list[Op[Any]]:
    """What the URL asks for, a few values or a search, if the dataset is still as it was.

    Of many values the first pages are asked for, each by itself: the first is sent while others arrive.
    """
    if call.text("regionref"):
        return []
    try:
        spec, dims = call.node.specs.get(json), Dataspace.from_json(json["shape"]).extents
        select, query, limit = call.text("select"), call.text("query"), call.text("Limit") or "0"
        selection = parse_select(select, dims) if select else whole(dims)
        if not dims or not isinstance(selection, Hyperslab) or not selection.npoints:
            return []  # a null dataspace has no axes: a read of it would belong to no node
        nbytes = selection.npoints * spec.datatype.itemsize
        if query and nbytes <= SEARCHED and limit.isascii() and limit.isdigit():
            return [QueryChunks(bucket, spec, selection, parse_query(query, spec.datatype), int(limit))]
    except HsdsError:
        return []
    if query:
        return []
    if is_small(spec, selection, nbytes):
        return [ReadChunks(bucket, spec, selection)]
    if call.wants_binary and not call.text("fields"):
        _begin(call, bucket, spec, selection)
    return []


def _begin(call: Call, bucket: str, spec: DatasetSpec, selection: Selection) -> None:
    """Ask for the first pages of a large read, as far as there is room for them."""
    way = reading(spec, selection, call.node.budget, copies=2 if spec.datatype.variable else 1)
    for page in islice(way.pages, way.depth + 1):
        if not call.early.pay(way.cost(page)):
            return
        op = ReadChunks(bucket, spec, page.selection)
        task = asyncio.create_task(call.node.nodes.call(op, call.trace))
        task.add_done_callback(lambda task: task.cancelled() or task.exception())  # who waits is told
        call.early.add(op, task)


def asker(call: Call) -> Asker:
    """Who asks for a dataset, and through which domain: others may not be allowed to."""
    return (call.user.name, *call.target("read"))


def _well_formed(object_id: str, collection: Collection) -> bool:
    try:
        check_id(object_id, collection)
    except HsdsError:
        return False
    return True
