"""Reading elements: the chunks of a selection, batch by batch, into one array."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hsds.datanode.documents import ChunkCodec, Entry
from hsds.datanode.state import State
from hsds.hdf5.chunking import Piece, only_piece
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.selection import Hyperslab
from hsds.transport.ops import ReadChunks
from hsds.transport.splitting import parts_of

Array = np.ndarray[Any, Any]
BATCH_BYTES = 16 << 20
"""Decoded bytes of chunks that one request has read but not yet placed."""
BATCH_CHUNKS = 2048
INLINE_BYTES = 2 << 20
"""Copies up to this size are made in the event loop: a hop to the executor costs more."""


class ChunkReader:
    """Carries out ``ReadChunks``."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def read(self, op: ReadChunks) -> Array:
        spec, codec = op.dataset, ChunkCodec(op.dataset)
        parts = parts_of(op)
        if len(parts) == 1 and op.out is None and op.only is None:
            entry = await self._state.chunks.reader.read((op.bucket, spec.key(parts[0].chunk)), codec)
            values = _view(parts[0], entry, op.selection.shape)
            if values is None:
                values = np.empty(op.selection.shape, spec.datatype.dtype)
                await self._place(op, parts, (entry,), values)
            return values
        out = np.empty(op.selection.shape, spec.datatype.dtype) if op.out is None else op.out
        for batch in batches(parts, spec):
            names = [(op.bucket, spec.key(piece.chunk)) for piece in batch]
            entries = await self._state.chunks.reader.read_many(names, codec)
            await self._place(op, batch, entries, out)
        return out

    async def _place(
        self, op: ReadChunks, batch: Sequence[Piece], entries: Sequence[Entry[Array]], out: Array
    ) -> None:
        """Copy what is selected here, or in the executor if that is much."""
        if _is_large(op) and not out.dtype.hasobject:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._state.executor, _place, op.dataset, batch, entries, out)
        else:
            _place(op.dataset, batch, entries, out)

    def known(self, op: ReadChunks) -> Array | None:
        """As ``read``, where that is little work on one chunk in memory."""
        spec, shape = op.dataset, op.selection.shape
        if not isinstance(op.selection, Hyperslab) or op.out is not None or op.only is not None:
            return None
        piece = only_piece(op.selection, spec.chunk_shape)
        if piece is None:
            return None
        entry = self._state.chunks.reader.known((op.bucket, spec.key(piece.chunk)))
        if entry is None:
            return None
        view = _view(piece, entry, shape)
        if view is not None or _is_large(op):
            return view
        out = np.empty(shape, spec.datatype.dtype)
        _place(spec, (piece,), (entry,), out)
        return out


def batches(parts: Sequence[Piece], spec: DatasetSpec) -> Iterator[Sequence[Piece]]:
    """Cut pieces into runs whose whole chunks take about ``BATCH_BYTES`` decoded, and little time."""
    count = min(BATCH_CHUNKS, max(1, BATCH_BYTES // max(1, spec.chunk_nbytes)))
    for i in range(0, len(parts), count):
        yield parts[i : i + count]


def _is_large(op: ReadChunks) -> bool:
    return op.selection.npoints * op.dataset.datatype.itemsize > INLINE_BYTES


def _view(piece: Piece, entry: Entry[Array], shape: tuple[int, ...]) -> Array | None:
    """What is selected of one chunk without a copy; None where it does not lie there in one piece."""
    if entry.value is None:
        return None
    values = entry.value[piece.inner]
    return values if values.shape[: len(shape)] == shape and values.flags.c_contiguous else None


def _place(spec: DatasetSpec, parts: Sequence[Piece], entries: Sequence[Entry[Array]], out: Array) -> None:
    for piece, entry in zip(parts, entries, strict=True):
        chunk = spec.new_chunk(piece.chunk) if entry.value is None else entry.value
        out[piece.outer] = chunk[piece.inner]
