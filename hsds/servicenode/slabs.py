"""How a selection is cut into slabs: consecutive pieces of its result, along the rows of chunks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from hsds.hdf5.paging import pages
from hsds.hdf5.selection import Points, Selection
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
