"""Writing elements: each touched chunk is changed by its own conditional PUT, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np

from hsds.cluster.slots import key_slot
from hsds.datanode.change import Basis, Outcome
from hsds.datanode.chunkread import batches
from hsds.datanode.documents import ChunkCodec
from hsds.datanode.state import State
from hsds.hdf5 import keys
from hsds.hdf5.chunking import Piece
from hsds.hdf5.dataset import DatasetSpec
from hsds.transport.ops import TrimChunks, WriteChunks
from hsds.transport.splitting import parts_of

Array = np.ndarray[Any, Any]
ChunkApply = Callable[[Array | None], Outcome[Array]]


class ChunkWriter:
    """Carries out ``WriteChunks`` and ``TrimChunks``."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def write(self, op: WriteChunks) -> None:
        spec = op.dataset
        data = _spread(op.data, op.selection.shape + spec.datatype.dtype.shape)
        for batch in batches(parts_of(op), spec):
            changes = []
            for piece in batch:
                if piece.covers_chunk and op.fields is None:
                    apply, basis = _replace(piece, data), Basis.NOTHING
                else:
                    apply, basis = self._guess(op.bucket, spec, piece, _patch(spec, piece, data, op.fields))
                changes.append(self._change(op.bucket, spec, piece.chunk, apply, basis))
            await _all(changes)

    async def trim(self, op: TrimChunks) -> None:
        """Delete the chunks outside the new extents, and fill what lies outside in those on the edge.

        Where a delete cannot be conditional a chunk of fill is stored: HSDS cannot read an empty chunk.
        """
        spec = op.dataset
        changes = []
        await self._state.flush(op.bucket, keys.dataset_prefix(spec.id))
        conditional = self._state.store.conditional_delete
        async for info in self._state.store.list_all(op.bucket, keys.dataset_prefix(spec.id)):
            parsed = keys.parse_key(info.key)
            if parsed is None or parsed.index is None:
                continue
            if op.only is not None and key_slot(op.bucket, info.key) not in op.only:
                continue
            inside = _extents_inside(parsed.index, spec.chunk_shape, op.dims)
            if all(i == n for i, n in zip(inside, spec.chunk_shape, strict=True)):
                continue
            remove = conditional and not all(inside)
            apply = _remove if remove else _fill_outside(spec, parsed.index, inside)
            changes.append(self._change(op.bucket, spec, parsed.index, apply, Basis.READ))
        await _all(changes)

    def _guess(
        self, bucket: str, spec: DatasetSpec, piece: Piece, patch: ChunkApply
    ) -> tuple[ChunkApply, Basis]:
        """What a partial write begins with: a GET, or where it most likely finds nothing, a create.

        It does in datasets made here, and in those of which the last chunk looked for was not there.
        """
        key = (bucket, spec.key(piece.chunk))
        if self._state.chunks.reader.peek(key) is not None:
            return patch, Basis.READ
        sparse, dataset = self._state.sparse, (bucket, spec.id)
        basis = Basis.ABSENT if dataset in sparse else Basis.READ

        def apply(present: Array | None) -> Outcome[Array]:
            (sparse.add if present is None else sparse.discard)([dataset])
            return patch(present)

        return apply, basis

    async def _change(
        self, bucket: str, spec: DatasetSpec, index: tuple[int, ...], apply: ChunkApply, basis: Basis
    ) -> None:
        key = (bucket, spec.key(index))
        await self._state.chunks.committer.change(key, ChunkCodec(spec), apply, basis)


async def _all(changes: list[Coroutine[Any, Any, None]]) -> None:
    """Wait for every change to end, then raise the first error: nothing goes on behind an answer."""
    for result in await asyncio.gather(*changes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _spread(data: Array, shape: tuple[int, ...]) -> Array:
    """Broadcast over the selection; ``shape`` includes the axes of an array type."""
    return data if data.shape == shape else np.broadcast_to(data, shape)


def _replace(piece: Piece, data: Array) -> ChunkApply:
    """Write a whole chunk. The cache gets a copy of its own: a view would pin the request's body, and its
    buffer is the caller's. Only a chunk that is all of a body is taken as it is. Both are read-only: a batch
    may be applied again, and must begin with what was written, not with what the batch made of it.
    """
    chunk = data[piece.outer]
    if not (chunk.flags.c_contiguous and _is_body(chunk)):
        chunk = np.array(chunk, order="C")
    chunk.flags.writeable = False

    def apply(_present: Array | None) -> Outcome[Array]:
        return Outcome(chunk)

    return apply


def _is_body(array: Array) -> bool:
    """Whether the array is a view of a received buffer, and of nothing beside."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    elif not isinstance(owner, bytes):
        return False
    return memoryview(owner).nbytes == array.nbytes


def private(present: Array) -> Array:
    """A chunk that a change may change in place: not what an earlier one of its batch wrote whole."""
    return present if present.flags.writeable else present.copy()


def _patch(spec: DatasetSpec, piece: Piece, data: Array, fields: tuple[str, ...] | None) -> ChunkApply:
    def apply(present: Array | None) -> Outcome[Array]:
        chunk = spec.new_chunk(piece.chunk) if present is None else private(present)
        new = data[piece.outer]
        if fields is None:
            chunk[piece.inner] = new
        else:
            for name in fields:
                chunk[name][piece.inner] = new[name]
        return Outcome(chunk)

    return apply


def _remove(_present: Array | None) -> Outcome[Array]:
    return Outcome(None)


def _fill_outside(spec: DatasetSpec, index: tuple[int, ...], inside: tuple[int, ...]) -> ChunkApply:
    def apply(present: Array | None) -> Outcome[Array]:
        if present is None:
            return Outcome(None, changed=False)
        chunk = spec.new_chunk(index)
        kept = tuple(slice(0, n) for n in inside)
        chunk[kept] = present[kept]
        return Outcome(chunk)

    return apply


def _extents_inside(index: tuple[int, ...], chunk: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """How much of a chunk lies inside ``dims``, axis by axis."""
    return tuple(max(0, min(n, d - i * n)) for i, n, d in zip(index, chunk, dims, strict=True))
