"""Region references are the bytes and the JSON of h5json, both ways."""

from typing import Any

import pytest
from h5json.hdf5dtype import RegionReference as Theirs
from h5json.selections import select
from hypothesis import given
from hypothesis import strategies as st
from typed import DATASET

from hsds.errors import InvalidInput
from hsds.hdf5.regionref import Region, RegionValue, decode, encode, from_json, to_json

UUID = DATASET[2:]


@st.composite
def regions(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """Extents, and what h5json selects by: a slice, a list or an index for each axis."""
    dims = tuple(draw(st.lists(st.sampled_from([5, 300, 70_000, 2**33]), min_size=1, max_size=3)))
    count = draw(st.integers(1, 4))
    form = draw(st.sampled_from(["hyperslab", "points", "mixed"]))
    axes: list[Any] = []
    for axis, dim in enumerate(dims):
        listed = form == "points" or (form == "mixed" and axis == 0)
        if listed:
            axes.append(sorted(draw(st.sets(st.integers(0, dim - 1), min_size=count, max_size=count))))
        else:
            start = draw(st.integers(0, dim - 1))
            stop = draw(st.integers(start + 1, dim))
            axes.append(slice(start, stop, draw(st.integers(1, 3))))
    return dims, tuple(axes)


def their_reference(dims: tuple[int, ...], axes: tuple[Any, ...]) -> Theirs:
    return Theirs(f"datasets/{DATASET}", select(dims, axes))


@given(regions())
def test_bytes_are_h5jsons(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    try:
        data = their_reference(*case).tobytes()
    except Exception:  # noqa: BLE001 (a slice that ends behind what its width can hold)
        return
    value = decode(data)
    assert value is not None
    assert value.id == DATASET
    assert value.region is not None
    assert value.region.shape == case[0]
    assert encode(value) == data


@given(regions())
def test_json_is_h5jsons(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    try:
        theirs = their_reference(*case)
        data = theirs.tobytes()
    except Exception:  # noqa: BLE001 (as above)
        return
    ours = to_json(decode(data))
    assert ours == theirs.to_json()
    again = from_json(ours)
    assert to_json(again) == ours
    assert decode(encode(again)) == again


def test_the_captured_example() -> None:
    data = bytes.fromhex(
        "48525246012600" + DATASET.encode().hex() + "1d000000"
        "4853454c0100020002006400c8000000000003000100000100050001"
        "00ff"
    )
    region = Region("hyperslab", (100, 200), (slice(0, 3, 1), slice(1, 5, 1)))
    assert decode(data) == RegionValue(DATASET, region)
    assert encode(RegionValue(DATASET, region)) == data
    assert to_json(decode(data)) == {
        "id": UUID,
        "select_type": "H5S_SEL_HYPERSLABS",
        "selection": [[[0, 1], [2, 4]]],
    }


def test_unset() -> None:
    assert decode(b"") is None
    assert decode(bytes(48)) is None
    assert encode(None) == b""
    assert to_json(None) is None
    for json in (None, "", {"id": ""}):
        assert from_json(json) is None


def test_a_dataset_alone() -> None:
    for text in (UUID, DATASET, f"datasets/{DATASET}"):
        assert from_json({"id": text}) == RegionValue(DATASET, None)
    assert to_json(RegionValue(DATASET, None)) == {"id": UUID}
    assert decode(encode(RegionValue(DATASET, None))) == RegionValue(DATASET, None)


def test_the_whole_dataset_and_fields() -> None:
    value = RegionValue(DATASET, Region("all", (3, 4), (), ("a", "é")))
    assert decode(encode(value)) == value
    assert to_json(value) == {
        "id": UUID,
        "select_type": "H5S_SEL_HYPERSLABS",
        "selection": [[[0, 0], [2, 3]]],
    }


@pytest.mark.parametrize("shape", [(0,), (3, 0), ()])
def test_all_of_a_dataset_without_elements_or_axes(shape: tuple[int, ...]) -> None:
    value = RegionValue(DATASET, Region("all", shape, ()))
    assert decode(encode(value)) == value
    json = to_json(value)
    assert to_json(from_json(json)) == json
    assert from_json(json) == value or not shape


def test_a_step_out_of_the_dataset_selects_one_element() -> None:
    slices = [
        {"type": "slice", "start": 2, "stop": 5, "step": 100_000},
        {"type": "slice", "start": 0, "stop": 2**40, "step": 2**40},
    ]
    value = from_json({"id": UUID, "selection_dict": {"shape": [10, 10], "slices": slices}})
    assert value is not None
    assert value.region == Region("hyperslab", (10, 10), (slice(2, 3, 1), slice(0, 1, 1)))
    assert decode(encode(value)) == value


def test_several_blocks_become_points() -> None:
    json = {
        "id": UUID,
        "select_type": "H5S_SEL_HYPERSLABS",
        "selection": [[[0, 0], [0, 1]], [[2, 2], [2, 2]]],
    }
    value = from_json(json)
    assert value is not None
    assert value.region == Region("points", (3, 3), ((0, 0, 2), (0, 1, 2)))


def test_an_index_beside_coordinates() -> None:
    value = RegionValue(DATASET, Region("points", (5, 9), ((1, 2), 7)))
    assert decode(encode(value)) == value
    assert to_json(value) == {"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": [[1, 7], [2, 7]]}


@pytest.mark.parametrize(
    "json",
    [
        5,
        {},
        {"id": 5},
        {"id": "ä"},
        {"id": UUID, "select_type": "H5S_SEL_NONE"},
        {"id": UUID, "select_type": "H5S_SEL_POINTS"},
        {"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": []},
        {"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": [[1, 2], [3]]},
        {"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": [[-1]]},
        {"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": [1]},
        {"id": UUID, "select_type": "H5S_SEL_HYPERSLABS", "selection": [[[0], [1], [2]]]},
        {"id": UUID, "select_type": "H5S_SEL_HYPERSLABS", "selection": [[[3], [1]]]},
        {"id": UUID, "select_type": "H5S_SEL_HYPERSLABS", "selection": [[[0], [2**40]], [[0], [2**40]]]},
        {"id": UUID, "selection_dict": 5},
        {"id": UUID, "selection_dict": {"shape": [4]}},
        {"id": UUID, "selection_dict": {"shape": [4], "slices": []}},
        {"id": UUID, "selection_dict": {"shape": [4], "slices": [{"type": "int", "value": 4}]}},
        {
            "id": UUID,
            "selection_dict": {"shape": [4], "slices": [{"type": "slice", "start": 0, "stop": 9, "step": 1}]},
        },
        {
            "id": UUID,
            "selection_dict": {
                "shape": [4, 4],
                "slices": [{"type": "list", "values": v} for v in ([1], [1, 2])],
            },
        },
    ],
)
def test_malformed_json(json: Any) -> None:
    with pytest.raises(InvalidInput):
        from_json(json)


def fields_of(*names: Any) -> dict[str, Any]:
    return {"id": UUID, "selection_dict": {"shape": [4], "select_type": 3, "fields": list(names)}}


def blocks_of(*blocks: list[list[int]]) -> dict[str, Any]:
    return {"id": UUID, "select_type": "H5S_SEL_HYPERSLABS", "selection": blocks}


@pytest.mark.parametrize(
    ("json", "reason"),
    [
        ({"id": "x" * 70_000}, "an id has at most 65535 characters"),
        (blocks_of([[0] * 70_000, [1] * 70_000]), "at most 32 axes"),
        (blocks_of([[0], [10**9]], [[10**9], [0]]), "the first corner of a block comes before the last"),
        ({"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": [[]]}, "points are lists"),
        ({"id": UUID, "select_type": "H5S_SEL_POINTS", "selection": [[True]]}, "coordinates are integers"),
        (
            {"id": UUID, "selection_dict": {"shape": [4], "slices": [{"type": "int", "value": True}]}},
            "coordinates are integers",
        ),
        ({"id": UUID, "selection_dict": {"shape": [1] * 33, "select_type": 3}}, "at most 32 axes"),
        (fields_of("\ud800"), "half of a character"),
        (fields_of("x" * 70_000), "the name of a field has at most 65535 bytes"),
        (fields_of("ä" * 40_000), "the name of a field has at most 65535 bytes"),
        (fields_of(*["a"] * 70_000), "at most 65535 names"),
        (fields_of(5), "names of fields are texts"),
    ],
)
def test_a_refusal_names_what_was_wrong(json: Any, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refusal:
        from_json(json)
    assert "malformed" not in str(refusal.value)


def test_what_has_no_binary_form_is_the_fault_of_the_input() -> None:
    with pytest.raises(InvalidInput, match="no binary form"):
        encode(RegionValue(DATASET, Region("hyperslab", (10,), (slice(0, 1, 2**16),))))


ODD = st.sampled_from([True, -1, 0.5, None, "", "x", "\ud800", "x" * 70_000, 2**16, 2**63, 2**64, [], {}])
NUMBERS = st.integers(0, 12) | st.sampled_from([2**16 - 1, 2**16, 2**32, 2**63 - 1]) | ODD
ROWS = st.lists(NUMBERS, max_size=3) | st.just([0] * 33) | ODD
SLICES = st.one_of(
    st.fixed_dictionaries({"type": st.just("slice"), "start": NUMBERS, "stop": NUMBERS, "step": NUMBERS}),
    st.fixed_dictionaries({"type": st.just("int"), "value": NUMBERS}),
    st.fixed_dictionaries({"type": st.just("list"), "values": ROWS}),
    ODD,
)
DICTS = st.fixed_dictionaries(
    {"shape": ROWS},
    optional={
        "slices": st.lists(SLICES, max_size=3) | ODD,
        "select_type": st.sampled_from([1, 2, 3, 4]) | ODD,
        "fields": st.lists(st.sampled_from(["a", "é"]) | ODD, max_size=3) | ODD,
    },
)
REFERENCES = st.fixed_dictionaries(
    {"id": st.sampled_from([UUID, DATASET, f"datasets/{DATASET}"]) | ODD},
    optional={
        "selection_dict": DICTS | ODD,
        "select_type": st.sampled_from(["H5S_SEL_POINTS", "H5S_SEL_HYPERSLABS"]) | ODD,
        "selection": st.lists(ROWS | st.lists(ROWS, max_size=3), max_size=3) | ODD,
    },
)


@given(REFERENCES | ODD)
def test_any_json_is_refused_or_has_both_forms(json: Any) -> None:
    try:
        value = from_json(json)
    except InvalidInput:
        return
    assert decode(encode(value)) == value
    assert to_json(from_json(to_json(value))) == to_json(value)


@given(st.data())
def test_damaged_bytes_are_refused_or_read(data: st.DataObject) -> None:
    whole = encode(RegionValue(DATASET, Region("fancy", (100, 200), ((1, 5), slice(0, 3, 1)))))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(0, 3)) :]
    try:
        value = decode(damaged)
    except InvalidInput:
        return
    assert decode(encode(value)) == value
