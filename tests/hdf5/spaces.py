"""Hypothesis strategies shared by the tests of selections, chunks and pages; and the reference they meet."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from hsds.hdf5.selection import Fancy, Hyperslab, Points, Selection

Dims = tuple[int, ...]


@st.composite
def hyperslabs(draw: st.DrawFn, dims: Dims) -> Hyperslab:
    axes = [draw(_slices(dim)) for dim in dims]
    return Hyperslab(*(tuple(getattr(axis, name) for axis in axes) for name in ("start", "stop", "step")))


@st.composite
def fancies(draw: st.DrawFn, dims: Dims) -> Fancy:
    lists = draw(st.sets(st.integers(0, len(dims) - 1), min_size=1))
    length = draw(st.integers(1, 7))
    return Fancy(
        tuple(
            np.array(draw(st.lists(st.integers(0, dim - 1), min_size=length, max_size=length)), np.int64)
            if axis in lists
            else draw(_slices(dim))
            for axis, dim in enumerate(dims)
        )
    )


@st.composite
def points(draw: st.DrawFn, dims: Dims) -> Points:
    coords = draw(st.lists(st.tuples(*(st.integers(0, dim - 1) for dim in dims)), min_size=1, max_size=30))
    return Points(np.array(coords, np.int64).reshape(-1, len(dims)))


@st.composite
def selected_spaces(draw: st.DrawFn) -> tuple[Dims, Selection]:
    """Extents and a selection within them."""
    dims = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    return dims, draw(st.one_of(hyperslabs(dims), fancies(dims), points(dims)))


def expected(array: np.ndarray[Any, Any], selection: Selection) -> np.ndarray[Any, Any]:
    """What a selection of an array gives, taken element by element."""
    result = np.empty(selection.shape + array.shape[selection.rank :], array.dtype)
    for place in np.ndindex(selection.shape):
        result[place] = array[_coordinates(selection, place)]
    return result


def _coordinates(selection: Selection, place: Dims) -> Dims:
    match selection:
        case Hyperslab(start, _, step):
            return tuple(a + i * s for a, i, s in zip(start, place, step, strict=True))
        case Points(coords):
            return tuple(coords[place[0]].tolist())
        case Fancy(axes):
            rest = list(place)
            at = rest.pop(selection.lists[0])
            return tuple(
                item.start + rest.pop(0) * item.step if isinstance(item, slice) else int(item[at])
                for item in axes
            )


@st.composite
def _slices(draw: st.DrawFn, dim: int) -> slice:
    start = draw(st.integers(0, dim - 1))
    return slice(start, draw(st.integers(start + 1, dim)), draw(st.integers(1, dim + 1)))
