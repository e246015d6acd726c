"""How a selection is cut into slabs: consecutive pieces of its result, along the rows of chunks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hsds.budget import ByteBudget
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.paging import most_chunks, pages
from hsds.hdf5.selection import Hyperslab, Points, Selection
from hsds.servicenode.brackets import Target

SLAB = 4 * 1024**2
"""Bytes of a slab, where chunks do not ask for more."""
SMALL = 64 * 1024
"""Bytes up to which an answer leaves as one plain response, without a budget: less than it costs to ask."""
FEW = 1024
"""Chunks of such an answer."""
PER_CHUNK = 1024
"""Bytes that work on a chunk takes beside its values: its key, its place in the selection, its task."""
TINY = 16 * PER_CHUNK
"""Bytes of a chunk of which that is no small part."""
VIEWED = 512 * 1024
"""Bytes of chunks from which on they are read one by one."""


class Page(NamedTuple):
    """Elements that are read or written at once, and where they belong in the whole selection's result."""

    selection: Selection
    target: Target


@dataclass(frozen=True, slots=True)
class Reading:
    """How values of any size are read: page by page, the next ``depth`` pages while one is sent."""

    pages: Iterator[Page]
    depth: int
    element: int
    """Bytes of memory that an element takes."""
    spec: DatasetSpec

    def cost(self, page: Page) -> int:
        """Bytes to hold for a page."""
        return page.selection.npoints * self.element + overhead(self.spec, page.selection)


def reading(spec: DatasetSpec, selection: Selection, budget: ByteBudget, *, copies: int) -> Reading:
    """How a selection is read where ``copies`` of its values exist at a time."""
    row = row_bytes(spec, selection)
    # Chunk by chunk a data node answers with views of what it holds: that took a bulk read from half of what
    # the machine can send to four fifths. Smaller chunks cost less to copy than to ask for one by one.
    views = row >= VIEWED and is_run_of_chunks(spec, selection)
    slab = slab_bytes(row, budget, row if views else SLAB) // copies
    depth = max(1, SLAB // slab)
    return Reading(plan(spec, selection, slab), depth, spec.datatype.itemsize * copies, spec)


def overhead(spec: DatasetSpec, selection: Selection) -> int:
    """Bytes that a page takes beside its values: of chunks so small that they take more by being many."""
    return PER_CHUNK * most_chunks(selection, spec.chunk_shape) if spec.chunk_nbytes < TINY else 0


def is_small(spec: DatasetSpec, selection: Selection, nbytes: int) -> bool:
    """Whether ``nbytes`` of values are few, and of few chunks: they are read and written at once."""
    if nbytes > SMALL:
        return False
    return selection.npoints <= FEW or most_chunks(selection, spec.chunk_shape) <= FEW


def plan(spec: DatasetSpec, selection: Selection, nbytes: int) -> Iterator[Page]:
    """Cut a selection into pages of at most ``nbytes`` bytes, in row-major order of the result."""
    points = max(1, nbytes // spec.datatype.itemsize)
    return (Page(*page) for page in pages(selection, points, spec.chunk_shape))


def row_bytes(spec: DatasetSpec, selection: Selection) -> int:
    """Bytes of the selected elements in one row of whole chunks along the first axis."""
    if isinstance(selection, Points):  # in any order: each slab may touch every chunk
        return selection.npoints * spec.datatype.itemsize
    rows, *others = selection.shape
    return min(rows, spec.chunk_shape[0]) * math.prod(others) * spec.datatype.itemsize


def slab_bytes(row: int, budget: ByteBudget, least: int = SLAB) -> int:
    """Bytes of a slab where one row of whole chunks has ``row``.

    A slab that ends within chunks has them decoded, or even stored, once more for the next one. So it takes
    the whole row, up to a quarter of the budget.
    """
    return max(1, min(max(row, least), budget.limit // 4))


def is_run_of_chunks(spec: DatasetSpec, selection: Selection) -> bool:
    """Whether the selection's bytes are those of one chunk after another: full rows of chunks that span all
    that is selected of the other axes.
    """
    if not isinstance(selection, Hyperslab) or selection.step[0] != 1:
        return False
    axes = zip(selection.start, selection.stop, selection.step, spec.chunk_shape, strict=True)
    next(axes)
    return all(a % size == 0 and b - a == size and step == 1 for a, b, step, size in axes)
