"""Dataspaces of requests and of stored JSON."""

import pytest

from hsds.errors import InvalidInput
from hsds.hdf5.dataspace import Dataspace


@pytest.mark.parametrize(
    ("shape", "maxdims", "stored"),
    [
        (None, None, {"class": "H5S_SCALAR"}),
        ([], None, {"class": "H5S_SCALAR"}),
        ("H5S_SCALAR", None, {"class": "H5S_SCALAR"}),
        ("H5S_NULL", None, {"class": "H5S_NULL"}),
        (5, None, {"class": "H5S_SIMPLE", "dims": [5]}),
        (0, 0, {"class": "H5S_SIMPLE", "dims": [0], "maxdims": [0]}),
        ([2, 3], [None, 3], {"class": "H5S_SIMPLE", "dims": [2, 3], "maxdims": [0, 3]}),
        ([2, 3], ["H5S_UNLIMITED", 0], {"class": "H5S_SIMPLE", "dims": [2, 3], "maxdims": [0, 0]}),
    ],
)
def test_requests_are_stored(shape: object, maxdims: object, stored: dict[str, object]) -> None:
    space = Dataspace.from_request(shape, maxdims)
    assert space.to_json() == stored
    assert Dataspace.from_json(stored) == space


@pytest.mark.parametrize(
    ("shape", "maxdims"),
    [
        (-1, None),
        (True, None),
        (1.5, None),
        ("5", None),
        ({"class": "H5S_SCALAR"}, None),
        ([2, "3"], None),
        ([2, None], None),
        ([2] * 33, None),
        ([2**62, 4], None),
        ([2**63], None),
        (None, 5),
        ("H5S_NULL", [0]),
        ([2, 3], [2]),
        ([2, 3], [1, 3]),
        ([2], [True]),
        ([2], [-1]),
        ([2], ["many"]),
        ([2], {"a": 1}),
    ],
)
def test_requests_that_cannot_be(shape: object, maxdims: object) -> None:
    with pytest.raises(InvalidInput):
        Dataspace.from_request(shape, maxdims)


def test_either_spelling_of_unlimited_is_read() -> None:
    for unlimited in (0, None, "H5S_UNLIMITED"):
        stored = {"class": "H5S_SIMPLE", "dims": [4, 5], "maxdims": [unlimited, 5]}
        assert Dataspace.from_json(stored) == Dataspace("simple", (4, 5), (None, 5))


def test_counts() -> None:
    assert Dataspace("null").npoints == 0
    assert Dataspace("scalar").npoints == 1
    assert Dataspace("scalar").extents == (1,)
    assert Dataspace("simple", (3, 0)).npoints == 0
    assert Dataspace("simple", (3, 4)).rank == 2
    assert Dataspace("simple", (3, 4), (3, None)).extensible
    assert not Dataspace("simple", (3, 4), (3, 4)).extensible
    assert not Dataspace("simple", (3, 4)).extensible
