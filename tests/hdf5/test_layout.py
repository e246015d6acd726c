"""Layouts: what is chosen (observations of the contract, 1.5 of 1.x), refused, and read from stored JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsds.errors import InvalidInput
from hsds.hdf5.chunkshape import contiguous_ref_shape, guess_chunk_shape
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.layout import Layout, LayoutLimits, choose_layout, layout_of
from hsds.hdf5.typeparse import parse_datatype

INT = parse_datatype("H5T_STD_I32LE")
TEXT = parse_datatype({"class": "H5T_STRING", "length": "H5T_VARIABLE", "charSet": "H5T_CSET_UTF8"})
LIMITS = LayoutLimits()
CONTIGUOUS = {"class": "H5D_CONTIGUOUS"}
REFERENCE = {"class": "H5D_CHUNKED_REF", "file_uri": "b/k", "dims": [10], "chunks": {"0": [0, 40]}}
INDIRECT = {
    "class": "H5D_CHUNKED_REF_INDIRECT",
    "dims": [10],
    "chunk_table": "d-b03b24ef-69f244b6-56e5-25125a-89ba79",
}
CONTIGUOUS_REF = {"class": "H5D_CONTIGUOUS_REF", "file_uri": "b/k", "offset": 2048, "size": 4000}


def chunked(*dims: int, **more: Any) -> dict[str, Any]:
    return {"class": "H5D_CHUNKED", "dims": list(dims), **more}


@pytest.mark.parametrize(
    ("shape", "maxdims", "props", "layout"),
    [
        ([4000, 1000], None, {}, chunked(2000, 500)),
        ([400000], None, {}, chunked(400000)),
        ([200000], None, {}, CONTIGUOUS),
        ([10], [0], {}, chunked(262144)),
        ([10], [20], {}, chunked(20)),
        (None, None, {}, CONTIGUOUS),
        ("H5S_NULL", None, {}, None),
        ([0], None, {}, CONTIGUOUS),
        ([200000], None, {"filters": ["gzip"]}, chunked(200000)),
        ([100, 200], [0, 400], {"layout": chunked(50, 50)}, chunked(50, 50)),
        ([100], None, {"layout": chunked(1)}, chunked(1)),
        ([100], [0], {"layout": {"class": "H5D_CHUNKED", "dims": 5000}}, chunked(5000)),
        ([5], None, {"layout": CONTIGUOUS}, CONTIGUOUS),
        (None, None, {"layout": {"class": "H5D_COMPACT"}}, {"class": "H5D_COMPACT"}),
        ([100], None, {"layout": REFERENCE}, REFERENCE),
        ([100], None, {"layout": INDIRECT}, INDIRECT),
        ([1000], None, {"layout": CONTIGUOUS_REF}, CONTIGUOUS_REF),
    ],
)
def test_layout_of_a_new_dataset(shape: Any, maxdims: Any, props: dict[str, Any], layout: Any) -> None:
    assert choose_layout(props, Dataspace.from_request(shape, maxdims), INT, LIMITS) == layout


@pytest.mark.parametrize(
    ("shape", "maxdims", "layout"),
    [
        ([10], None, "H5D_CHUNKED"),
        ([10], None, {}),
        ([10], None, {"class": "H5D_VIRTUAL"}),
        ([10], None, {"class": ["H5D_CHUNKED"]}),
        ([10], None, {"class": "H5D_CHUNKED"}),
        ([10], None, chunked(0)),
        ([10], None, chunked(-1)),
        ([10], None, chunked(11)),
        ([10], [20], chunked(21)),
        ([10], None, chunked(5, 5)),
        ([10], None, {"class": "H5D_CHUNKED", "dims": ["5"]}),
        ([10], None, {"class": "H5D_CHUNKED", "dims": [True]}),
        ([10], None, {"class": "H5D_CHUNKED", "dims": None}),
        ([10], None, {"class": "H5D_CONTIGUOUS", "dims": [5]}),
        ([10], None, {"class": "H5D_COMPACT", "dims": [5]}),
        ([10], [20], CONTIGUOUS),
        ([10], [0], {"class": "H5D_COMPACT"}),
        ([20000], None, {"class": "H5D_COMPACT"}),
        ([2**26], None, CONTIGUOUS),
        ([2**26], None, chunked(2**26)),
        (None, None, chunked(1)),
        ("H5S_NULL", None, CONTIGUOUS),
        ([10], None, {"class": "H5D_CONTIGUOUS_REF", "file_uri": "b/k", "offset": 0}),
        ([10], None, CONTIGUOUS_REF | {"offset": -1}),
        ([10], None, CONTIGUOUS_REF | {"size": "4"}),
        ([10], None, CONTIGUOUS_REF | {"dims": [10]}),
        ([10], [20], CONTIGUOUS_REF),
        ([10], None, REFERENCE | {"chunks": []}),
        ([10], None, REFERENCE | {"file_uri": 3}),
        ([10], None, INDIRECT | {"chunk_table": "x"}),
        ([10], None, INDIRECT | {"chunk_table": "g-b03b24ef-69f244b6-56e5-25125a-89ba79"}),
    ],
)
def test_layouts_that_cannot_be(shape: Any, maxdims: Any, layout: Any) -> None:
    with pytest.raises(InvalidInput):
        choose_layout({"layout": layout}, Dataspace.from_request(shape, maxdims), INT, LIMITS)


def test_references_hold_fixed_types_only() -> None:
    with pytest.raises(InvalidInput, match="variable"):
        choose_layout({"layout": REFERENCE}, Dataspace.from_request([100]), TEXT, LIMITS)


def test_variable_elements_count_128_bytes() -> None:
    space = Dataspace.from_request([10], [0])
    assert choose_layout({}, space, TEXT, LIMITS) == chunked(8192)


def test_many_chunks_are_partitioned() -> None:
    limits = LayoutLimits(max_chunks_per_folder=10)
    space = Dataspace.from_request([100, 100])
    assert choose_layout({"layout": chunked(10, 30)}, space, INT, limits) == chunked(
        10, 30, partition_count=4
    )
    assert choose_layout({"layout": chunked(50, 50)}, space, INT, limits) == chunked(50, 50)
    sent = chunked(50, 50, partition_count=9)
    assert choose_layout({"layout": sent}, space, INT, limits) == chunked(50, 50)


@given(
    dims=st.lists(st.integers(1, 10**5), min_size=1, max_size=5),
    unlimited=st.sets(st.integers(0, 4)),
    itemsize=st.sampled_from([1, 4, 8, 128, 3000]),
)
def test_chunk_shapes_keep_their_bounds(dims: list[int], unlimited: set[int], itemsize: int) -> None:
    maxdims = [None if axis in unlimited else dim for axis, dim in enumerate(dims)]
    space = Dataspace("simple", tuple(dims), tuple(maxdims))
    shape = guess_chunk_shape(space, itemsize, min_size=2**20, max_size=2**22)
    nbytes = itemsize
    for extent, bound in zip(shape, maxdims, strict=True):
        assert extent >= 1
        assert bound is None or extent <= bound
        nbytes *= extent
    assert nbytes <= 2**22
    if None in maxdims:
        assert nbytes >= 2**20


def test_virtual_chunks_of_contiguous_files() -> None:
    space = Dataspace("simple", (1000, 1000, 1000))
    assert contiguous_ref_shape(space, 4, max_size=4 << 20) == (1, 1000, 1000)
    assert contiguous_ref_shape(space, 8, max_size=4 << 20) == (1, 500, 1000)
    assert contiguous_ref_shape(Dataspace("simple", (0, 10)), 8, max_size=4 << 20) == (1, 10)


def stored(shape: Any, *, top: Any = None, own: Any = None) -> dict[str, Any]:
    dataset = {
        "shape": {"class": "H5S_SIMPLE", "dims": shape} if isinstance(shape, list) else {"class": shape}
    }
    if top is not None:
        dataset["layout"] = top
    if own is not None:
        dataset["creationProperties"] = {"layout": own}
    return dataset


@pytest.mark.parametrize(
    ("dataset", "layout"),
    [
        # HSDS 1.x
        (stored([40], own=chunked(10)), Layout("H5D_CHUNKED", (10,))),
        (stored([40, 4], own=CONTIGUOUS), Layout("H5D_CONTIGUOUS", (40, 4))),
        (stored("H5S_SCALAR", own=CONTIGUOUS), Layout("H5D_CONTIGUOUS", (1,))),
        (stored("H5S_NULL"), Layout("H5D_CONTIGUOUS", ())),
        (stored([40], own=chunked(10, partition_count=3)), Layout("H5D_CHUNKED", (10,), 3)),
        # HSDS 0.9, which adjusts the shape of chunks, and cuts contiguous datasets
        (stored([40], top=chunked(40), own=chunked(10)), Layout("H5D_CHUNKED", (40,))),
        (stored([40], top=chunked(20)), Layout("H5D_CHUNKED", (20,))),
        (stored([40], top=chunked(20), own=CONTIGUOUS), Layout("H5D_CONTIGUOUS", (20,))),
        (stored([40], top={"class": "H5D_COMPACT"}), Layout("H5D_COMPACT", (40,))),
        (stored([40], top=chunked(5, partition_count=2)), Layout("H5D_CHUNKED", (5,), 2)),
        (stored([40], top=chunked(10), own=REFERENCE), Layout("H5D_CHUNKED_REF", (10,))),
        (stored([0, 3], own=CONTIGUOUS), Layout("H5D_CONTIGUOUS", (1, 3))),
    ],
)
def test_stored_layouts(dataset: dict[str, Any], layout: Layout) -> None:
    assert layout_of(dataset) == layout
