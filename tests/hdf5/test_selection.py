"""Selections: the text of requests (contract, section 4.1), and what they select from numpy arrays."""

import numpy as np
import pytest
from hypothesis import given
from spaces import Dims, expected, selected_spaces

from hsds.errors import InvalidInput
from hsds.hdf5.selection import (
    Fancy,
    Hyperslab,
    Points,
    Selection,
    numpy_index,
    whole,
)
from hsds.hdf5.selecttext import from_start_stop_step, parse_select, points_from_bytes, points_from_json


@given(selected_spaces())
def test_numpy_index_selects_the_same(case: tuple[Dims, Selection]) -> None:
    dims, selection = case
    array = np.arange(np.prod(dims) * 2).reshape(*dims, 2)
    assert np.array_equal(array[numpy_index(selection)], expected(array, selection))


@pytest.mark.parametrize(
    ("select", "dims", "slices"),
    [
        ("[:]", (10,), "0:10:1"),
        ("[::]", (10,), "0:10:1"),
        ("[ ::, :: ]", (10, 4), "0:10:1,0:4:1"),
        ("[3]", (10,), "3:4:1"),
        ("[2:5]", (10,), "2:5:1"),
        ("[:5]", (10,), "0:5:1"),
        ("[7:]", (10,), "7:10:1"),
        ("[1:9:3]", (10,), "1:9:3"),
        ("[1::3]", (10,), "1:10:3"),
        ("[1:4, 2]", (10, 4), "1:4:1,2:3:1"),
        ("[:]", (0,), "0:0:1"),
        (["1:4", "2"], (10, 4), "1:4:1,2:3:1"),
        ([3, ":"], (10, 4), "3:4:1,0:4:1"),
    ],
)
def test_hyperslabs(select: object, dims: Dims, slices: str) -> None:
    starts, stops, steps = zip(*(map(int, text.split(":")) for text in slices.split(",")), strict=True)
    assert parse_select(select, dims) == Hyperslab(starts, stops, steps)


@pytest.mark.parametrize(
    ("select", "dims", "shape"),
    [
        ("[[1,3,5]]", (10,), (3,)),
        ("[[5, 1, 5], 0:4:2]", (10, 4), (3, 2)),
        ("[[0,2],[1,3]]", (10, 4), (2,)),
        ("[1,[2,3]]", (10, 4), (1, 2)),
        ("[1:3,[2,3],:,[0,0]]", (10, 4, 5, 6), (2, 2, 5)),
        ([[1, 3, 5]], (10,), (3,)),
        (["[1,3]", "1:2"], (10, 4), (2, 1)),
        (["1:2", [3]], (10, 4), (1, 1)),
    ],
)
def test_coordinate_lists(select: object, dims: Dims, shape: Dims) -> None:
    selection = parse_select(select, dims)
    assert isinstance(selection, Fancy)
    assert selection.shape == shape


@pytest.mark.parametrize(
    ("select", "dims"),
    [
        ("", (10,)),
        ("3", (10,)),
        ("1:2", (10,)),
        ("[", (10,)),
        ("[]", (10,)),
        ("[3", (10,)),
        ("[1,2]", (10,)),
        ("[1]", (10, 4)),
        ("[10]", (10,)),
        ("[-1]", (10,)),
        ("[0:11]", (10,)),
        ("[10:]", (10,)),
        ("[3:3]", (10,)),
        ("[4:3]", (10,)),
        ("[0:0]", (0,)),
        ("[0:3:0]", (10,)),
        ("[0:3:-1]", (10,)),
        ("[-3:]", (10,)),
        ("[0:3:1:1]", (10,)),
        ("[[]]", (10,)),
        ("[[1,]]", (10,)),
        ("[[10]]", (10,)),
        ("[[1:3]]", (10,)),
        ("[[1,2],[1]]", (10, 4)),
        ("[[[1]]]", (10,)),
        ("[1]]", (10,)),
        ("[1 a]", (10,)),
        ("[1.5]", (10,)),
        ("[1_0]", (20,)),
        ("[+1]", (20,)),
        ("[٣]", (20,)),
        ("[" + "9" * 5000 + "]", (20,)),
        ("[[" + "9" * 5000 + "]]", (20,)),
        ("[[" + "9" * 19 + "]]", (20,)),
        ("[...]", (20,)),
        ([], (20,)),
        ([1.5], (20,)),
        ([True], (20,)),
        ([None], (20,)),
        ([[True]], (20,)),
        ([["1"]], (20,)),
        ([{}], (20,)),
        ({}, (20,)),
        (None, (20,)),
        (3, (20,)),
    ],
)
def test_selections_that_cannot_be(select: object, dims: Dims) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_select(select, dims)
    assert len(str(error.value)) <= 200
    assert "\n" not in str(error.value)


def test_start_stop_step() -> None:
    assert from_start_stop_step(1, 4, None, (10,)) == Hyperslab((1,), (4,), (1,))
    assert from_start_stop_step([1, 0], [4, 2], [2, 1], (10, 2)) == Hyperslab((1, 0), (4, 2), (2, 1))
    for wrong in [(1, 1, 1), (0, 11, 1), (0, 3, 0), (-1, 3, 1), ("1", 3, 1), ([1, 2], 3, 1), (1, None, 1)]:
        with pytest.raises(InvalidInput):
            from_start_stop_step(*wrong, (10,))


def test_points() -> None:
    assert points_from_json([1, 5, 1], (10,)) == Points(np.array([[1], [5], [1]]))
    assert points_from_json([[1], [5]], (10,)) == Points(np.array([[1], [5]]))
    assert points_from_json([[2, 3], [4, 5]], (10, 20)) == Points(np.array([[2, 3], [4, 5]]))
    data = np.array([[2, 3], [4, 5]], "<u8").tobytes()
    assert points_from_bytes(data, (10, 20)) == Points(np.array([[2, 3], [4, 5]]))


@pytest.mark.parametrize(
    "value",
    [
        [],
        5,
        "1",
        None,
        [[1, 2], [3]],
        [[1, 2, 3]],
        [1, 2],
        [[10, 0]],
        [[0, -1]],
        [[0.5, 1]],
        [[True, False]],
        [["1", "2"]],
        [[2**64, 0]],
        [[2**63, 0]],
        [[None, 0]],
        [{}],
    ],
)
def test_points_that_cannot_be(value: object) -> None:
    with pytest.raises(InvalidInput):
        points_from_json(value, (10, 4))


@pytest.mark.parametrize("data", [b"", b"1234", bytes(24), np.array([2**63, 0], "<u8").tobytes()])
def test_bytes_that_are_no_points(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        points_from_bytes(data, (10, 4))


def test_what_is_the_same_selection() -> None:
    selects = ["[[0,2],:]", "[[0,2],1:]", "[[0,3],:]", "[[0,2,3],:]", "[:,[0,2]]", "[[0,2],[0,2]]", "[1:3,:]"]
    parsed = [parse_select(select, (5, 5)) for select in selects]
    for i, one in enumerate(parsed):
        assert one == parse_select(selects[i], (5, 5))
        assert [other == one for other in parsed].count(True) == 1
    assert parsed[0] != parse_select("[[0,2]]", (5,))


def test_whole() -> None:
    assert whole((0, 4)).npoints == 0
