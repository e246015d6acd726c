"""Queries over stored chunks: which elements match, and updates of those that do.

Chunks that were never written take no part: fill values are not searched (contract, queries).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from hsds.datanode.change import Outcome
from hsds.datanode.chunkread import batches
from hsds.datanode.chunkwrite import private
from hsds.datanode.documents import ChunkCodec
from hsds.datanode.state import State
from hsds.hdf5.chunking import Piece
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.query import Query
from hsds.hdf5.selection import Fancy, Hyperslab, Points, Selection
from hsds.transport.ops import Hits, QueryChunks, UpdateWhere
from hsds.transport.splitting import parts_of

Array = np.ndarray[Any, Any]
Found = tuple[Array, Array]
"""Absolute indices (n, rank) and values (n,)."""


class ChunkQuery:
    """Carries out ``QueryChunks`` and ``UpdateWhere``."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def query(self, op: QueryChunks) -> Hits:
        """Band after band of chunks along the first axis: a limit stops the scan early and exactly."""
        spec = op.dataset
        found: list[Found] = []
        count = 0
        for band in _bands(parts_of(op)):
            for batch in batches(band, spec):
                names = [(op.bucket, spec.key(piece.chunk)) for piece in batch]
                entries = await self._state.chunks.reader.read_many(names, ChunkCodec(spec))
                for piece, entry in zip(batch, entries, strict=True):
                    if entry.value is not None:
                        found.append(_matches(op.selection, piece, entry.value, op.query))
                        count += len(found[-1][1])
            if op.limit and count >= op.limit:
                break
        return _hits(spec, found, op.limit)

    async def update(self, op: UpdateWhere) -> Hits:
        """Chunk after chunk, so that a limit counts exactly what was changed."""
        spec = op.dataset
        found: list[Found] = []
        left = op.limit
        for piece in parts_of(op):
            key = (op.bucket, spec.key(piece.chunk))

            def apply(present: Array | None, piece: Piece = piece, left: int = left) -> Outcome[Array]:
                return _update(op, piece, present, left)

            matches: Found | None = await self._state.chunks.committer.change(key, ChunkCodec(spec), apply)
            if matches is None:
                continue
            found.append(matches)
            if op.limit:
                left -= len(matches[1])
                if left <= 0:
                    break
        return _hits(spec, found, op.limit)


def _bands(parts: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Chunks with one index along the first axis hold rows that come before those of the next index."""
    ordered = sorted(parts, key=lambda piece: piece.chunk)
    for _, band in groupby(ordered, key=lambda piece: piece.chunk[0]):
        yield list(band)


def _matches(selection: Selection, piece: Piece, chunk: Array, query: Query) -> Found:
    values = chunk[piece.inner]
    positions = np.nonzero(query.mask(values))
    return _absolute(selection, piece, positions), values[positions]


def _absolute(selection: Selection, piece: Piece, positions: tuple[Array, ...]) -> Array:
    """Dataset coordinates of positions within a piece: by way of the result of the selection."""
    result = tuple(
        at * (part.step or 1) + (part.start or 0) if isinstance(part, slice) else part[at]
        for part, at in zip(piece.outer, positions, strict=True)
    )
    return coordinates(selection, result)


def coordinates(selection: Selection, result: tuple[Array, ...]) -> Array:
    """Dataset coordinates (n, rank) of positions in the result of a selection (one array an axis)."""
    match selection:
        case Points(coords=coords):
            return np.asarray(coords[result[0]])
        case Hyperslab(start=start, step=step):
            columns = [a + at * s for a, at, s in zip(start, result, step, strict=True)]
        case Fancy():
            columns = _fancy_columns(selection, result)
    return np.stack(columns, axis=1).astype(np.int64, copy=False)


def _fancy_columns(selection: Fancy, result: tuple[Array, ...]) -> list[Array]:
    """Coordinates along each axis of the dataset; all coordinate lists share one axis of the result."""
    columns = []
    first, place = selection.lists[0], 0
    for axis, item in enumerate(selection.axes):
        if isinstance(item, slice):
            columns.append(item.start + result[place] * item.step)
            place += 1
        else:
            columns.append(item[result[first]])
            place += axis == first
    return columns


def _update(op: UpdateWhere, piece: Piece, present: Array | None, left: int) -> Outcome[Array]:
    if present is None:
        return Outcome(None, None, changed=False)
    values = present[piece.inner]
    mask = op.query.mask(values)
    if op.or_equal:
        mask |= _equal(values, op.values)
    positions = np.nonzero(mask)
    if op.limit:
        positions = tuple(at[:left] for at in positions)
    if not positions[0].size:
        return Outcome(present, None, changed=False)
    new = values.copy()
    _assign(new, positions, op.values)
    present = private(present)
    present[piece.inner] = new
    return Outcome(present, (_absolute(op.selection, piece, positions), new[positions]))


def _equal(values: Array, constants: Mapping[str, Any]) -> Array:
    """Where the constants stand already. NaN equals NaN."""
    equal = np.ones(values.shape, bool)
    for name, constant in constants.items():
        present = values[name] if values.dtype.names else values
        same = present == constant
        if present.dtype.kind in "fc":
            same |= np.isnan(present) & np.isnan(constant)
        equal &= np.asarray(same, bool).reshape((*values.shape, -1)).all(axis=-1)
    return equal


def _assign(values: Array, positions: tuple[Array, ...], constants: Mapping[str, Any]) -> None:
    for name, constant in constants.items():
        if values.dtype.names:
            values[name][positions] = constant
        else:
            values[positions] = constant


def _hits(spec: DatasetSpec, found: Sequence[Found], limit: int) -> Hits:
    """All matches in row-major order of the dataset, the first ``limit`` of them."""
    rank = len(spec.chunk_shape)
    if not found:
        return Hits(np.empty((0, rank), np.int64), np.empty(0, spec.datatype.dtype))
    indices = np.concatenate([at for at, _ in found])
    values = np.concatenate([values for _, values in found])
    order = np.lexsort(indices.T[::-1])
    if limit:
        order = order[:limit]
    return Hits(indices[order], values[order])
