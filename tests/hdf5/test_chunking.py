"""Pieces of selections by chunk equal numpy indexing, for reading and for writing."""

import time
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from spaces import Dims, expected, selected_spaces

from hsds.hdf5.chunking import pieces
from hsds.hdf5.selection import Hyperslab, Points, Selection, numpy_index, whole

Array = np.ndarray[Any, Any]


@st.composite
def chunked(draw: st.DrawFn) -> tuple[Dims, Selection, Dims]:
    dims, selection = draw(selected_spaces())
    return dims, selection, tuple(draw(st.integers(1, 10)) for _ in dims)


def split(array: Array, chunk_shape: Dims) -> dict[Dims, Array]:
    """An array as whole chunks; its trailing axes beyond those of the chunks stay with them."""
    counts = [-(-extent // size) for extent, size in zip(array.shape, chunk_shape, strict=False)]
    chunks = {}
    for index in np.ndindex(*counts):
        chunk = np.full(chunk_shape + array.shape[len(chunk_shape) :], -1)
        part = array[tuple(slice(i * s, (i + 1) * s) for i, s in zip(index, chunk_shape, strict=True))]
        chunk[tuple(map(slice, part.shape))] = part
        chunks[index] = chunk
    return chunks


@given(chunked())
def test_reading_by_chunks(case: tuple[Dims, Selection, Dims]) -> None:
    dims, selection, chunk_shape = case
    array = np.arange(np.prod(dims) * 2).reshape(*dims, 2)
    chunks = split(array, chunk_shape)
    result = np.full((*selection.shape, 2), -7)
    for piece in pieces(selection, chunk_shape):
        result[piece.outer] = chunks[piece.chunk][piece.inner]
    assert np.array_equal(result, expected(array, selection))


@given(chunked())
def test_writing_by_chunks(case: tuple[Dims, Selection, Dims]) -> None:
    dims, selection, chunk_shape = case
    array = np.zeros(dims, np.int64)
    chunks = split(array, chunk_shape)
    data = np.arange(1, selection.npoints + 1).reshape(selection.shape)
    array[numpy_index(selection)] = data
    for piece in pieces(selection, chunk_shape):
        chunks[piece.chunk][piece.inner] = data[piece.outer]
    for index, chunk in split(array, chunk_shape).items():
        assert np.array_equal(chunks[index], chunk)


@given(chunked())
def test_chunks_come_once_and_in_order(case: tuple[Dims, Selection, Dims]) -> None:
    _, selection, chunk_shape = case
    found = pieces(selection, chunk_shape)
    assert [piece.chunk for piece in found] == sorted({piece.chunk for piece in found})
    for piece in found:
        if piece.covers_chunk:
            assert np.ones(chunk_shape)[piece.inner].size == np.prod(chunk_shape)


def test_what_covers_a_chunk() -> None:
    assert [p.covers_chunk for p in pieces(Hyperslab((2,), (13,), (1,)), (5,))] == [False, True, False]
    assert [p.covers_chunk for p in pieces(whole((5, 5)), (5, 5))] == [True]
    assert not pieces(Hyperslab((0,), (5,), (2,)), (5,))[0].covers_chunk
    # An edge chunk reaches beyond the extents.
    assert [p.covers_chunk for p in pieces(whole((7,)), (5,))] == [True, False]


def test_an_empty_selection_has_no_pieces() -> None:
    assert pieces(whole((0,)), (5,)) == []
    assert pieces(whole((4, 0)), (5, 5)) == []
    assert pieces(Points(np.empty((0, 2), np.int64)), (5, 5)) == []


def test_a_step_longer_than_chunks_skips_some() -> None:
    assert [p.chunk for p in pieces(Hyperslab((1,), (100,), (30,)), (10,))] == [(0,), (3,), (6,), (9,)]


def test_coordinates_beyond_32_bits() -> None:
    far = 2**62
    (piece,) = pieces(Points(np.array([[far + 5, 1]])), (1024, 1))
    assert piece.chunk == (far // 1024, 1)
    assert [int(axis[0]) for axis in piece.inner] == [5, 0]


def test_many_chunks_and_points_are_cut_fast() -> None:
    """A guard against work per element in Python, an order of magnitude above what is measured."""
    begin = time.process_time()
    assert len(pieces(whole((10_000, 10_000)), (100, 100))) == 10_000
    coords = np.random.default_rng(1).integers(0, 10_000, (50_000, 2))
    assert len(pieces(Points(coords), (1000, 1000))) == 100
    assert time.process_time() - begin < 1
