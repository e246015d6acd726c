"""Which chunks a selection touches, and which part of each: so that ``result[outer] = chunk[inner]``.

Runs for every value request, with up to hundreds of thousands of chunks or points, so the work per piece is
kept to building it; everything that can is computed per axis, or by numpy for all pieces at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from hsds.hdf5.selection import Coordinates, Fancy, Hyperslab, Points, Selection, mesh

Index = tuple[Any, ...]
_WHOLE = slice(None)


class Piece(NamedTuple):
    """The part of a selection within one chunk. A named tuple, as ten thousand are made for a request."""

    chunk: tuple[int, ...]
    """Index of the chunk."""
    inner: Index
    """numpy index into the chunk: slices, and index arrays for coordinate lists and points."""
    outer: Index
    """numpy index into the result."""
    covers_chunk: bool
    """Whether all elements of the chunk are selected, those beyond the extents of an edge chunk included:
    the extents may grow while a write is on its way, and it must not undo another one beyond them."""


class _Run(NamedTuple):
    """A selection along one axis within one chunk."""

    chunk: int
    inner: slice
    outer: slice
    covers: bool


def pieces(selection: Selection, chunk_shape: Sequence[int]) -> list[Piece]:
    """Cut a selection along chunk borders. Chunks come in row-major order, each once."""
    match selection:
        case Hyperslab():
            single = only_piece(selection, chunk_shape)
            return [single] if single is not None else _slab_pieces(selection, chunk_shape)
        case Fancy():
            return list(_fancy_pieces(selection, chunk_shape))
        case Points(coords):
            return list(_point_pieces(coords, chunk_shape))


def only_chunk(selection: Selection, chunk_shape: Sequence[int]) -> tuple[int, ...] | None:
    """The chunk that a hyperslab lies in; None if it is another selection, or touches another number."""
    if not isinstance(selection, Hyperslab):
        return None
    index = []
    for start, stop, size in zip(selection.start, selection.stop, chunk_shape, strict=True):
        if stop <= start or (stop - 1) // size != start // size:
            return None
        index.append(start // size)
    return tuple(index)


def only_piece(slab: Hyperslab, chunk_shape: Sequence[int]) -> Piece | None:
    """The only piece of a hyperslab that lies in one chunk; None for all others."""
    chunk = only_chunk(slab, chunk_shape)
    if chunk is None:
        return None
    inner = []
    covers = True
    axes = zip(chunk, slab.start, slab.stop, slab.step, chunk_shape, strict=True)
    for index, start, stop, step, size in axes:
        base = index * size
        inner.append(slice(start - base, stop - base, step))
        if stop - start != size or step != 1:
            covers = False
    return Piece(chunk, tuple(inner), (_WHOLE,) * len(chunk), covers)


def touched_chunks(selection: Selection, chunk_shape: Sequence[int]) -> Coordinates:
    """The indices (n, rank) of all chunks that ``pieces`` would give, in no order that means anything."""
    match selection:
        case Hyperslab(start, stop, step):
            slab = zip(start, stop, step, chunk_shape, strict=True)
            return _grid([_chunks_along(*axis) for axis in slab])
        case Points(coords):
            return np.unique(coords // np.array(chunk_shape, np.int64), axis=0)
        case Fancy(axes):
            return _touched_by_lists(selection, axes, chunk_shape)


def _touched_by_lists(
    selection: Fancy, axes: Sequence[slice | Coordinates], chunk_shape: Sequence[int]
) -> Coordinates:
    lists = selection.lists
    sizes = np.array([chunk_shape[axis] for axis in lists], np.int64)
    coords = np.stack([item for item in axes if not isinstance(item, slice)], axis=1)
    listed = np.unique(coords // sizes, axis=0)
    others = [axis for axis in range(len(axes)) if axis not in lists]
    ranges = []
    for axis in others:
        item = axes[axis]
        assert isinstance(item, slice)
        ranges.append(_chunks_along(item.start, item.stop, item.step, chunk_shape[axis]))
    grid = _grid([np.arange(len(listed)), *ranges])
    chunks = np.empty((len(grid), len(axes)), np.int64)
    chunks[:, lists] = listed[grid[:, 0]]
    chunks[:, others] = grid[:, 1:]
    return chunks


def _chunks_along(start: int, stop: int, step: int, size: int) -> Coordinates:
    """The chunks along one axis that ``start:stop:step`` touches, without a look at each element."""
    if stop <= start:
        return np.empty(0, np.int64)
    if step > size:  # no two elements in one chunk
        return np.arange(start, stop, step, dtype=np.int64) // size
    last = start + (stop - start - 1) // step * step
    return np.arange(start // size, last // size + 1, dtype=np.int64)


def _grid(axes: Sequence[Coordinates]) -> Coordinates:
    """All combinations (n, len(axes)) of one number from each."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def _slab_pieces(slab: Hyperslab, chunk_shape: Sequence[int]) -> list[Piece]:
    axes = [_runs(*axis) for axis in zip(slab.start, slab.stop, slab.step, chunk_shape, strict=True)]
    if not all(axes):
        return []
    chunks, inners, outers, covers = (
        product(*part) for part in zip(*(zip(*runs, strict=True) for runs in axes), strict=True)
    )
    return list(map(Piece, chunks, inners, outers, map(all, covers)))


def _runs(start: int, stop: int, step: int, size: int) -> list[_Run]:
    """Cut ``start:stop:step`` at multiples of ``size``."""
    runs = []
    count = (stop - start + step - 1) // step if stop > start else 0
    first = 0
    while first < count:
        begin = start + first * step
        chunk = begin // size
        base = chunk * size
        after = min(count, (base + size - start + step - 1) // step)
        end = start + (after - 1) * step + 1
        covers = step == 1 and end - begin == size
        runs.append(_Run(chunk, slice(begin - base, end - base, step), slice(first, after), covers))
        first = after
    return runs


def _fancy_pieces(selection: Fancy, chunk_shape: Sequence[int]) -> Iterator[Piece]:
    """Group the zipped lists by chunk, and combine every group with the runs of the other axes."""
    axes, lists = selection.axes, selection.lists
    runs = {
        axis: _runs(item.start, item.stop, item.step, chunk_shape[axis])
        for axis, item in enumerate(axes)
        if isinstance(item, slice)
    }
    sizes = np.array([chunk_shape[axis] for axis in lists], np.int64)
    coords = np.stack([item for item in axes if not isinstance(item, slice)], axis=1)
    found = []
    for chunk, inner, positions in _groups(coords, sizes):
        outer = _as_slice(positions)
        for combination in product(*runs.values()):
            parts = dict(zip(runs, combination, strict=True))
            found.append(_fancy_piece(len(axes), lists, parts, chunk, inner, outer))
    found.sort(key=lambda piece: piece.chunk)
    return iter(found)


def _fancy_piece(
    rank: int,
    lists: tuple[int, ...],
    runs: dict[int, _Run],
    list_chunk: tuple[int, ...],
    list_inner: tuple[Coordinates, ...],
    list_outer: slice | Coordinates,
) -> Piece:
    chunk: list[int] = []
    inner: list[slice | Coordinates] = []
    outer: list[slice | Coordinates] = []
    listed = 0
    for axis in range(rank):
        if axis in runs:
            run = runs[axis]
            chunk.append(run.chunk)
            inner.append(run.inner)
            outer.append(run.outer)
            continue
        chunk.append(list_chunk[listed])
        inner.append(list_inner[listed])
        if not listed:
            outer.append(list_outer)
        listed += 1
    return Piece(tuple(chunk), mesh(tuple(inner), lists), tuple(outer), False)


def _point_pieces(coords: Coordinates, chunk_shape: Sequence[int]) -> Iterator[Piece]:
    if not len(coords):
        return
    for chunk, inner, positions in _groups(coords, np.array(chunk_shape, np.int64)):
        yield Piece(chunk, inner, (positions,), False)


def _groups(
    coords: Coordinates, sizes: Coordinates
) -> Iterator[tuple[tuple[int, ...], tuple[Coordinates, ...], Coordinates]]:
    """Group points (n, k), n > 0, by the chunk that holds them, in ascending order of chunks.

    Yields each chunk's index, the points' coordinates within it, one array an axis, and their places in the
    request. The order of points within a group is that of the request: of two that write one element the
    later wins.
    """
    chunks = coords // sizes
    inner = np.ascontiguousarray((coords - chunks * sizes).T)
    order = np.lexsort(chunks.T[::-1])
    chunks = chunks[order]
    inner = inner[:, order]
    borders = np.flatnonzero((chunks[1:] != chunks[:-1]).any(axis=1)) + 1
    begins = [0, *borders.tolist()]
    ends = [*borders.tolist(), len(order)]
    for chunk, begin, end in zip(chunks[begins].tolist(), begins, ends, strict=True):
        yield tuple(chunk), tuple(inner[:, begin:end]), order[begin:end]


def _as_slice(positions: Coordinates) -> slice | Coordinates:
    """Positions as a slice where they follow one another, which numpy copies much faster."""
    first, last = int(positions[0]), int(positions[-1])
    if last - first + 1 == len(positions) and (len(positions) == 1 or bool((np.diff(positions) == 1).all())):
        return slice(first, last + 1)
    return positions
