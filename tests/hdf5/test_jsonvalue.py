"""Values of every type go through JSON and come back, in whatever nesting clients send them."""

import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from typed import (
    BOOLEAN,
    DATASET,
    OBJECT_REFERENCE,
    REGION_REFERENCE,
    VARIABLE_TEXT,
    Dims,
    array_of,
    compound_of,
    fixed_text,
    same,
    typed_values,
    vlen_of,
)

from hsds.errors import InvalidInput
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsonvalue import dumps, from_json, loads, to_json, to_json_text
from hsds.hdf5.typeparse import parse_datatype

PAIR = compound_of(x="H5T_STD_I32LE", y="H5T_IEEE_F64LE")


@given(typed_values())
def test_round_trip(case: tuple[Datatype, Dims, Any]) -> None:
    datatype, dims, value = case
    array = from_json(value, datatype, dims)
    assert array.shape == (*dims, *datatype.dtype.shape)
    assert array.dtype == datatype.dtype.base
    assert same(to_json(array, datatype), value if all(dims) or not dims else np.empty(dims).tolist())


@given(typed_values())
def test_text_is_that_of_the_value(case: tuple[Datatype, Dims, Any]) -> None:
    datatype, dims, value = case
    array = from_json(value, datatype, dims)
    text = dumps({"value": to_json_text(array, datatype)})
    assert same(loads(text), {"value": to_json(array, datatype)}) or same(
        loads(text)["value"], to_json(array, datatype)
    )
    as_null = orjson.loads(dumps(to_json_text(array, datatype, ignore_nan=True)))
    assert same(as_null, orjson.loads(orjson.dumps(to_json(array, datatype))))


@pytest.mark.parametrize(
    ("json", "value", "dims", "expected"),
    [
        ("H5T_STD_I32LE", [1, 2, 3, 4], (2, 2), [[1, 2], [3, 4]]),
        ("H5T_STD_I32LE", [[1], [2]], (2,), [1, 2]),
        ("H5T_STD_I32LE", [[5]], (), 5),
        ("H5T_STD_I32LE", 5, (1,), [5]),
        ("H5T_STD_I8LE", [True, 1.9], (2,), [1, 1]),
        ("H5T_IEEE_F64LE", [None, "nan", 1], (3,), [math.nan, math.nan, 1.0]),
        ("H5T_IEEE_F32LE", 1e300, (), math.inf),
        (BOOLEAN, [0, 1, True, False], (4,), [False, True, True, False]),
        (fixed_text(3), "abcdef", (), "abc"),
        (fixed_text(3, "H5T_CSET_UTF8"), "abé", (), "ab"),
        (fixed_text(1, "H5T_CSET_UTF8"), "a", (1, 1), [["a"]]),
        (VARIABLE_TEXT, [["a", "b"], ["c", "d"]], (4,), ["a", "b", "c", "d"]),
        (VARIABLE_TEXT, [None, 0, ""], (3,), ["", "", ""]),
        (PAIR, [1, 2.5], (), [1, 2.5]),
        (PAIR, [1, 2.5], (1,), [[1, 2.5]]),
        (PAIR, [[1, 2.5]], (), [1, 2.5]),
        (PAIR, [[1, 2], [3, 4]], (2,), [[1, 2.0], [3, 4.0]]),
        (PAIR, [[[1, 2]], [[3, 4]]], (2,), [[1, 2.0], [3, 4.0]]),
        (PAIR, [[1, 2], [3, 4]], (2, 1), [[[1, 2.0]], [[3, 4.0]]]),
        (vlen_of("H5T_STD_I8LE"), [1, 2, 3], (), [1, 2, 3]),
        (vlen_of("H5T_STD_I8LE"), [1, 2, 3], (1,), [[1, 2, 3]]),
        (vlen_of("H5T_STD_I8LE"), [0, None, [4]], (3,), [[], [], [4]]),
        (vlen_of(OBJECT_REFERENCE), [[f"datasets/{DATASET}"], []], (2,), [[f"datasets/{DATASET}"], []]),
        (array_of("H5T_STD_I8LE", 2), [1, 2, 3, 4], (2,), [[1, 2], [3, 4]]),
        (array_of(PAIR, 2), [[1, 2], [3, 4]], (), [[1, 2.0], [3, 4.0]]),
        ({"class": "H5T_OPAQUE", "size": 3}, "AQID", (), "AQID"),
        ({"class": "H5T_OPAQUE", "size": 3}, ["", "AAAA"], (2,), ["", ""]),
        ({"class": "H5T_OPAQUE", "size": 5}, "abc", (), "YWJjAAA="),
        (OBJECT_REFERENCE, [None, DATASET], (2,), ["", DATASET]),
        (REGION_REFERENCE, [None, {"id": DATASET}], (2,), [None, {"id": DATASET[2:]}]),
    ],
)
def test_forms_of_input(json: Any, value: Any, dims: Dims, expected: Any) -> None:
    datatype = parse_datatype(json)
    assert same(to_json(from_json(value, datatype, dims), datatype), expected)


@pytest.mark.parametrize(
    ("json", "value", "dims"),
    [
        ("H5T_STD_I32LE", [1, 2], (3,)),
        ("H5T_STD_I32LE", 1, (3,)),
        ("H5T_STD_I32LE", [1, [2, 3]], (3,)),
        ("H5T_STD_I32LE", None, ()),
        ("H5T_STD_I32LE", math.nan, ()),
        ("H5T_STD_I32LE", "five", ()),
        ("H5T_STD_I32LE", {"a": 1}, ()),
        ("H5T_STD_I32LE", 2**40, ()),
        ("H5T_STD_I64LE", 2**80, ()),
        ("H5T_STD_U8LE", -1, ()),
        ("H5T_STD_U8LE", [], (2,)),
        ("H5T_STD_U8LE", [3], (0,)),
        ("H5T_IEEE_F32LE", {}, ()),
        (fixed_text(3), 5, ()),
        (fixed_text(3), ["a", ["b"]], (2,)),
        (fixed_text(3), [], (2,)),
        (fixed_text(3), ["a"], (0,)),
        (VARIABLE_TEXT, {"a": 1}, ()),
        (VARIABLE_TEXT, "\ud800", ()),
        (PAIR, [1], ()),
        (PAIR, 1, ()),
        (PAIR, {"x": 1, "y": 2}, ()),
        (PAIR, [[1, 2], [3]], (2,)),
        (vlen_of("H5T_STD_I8LE"), "text", ()),
        (vlen_of("H5T_STD_I8LE"), [["a"]], (1,)),
        ({"class": "H5T_OPAQUE", "size": 3}, "AQIDBA==", ()),
        ({"class": "H5T_OPAQUE", "size": 3}, 7, ()),
        (OBJECT_REFERENCE, "x" * 49, ()),
        (REGION_REFERENCE, "text", ()),
        (REGION_REFERENCE, {"id": DATASET, "select_type": "H5S_SEL_POINTS"}, ()),
    ],
)
def test_what_is_no_value_is_refused(json: Any, value: Any, dims: Dims) -> None:
    with pytest.raises(InvalidInput):
        from_json(value, parse_datatype(json), dims)


@pytest.mark.parametrize(
    ("json", "value", "dims", "reason"),
    [
        (VARIABLE_TEXT, ["a", 2, "c"], (3,), "value is not of H5T_STRING: expected text, got a number"),
        (VARIABLE_TEXT, {"a": 1}, (), "value is not of H5T_STRING: expected text, got an object"),
        (fixed_text(3), ["a", ["b"]], (2,), "value is not of H5T_STRING: expected text, got a list of 1"),
        (OBJECT_REFERENCE, [1], (1,), "value is not of H5T_REFERENCE: expected text, got a number"),
        (vlen_of("H5T_STD_I8LE"), "abc", (), "value is not of H5T_VLEN: expected a list, got text"),
        (
            vlen_of(VARIABLE_TEXT),
            [[True]],
            (1,),
            "value is not of H5T_STRING: expected text, got a truth value",
        ),
        (PAIR, 1, (), "value is not of H5T_COMPOUND: expected a list of 2 members, got a number"),
        (PAIR, [1], (), "value is not of H5T_COMPOUND: expected a list of 2 members, got a list of 1"),
        (
            PAIR,
            [[1, 2], [3]],
            (2,),
            "value is not of H5T_COMPOUND: expected a list of 2 members, got a list of 1",
        ),
        (
            {"class": "H5T_OPAQUE", "size": 3},
            7,
            (),
            "value is not of H5T_OPAQUE: expected base64 text of 3 bytes, got a number",
        ),
        (
            {"class": "H5T_OPAQUE", "size": 3},
            "AQIDBA==",
            (),
            "value is not of H5T_OPAQUE: expected base64 text of 3 bytes, got 'AQIDBA=='",
        ),
        (REGION_REFERENCE, 7, (), "a region reference is null or an object with an id, not 7"),
        (VARIABLE_TEXT, ["a"], (2,), "value has 1 elements, expected 2"),
    ],
)
def test_reasons_name_what_is_wrong(json: Any, value: Any, dims: Dims, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_json(value, parse_datatype(json), dims)
    assert str(caught.value) == reason


def test_a_few_letters_take_no_gigabytes() -> None:
    huge = fixed_text(2**30)
    for json, value in (
        (huge, "a"),
        (vlen_of(fixed_text(2**20)), ["a"] * 1000),
        (array_of(huge, 1), ["a"]),
    ):
        with pytest.raises(InvalidInput, match="at most"):
            from_json(value, parse_datatype(json), ())


def test_unset_elements_read_as_empty() -> None:
    datatype = parse_datatype(
        compound_of(s=VARIABLE_TEXT, v=vlen_of(PAIR), r=OBJECT_REFERENCE, q=REGION_REFERENCE)
    )
    assert to_json(np.zeros(1, datatype.dtype), datatype) == [["", [], "", None]]
    assert to_json(np.empty(1, datatype.dtype), datatype)[0][:2] == ["", []]


def test_bytes_that_are_no_text_have_no_json() -> None:
    datatype = parse_datatype(fixed_text(2))
    with pytest.raises(InvalidInput, match="UTF-8"):
        to_json(np.array([b"\xfe\xff"], "S2"), datatype)
    assert from_json("\udcfe", datatype, ()).tobytes() == b"\xfe\0"  # how Python carries such bytes in text


def test_a_float32_shows_all_its_digits() -> None:
    datatype = parse_datatype("H5T_IEEE_F32BE")
    array = np.array([0.1, 1 / 3], ">f4")
    assert orjson.loads(dumps(to_json_text(array, datatype))) == array.tolist()
