"""Asking early: what a request is going to need is asked of the data nodes in one trip, not in three.

Nothing is answered from memory. What is remembered of a dataset only tells which questions are likely; a
handler then asks them as ever, and finds those answered that were guessed right. What the user may not see is
never looked at: the handler asks for the domain first, and refuses.
"""

from __future__ import annotations

from typing import Any

from hsds.errors import HsdsError
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.ids import Collection, check_id
from hsds.hdf5.selection import Hyperslab, whole
from hsds.hdf5.selecttext import parse_select
from hsds.servicenode.call import Call
from hsds.servicenode.stream import SMALL
from hsds.transport.ops import GetDomain, GetObject, Json, Op, ReadChunks


async def ask_early(call: Call, collection: Collection, *likely: Op[Any]) -> None:
    """Ask for the domain of the request along with what is ``likely`` asked of its object in the path.

    Where data nodes are a function call away it does nothing.
    """
    if not call.node.nodes.distant or not _well_formed(call.path["id"], collection):
        return
    bucket, path = call.target("read")
    ops: tuple[Op[Any], ...] = (GetDomain(bucket, path), *likely)
    call.early = list(zip(ops, await call.node.nodes.settle(ops, call.trace), strict=True))


async def ask_early_for_values(call: Call, *, read: bool) -> None:
    """The same for values of a dataset: its JSON, and for a small ``read`` the values too."""
    if not call.node.nodes.distant or not _well_formed(call.path["id"], "datasets"):
        return
    bucket, _ = call.target("read")
    likely: list[Op[Any]] = [GetObject(bucket, call.path["id"])]
    known = call.node.guesses.get(bucket, call.path["id"]) if read else None
    if known is not None:
        op = _small_read(call, bucket, known)
        if op is not None:
            likely.append(op)
    await ask_early(call, "datasets", *likely)


def _small_read(call: Call, bucket: str, json: Json) -> ReadChunks | None:
    """The read that the URL asks for if it is a plain one and the dataset is still as it was."""
    if any(call.text(name) for name in ("query", "regionref")):
        return None
    try:
        spec, dims = call.node.specs.get(json), Dataspace.from_json(json["shape"]).extents
        select = call.text("select")
        selection = parse_select(select, dims) if select else whole(dims)
    except HsdsError:
        return None
    if not isinstance(selection, Hyperslab) or not 0 < selection.npoints * spec.datatype.itemsize <= SMALL:
        return None
    return ReadChunks(bucket, spec, selection)


def _well_formed(object_id: str, collection: Collection) -> bool:
    try:
        check_id(object_id, collection)
    except HsdsError:
        return False
    return True
