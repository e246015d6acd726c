"""Which data nodes an operation concerns, and how their answers become one.

An operation on an object goes to the owner of its slot. One on chunks goes to the owners of all chunks that
it touches, each confined (``only``) to the slots that the sender believes to be that node's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from hsds.cluster.slots import chunk_slot, chunk_slots, object_slot, slots_in
from hsds.cluster.view import View
from hsds.hdf5 import keys
from hsds.hdf5.chunking import Piece, only_chunk, pieces, touched_chunks
from hsds.hdf5.paging import check_chunks
from hsds.transport import ops

Part = tuple[str, ops.Op[Any]]
"""Uid of a data node, and what to ask it."""


def object_slot_of(op: ops.Op[Any]) -> int:
    """Slot of the object or domain that an operation is about; a chunk operation's is its dataset's."""
    if isinstance(op, ops.DomainOp):
        return _domain_slot(op.bucket, op.path)
    return _object_slot(op.bucket, op.key)


@lru_cache(maxsize=1 << 14)
def _domain_slot(bucket: str, path: str) -> int:
    # the top has no object: any node can list it
    return object_slot(bucket, "/" if path == "/" else keys.domain_key(path))


@lru_cache(maxsize=1 << 14)
def _object_slot(bucket: str, id_: str) -> int:
    return object_slot(bucket, keys.object_key(id_))


def split(op: ops.Op[Any], view: View) -> list[Part]:
    """What to ask of whom so that the operation is carried out whole. The view has members."""
    owners = view.owners()
    if len(view.members) == 1:
        return [(view.members[0].uid, op)]
    if isinstance(op, ops.TrimChunks | ops.Flush):
        shared = {uid: _common(op.only, slots_of(mask)) for uid, mask in view.masks().items()}
        return [(uid, replace(op, only=slots)) for uid, slots in shared.items() if slots]
    if not isinstance(op, ops.ChunkOp):
        return [(owners[object_slot_of(op)], op)]
    only = only_chunk(op.selection, op.dataset.chunk_shape)
    if only is not None:  # most small requests: what numpy does for many takes ten times as long
        return [(owners[chunk_slot(object_slot_of(op), only)], op)]
    chunks = touched_chunks(op.selection, op.dataset.chunk_shape)
    if not len(chunks):
        return [(owners[object_slot_of(op)], op)]
    slots = np.unique(chunk_slots(object_slot_of(op), chunks)).tolist()
    shares: dict[str, set[int]] = {}
    for slot in slots if op.only is None else sorted(op.only.intersection(slots)):
        shares.setdefault(owners[slot], set()).add(slot)
    if len(shares) == 1:
        return [(next(iter(shares)), op)]
    return [(uid, replace(op, only=frozenset(share))) for uid, share in shares.items()]


def parts_of(op: ops.ChunkOp[Any]) -> list[Piece]:
    """The chunks that an operation is about, each with its part of the selection, in row-major order.

    Raises ``TooLarge`` if it touches too many.
    """
    check_chunks(op.selection, op.dataset.chunk_shape)
    parts = pieces(op.selection, op.dataset.chunk_shape)
    if op.only is None or not parts:
        return parts
    slots = chunk_slots(object_slot_of(op), np.array([piece.chunk for piece in parts]))
    return [piece for piece, slot in zip(parts, slots.tolist(), strict=True) if slot in op.only]


def counts(op: ops.Op[Any]) -> bool:
    """Whether what is done in one chunk depends on how much was found in those before."""
    return isinstance(op, ops.UpdateWhere) and bool(op.limit)


def first_part(op: ops.UpdateWhere, view: View) -> tuple[Part, ops.UpdateWhere | None]:
    """What to ask first: the chunks of one owner that come first in row-major order; and what is left."""
    owners = view.owners()
    chunks = touched_chunks(op.selection, op.dataset.chunk_shape)
    slots = [
        slot
        for slot in chunk_slots(object_slot_of(op), chunks).tolist()
        if op.only is None or slot in op.only
    ]
    first = next((n for n, slot in enumerate(slots) if owners[slot] != owners[slots[0]]), len(slots))
    now = frozenset(slots[:first])
    later = frozenset(slots) - now
    if not later:
        return (split(op, view)[0]), None
    return (owners[slots[0]], replace(op, only=now)), replace(op, only=later)


def prepared(op: ops.Op[Any]) -> ops.Op[Any]:
    """An operation as it can be split: what is read by several is placed into one array."""
    if isinstance(op, ops.ReadChunks) and op.out is None:
        out = np.empty(op.selection.shape, op.dataset.datatype.dtype)
        return ops.ReadChunks(op.bucket, op.dataset, op.selection, out, only=op.only)
    return op


def merge(op: ops.Op[Any], results: Sequence[Any]) -> Any:
    """The result of an operation from those of its parts."""
    match op:
        case ops.QueryChunks() | ops.UpdateWhere():
            return _merge_hits(op, results)
        case _:
            return results[0]


def _merge_hits(op: ops.QueryChunks | ops.UpdateWhere, results: Sequence[ops.Hits]) -> ops.Hits:
    """All hits in row-major order, the first ``limit`` of them."""
    indices = np.concatenate([hits.indices for hits in results])
    values = np.concatenate([hits.values for hits in results])
    order = np.lexsort(indices.T[::-1])
    if op.limit:
        order = order[: op.limit]
    return ops.Hits(indices[order], values[order])


def slots_of(mask: int) -> frozenset[int]:
    """The slots of a set as numbers."""
    return frozenset(slots_in(mask).tolist())


def _common(only: frozenset[int] | None, slots: frozenset[int]) -> frozenset[int]:
    return slots if only is None else only & slots
