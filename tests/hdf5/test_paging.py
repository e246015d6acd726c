"""Pages cover a selection exactly once, in order, within their limit."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spaces import Dims, expected, selected_spaces

from hsds.errors import TooLarge
from hsds.hdf5 import paging
from hsds.hdf5.chunking import touched_chunks
from hsds.hdf5.paging import check_chunks, most_chunks, pages
from hsds.hdf5.selection import Hyperslab, Selection, whole
from hsds.hdf5.selecttext import parse_select


@st.composite
def paged(draw: st.DrawFn) -> tuple[Dims, Selection, int, Dims | None]:
    dims, selection = draw(selected_spaces())
    chunk_shape = draw(st.none() | st.tuples(*(st.integers(1, 10) for _ in dims)))
    return dims, selection, draw(st.integers(1, selection.npoints + 1)), chunk_shape


@given(paged())
def test_pages_cover_the_selection_once_and_in_order(case: tuple[Dims, Selection, int, Dims | None]) -> None:
    dims, selection, limit, chunk_shape = case
    array = np.arange(np.prod(dims)).reshape(dims)
    numbers = np.arange(selection.npoints).reshape(selection.shape)
    at = 0
    for part, place in pages(selection, limit, chunk_shape):
        assert 0 < part.npoints <= limit
        assert part.rank == selection.rank
        assert numbers[place].shape == part.shape
        # Row-major: a body can be written page by page.
        assert numbers[place].ravel().tolist() == list(range(at, at + part.npoints))
        assert np.array_equal(expected(array, part), expected(array, selection)[place])
        at += part.npoints
    assert at == selection.npoints


@given(paged(), st.integers(1, 6))
def test_pages_touch_few_chunks(case: tuple[Dims, Selection, int, Dims | None], most: int) -> None:
    dims, selection, _, chunk_shape = case
    chunk_shape = chunk_shape or (1,) * len(dims)
    numbers = np.arange(selection.npoints).reshape(selection.shape)
    found = []
    with patch.object(paging, "PAGE_CHUNKS", most):
        for part, place in pages(selection, selection.npoints + 1, chunk_shape):
            assert len(touched_chunks(part, chunk_shape)) <= 2 * most, "one row more where chunks are cut"
            found += numbers[place].ravel().tolist()
    assert found == list(range(selection.npoints))


@given(paged())
def test_chunks_are_counted_without_a_look_at_each(case: tuple[Dims, Selection, int, Dims | None]) -> None:
    dims, selection, _, chunk_shape = case
    chunk_shape = chunk_shape or (1,) * len(dims)
    if selection.npoints:
        count = len(touched_chunks(selection, chunk_shape))
        assert count <= most_chunks(selection, chunk_shape) <= selection.npoints
        assert count == most_chunks(selection, chunk_shape) or not isinstance(selection, Hyperslab)


def test_too_many_chunks_at_once_are_refused() -> None:
    check_chunks(whole((1 << 17,)), (1,))
    check_chunks(whole((1 << 60,)), (1 << 50,))
    with pytest.raises(TooLarge, match="4611686018427387904 chunks, 131072 are allowed at once"):
        check_chunks(whole((1 << 31, 1 << 31)), (1, 1))


def test_small_chunks_make_small_pages() -> None:
    assert [part.npoints for part, _ in pages(whole((40_000,)), 1 << 22, (1,))] == [16384, 16384, 7232]
    assert [part.npoints for part, _ in pages(whole((40_000,)), 1 << 22, (2,))] == [32768, 7232]
    columns = [place for _, place in pages(whole((2, 40_000)), 1 << 22, (2, 1))]
    assert columns[:2] == [(slice(0, 1), slice(0, 16384)), (slice(0, 1), slice(16384, 32768))]


def rows(selection: Selection, limit: int, chunk_shape: Dims) -> list[tuple[int, int]]:
    return [(place[0].start, place[0].stop) for _, place in pages(selection, limit, chunk_shape)]


def test_pages_end_at_chunk_borders() -> None:
    assert rows(whole((100, 10)), 350, (10, 10)) == [(0, 30), (30, 60), (60, 90), (90, 100)]
    assert rows(Hyperslab((7,), (100,), (1,)), 35, (10,)) == [(0, 33), (33, 63), (63, 93)]
    assert rows(Hyperslab((1,), (100,), (3,)), 10, (10,)) == [(0, 10), (10, 20), (20, 30), (30, 33)]
    assert rows(parse_select("[0:40,[1,2,5]]", (100, 10)), 75, (10, 10)) == [(0, 20), (20, 40)]


def test_a_row_longer_than_a_page_is_cut_further() -> None:
    """HSDS cannot serve 2 x 10^9 elements; contract, quirk 22."""
    found = list(pages(whole((2, 10**9)), 10**8, (1, 10**6)))
    assert len(found) == 20
    assert all(part.npoints == 10**8 for part, _ in found)
    third = next(place for i, (_, place) in enumerate(found) if i == 12)
    assert third == (slice(1, 2), slice(2 * 10**8, 3 * 10**8))


def test_what_fits_is_one_page() -> None:
    assert list(pages(whole((3, 4)), 12)) == [(whole((3, 4)), (slice(0, 3), slice(0, 4)))]
    assert list(pages(whole((3, 0)), 12)) == []


def test_pages_are_made_as_they_are_needed() -> None:
    huge = whole((2**31, 2**31))
    part, place = next(pages(huge, 1000, (64, 64)))
    assert part.npoints == math.prod(part.shape) == 960
    assert place[0] == slice(0, 1)
