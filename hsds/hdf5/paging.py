"""Cutting selections into pages, so that memory is bounded by configuration, not by the request.

Pages follow one another in the row-major order of the result, so each is a run of its bytes and a body can
be streamed page by page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hsds.errors import TooLarge
from hsds.hdf5.selection import Coordinates, Fancy, Hyperslab, Points, Selection

PAGE_CHUNKS: Final = 1 << 14
"""Chunks of a page. Each takes a kilobyte and some microseconds while it is worked on, however small."""
MOST_CHUNKS: Final = 1 << 17
"""Chunks of one operation."""


@dataclass(frozen=True, slots=True)
class _ResultAxis:
    """How an axis of the result lies on the chunks: element i has coordinate ``start + i * step``.

    ``chunk`` is 0 where nothing is known of the coordinates, i.e. for coordinate lists. ``chunks`` is how
    many it touches; of coordinate lists the most that it may.
    """

    start: int
    step: int
    chunk: int
    chunks: int

    def cut(self, begin: int, count: int, size: int) -> int:
        """Where to end a page of at most ``size`` of ``count`` elements, from ``begin`` on.

        At the last border of chunks that the page reaches, if it reaches one.
        """
        end = begin + size
        if end >= count:
            return count
        if self.chunk:
            border = (self.start + end * self.step) // self.chunk * self.chunk
            aligned = -(-(border - self.start) // self.step)
            if aligned > begin:
                return aligned
        return end

    def within(self, room: int) -> int:
        """How many elements in a row touch about ``room`` chunks, or fewer."""
        return max(room, room * self.chunk // self.step)


def most_chunks(selection: Selection, chunk_shape: Sequence[int]) -> int:
    """How many chunks a selection touches, or a bound of that where it has coordinates."""
    return math.prod(axis.chunks for axis in _result_axes(selection, chunk_shape))


def check_chunks(selection: Selection, chunk_shape: Sequence[int]) -> None:
    """``TooLarge`` if a selection touches more than ``MOST_CHUNKS`` chunks."""
    if selection.npoints > MOST_CHUNKS and (count := most_chunks(selection, chunk_shape)) > MOST_CHUNKS:
        raise TooLarge(f"the selection touches {count} chunks, {MOST_CHUNKS} are allowed at once")


def pages(
    selection: Selection, max_points: int, chunk_shape: Sequence[int] | None = None
) -> Iterator[tuple[Selection, tuple[slice, ...]]]:
    """Cut a selection into parts of at most ``max_points`` elements (but at least one), and with a
    ``chunk_shape`` of about ``PAGE_CHUNKS`` chunks.

    Yields each part with its place in the result: ``result[place]`` has the part's shape. The result is cut
    along its first axis, at chunk borders where a page reaches one; where one index of that axis is too much
    already, each is cut along the next axis, and so on. An empty selection has no pages.
    """
    shape = selection.shape
    npoints = math.prod(shape)
    if npoints == 0:
        return
    few = chunk_shape is None or npoints <= PAGE_CHUNKS
    if npoints <= max_points and (few or most_chunks(selection, chunk_shape or ()) <= PAGE_CHUNKS):
        yield selection, tuple([slice(0, extent) for extent in shape])
        return
    axes = _result_axes(selection, chunk_shape)
    for place in _places(shape, axes, max(max_points, 1)):
        yield narrow(selection, place), place


def narrow(selection: Selection, place: Sequence[slice]) -> Selection:
    """The part of a selection that makes up ``result[place]``; ``place`` has a plain range for each axis."""
    match selection:
        case Hyperslab(start, _, step):
            begins = [a + part.start * s for a, part, s in zip(start, place, step, strict=True)]
            ends = [a + (part.stop - 1) * s + 1 for a, part, s in zip(start, place, step, strict=True)]
            return Hyperslab(tuple(begins), tuple(ends), step)
        case Points(coords):
            return Points(coords[place[0]])
        case Fancy(axes):
            first = selection.lists[0]
            parts: list[slice | Coordinates] = []
            axis_of_result = 0
            for axis, item in enumerate(axes):
                if isinstance(item, slice):
                    part = place[axis_of_result]
                    begin = item.start + part.start * item.step
                    end = item.start + (part.stop - 1) * item.step + 1
                    parts.append(slice(begin, end, item.step))
                    axis_of_result += 1
                else:
                    parts.append(item[place[first]])
                    axis_of_result += axis == first
            return replace(selection, axes=tuple(parts))


def _places(
    shape: tuple[int, ...], axes: Sequence[_ResultAxis], max_points: int
) -> Iterator[tuple[slice, ...]]:
    """Cut the result: the axes before ``axis`` index by index, ``axis`` in ranges, those after it whole."""
    axis = 0
    while math.prod(shape[axis + 1 :]) > max_points or _chunks(axes[axis + 1 :]) > PAGE_CHUNKS:
        axis += 1
    size = max(max_points // math.prod(shape[axis + 1 :]), 1)
    if _chunks(axes[axis:]) > PAGE_CHUNKS:
        size = min(size, axes[axis].within(max(PAGE_CHUNKS // _chunks(axes[axis + 1 :]), 1)))
    whole = tuple([slice(0, extent) for extent in shape[axis + 1 :]])
    for outer in _indices(shape[:axis]):
        begin = 0
        while begin < shape[axis]:
            end = axes[axis].cut(begin, shape[axis], size)
            yield (*outer, slice(begin, end), *whole)
            begin = end


def _chunks(axes: Sequence[_ResultAxis]) -> int:
    return math.prod(axis.chunks for axis in axes)


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Every index of ``shape`` in row-major order, lazily, as ranges of one."""
    if not shape:
        yield ()
        return
    for outer in _indices(shape[:-1]):
        for i in range(shape[-1]):
            yield (*outer, slice(i, i + 1))


def _result_axes(selection: Selection, chunk_shape: Sequence[int] | None) -> list[_ResultAxis]:
    chunks = chunk_shape or (0,) * selection.rank
    match selection:
        case Hyperslab(start, stop, step):
            return [_slab_axis(*axis) for axis in zip(start, stop, step, chunks, strict=True)]
        case Points(coords):
            return [_ResultAxis(0, 1, 0, _spread(coords, chunks))]
        case Fancy(axes):
            lists = selection.lists
            coords = np.stack([item for item in axes if not isinstance(item, slice)], axis=1)
            listed = _ResultAxis(0, 1, 0, _spread(coords, [chunks[axis] for axis in lists]))
            return [
                _slab_axis(item.start, item.stop, item.step, chunk) if isinstance(item, slice) else listed
                for axis, (item, chunk) in enumerate(zip(axes, chunks, strict=True))
                if isinstance(item, slice) or axis == lists[0]
            ]


def _slab_axis(start: int, stop: int, step: int, chunk: int) -> _ResultAxis:
    count = -(-(stop - start) // step)
    touched = 1
    if chunk:
        touched = count if step > chunk else (start + (count - 1) * step) // chunk - start // chunk + 1
    return _ResultAxis(start, step, chunk, touched)


def _spread(coords: Coordinates, chunk_shape: Sequence[int]) -> int:
    """How many chunks points (n, k) may touch: all of the box around them, or one each."""
    if not len(coords) or not all(chunk_shape):
        return 1
    sizes = np.array(chunk_shape, np.int64)
    box = coords.max(axis=0) // sizes - coords.min(axis=0) // sizes + 1
    return min(len(coords), int(math.prod(box.tolist())))
