"""Selections of elements of a dataspace: hyperslabs, coordinate lists and points.

Selections are checked against the extents when they are read, so one that exists is valid. How requests
spell them is in ``selecttext``, how they are cut into pages in ``paging`` and into chunks in ``chunking``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = np.ndarray[Any, Any]
Coordinates = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hyperslab:
    """Along each axis the elements ``start, start + step, ...`` below ``stop``; the result keeps all axes."""

    start: tuple[int, ...]
    stop: tuple[int, ...]
    step: tuple[int, ...]

    @property
    def rank(self) -> int:
        """Number of axes of the dataspace."""
        return len(self.start)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        axes = zip(self.start, self.stop, self.step, strict=True)
        return tuple([(b - a + s - 1) // s if b > a else 0 for a, b, s in axes])

    @property
    def npoints(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Fancy:
    """Coordinate lists along some axes, slices (non-negative, with a step) along the others.

    Several lists have one length and are taken together, point by point. The result has one axis for all
    of them, in the place of the first. Order and repetition of coordinates are those of the result.
    """

    axes: tuple[slice | Coordinates, ...]

    @property
    def rank(self) -> int:
        """Number of axes of the dataspace."""
        return len(self.axes)

    @property
    def lists(self) -> tuple[int, ...]:
        """The axes with coordinate lists, at least one."""
        return tuple(axis for axis, item in enumerate(self.axes) if not isinstance(item, slice))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        shape: list[int] = []
        listed = False
        for item in self.axes:
            if isinstance(item, slice):
                shape.append(len(range(item.start, item.stop, item.step)))
            elif not listed:
                shape.append(len(item))
                listed = True
        return tuple(shape)

    @property
    def npoints(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fancy) or (self.rank, self.lists) != (other.rank, other.lists):
            return False
        return all(
            a == b if isinstance(a, slice) or isinstance(b, slice) else np.array_equal(a, b)
            for a, b in zip(self.axes, other.axes, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Single elements in any order: ``coords`` has shape (n, rank). The result has the one axis n."""

    coords: Coordinates

    @property
    def rank(self) -> int:
        """Number of axes of the dataspace."""
        return int(self.coords.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return (len(self.coords),)

    @property
    def npoints(self) -> int:
        """Number of elements."""
        return len(self.coords)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Points) and np.array_equal(self.coords, other.coords)

    __hash__ = None  # type: ignore[assignment]  # holds an array


Selection = Hyperslab | Fancy | Points


def whole(dims: tuple[int, ...]) -> Hyperslab:
    """Every element of a dataspace of these extents."""
    return Hyperslab((0,) * len(dims), dims, (1,) * len(dims))


def numpy_index(selection: Selection) -> tuple[Any, ...]:
    """The index that selects the same from a numpy array, with the axes of the result in the same order.

    Trailing axes of the array that the dataspace does not have (array types) are kept whole.
    """
    match selection:
        case Hyperslab(start, stop, step):
            return tuple(map(slice, start, stop, step))
        case Points(coords):
            return tuple(coords.T)
        case Fancy(axes):
            return mesh(axes, selection.lists)


def mesh(axes: tuple[slice | Coordinates, ...], lists: tuple[int, ...]) -> tuple[slice | Coordinates, ...]:
    """Make slices and zipped lists an index whose result has its axes in the order of ``Fancy``.

    numpy moves the axis of index arrays to the front when slices stand between them; then the slices become
    arrays as well, each along its own axis of the result.
    """
    first, last = lists[0], lists[-1]
    if last - first + 1 == len(lists):
        return axes
    rank = len(axes) - len(lists) + 1
    index: list[slice | Coordinates] = []
    place = 0
    for axis, item in enumerate(axes):
        own = first if axis in lists else place
        values = np.arange(item.start, item.stop, item.step) if isinstance(item, slice) else item
        index.append(values.reshape([-1 if r == own else 1 for r in range(rank)]))
        place += axis not in lists or axis == first
    return tuple(index)
