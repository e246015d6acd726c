"""How a selection is cut into slabs: consecutive pieces of its result, along the rows of chunks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from hsds.hdf5.paging import pages
from hsds.hdf5.selection import Hyperslab, Points, Selection
from hsds.servicenode.brackets import Target
from hsds.servicenode.valuerequest import ValueRequest


class Page(NamedTuple):
    """Elements that are read or written at once, and where they belong in the whole selection's result."""

    selection: Selection
    target: Target


def plan(request: ValueRequest, selection: Selection, nbytes: int) -> Iterator[Page]:
    """Cut a selection into pages of at most ``nbytes`` bytes, in row-major order of the result."""
    points = max(1, nbytes // request.spec.datatype.itemsize)
    return (Page(*page) for page in pages(selection, points, request.spec.chunk_shape))


def row_bytes(request: ValueRequest, selection: Selection) -> int:
    """Bytes of the selected elements in one row of whole chunks along the first axis."""
    if isinstance(selection, Points):  # in any order: each slab may touch every chunk
        return selection.npoints * request.spec.datatype.itemsize
    rows, *others = selection.shape
    return min(rows, request.spec.chunk_shape[0]) * math.prod(others) * request.spec.datatype.itemsize


def is_run_of_chunks(request: ValueRequest, selection: Selection) -> bool:
    """Whether the selection's bytes are those of one chunk after another: full rows of chunks that span all
    that is selected of the other axes.
    """
    if not isinstance(selection, Hyperslab) or selection.step[0] != 1:
        return False
    axes = zip(selection.start, selection.stop, selection.step, request.spec.chunk_shape, strict=True)
    next(axes)
    return all(a % size == 0 and b - a == size and step == 1 for a, b, step, size in axes)
