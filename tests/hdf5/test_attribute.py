"""Attributes: all that clients send becomes one stored form; equality; showing never fails."""

import base64
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from typed import (
    BOOLEAN,
    COLORS,
    DATASET,
    OBJECT_REFERENCE,
    REGION_REFERENCE,
    VARIABLE_TEXT,
    Dims,
    compound_of,
    fixed_text,
    same,
    typed_values,
    vlen_of,
)

from hsds.errors import InvalidInput
from hsds.hdf5.attribute import (
    attribute_from_bytes,
    attribute_value_array,
    attribute_value_bytes,
    equal_attributes,
    normalize_attribute,
    present_attribute,
)
from hsds.hdf5.binary import to_base64
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsontext import dumps, loads

NOW = 1_795_206_607.25
INT = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
OPAQUE = {"class": "H5T_OPAQUE", "size": 3}


def stored(type_: Any, value: Any = None, shape: Any = None, **others: Any) -> dict[str, Any]:
    return normalize_attribute({"type": type_, "value": value, "shape": shape, **others}, now=NOW)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (None, {"class": "H5S_SCALAR"}),
        ([], {"class": "H5S_SCALAR"}),
        ("H5S_SCALAR", {"class": "H5S_SCALAR"}),
        ({"class": "H5S_SCALAR"}, {"class": "H5S_SCALAR"}),
        ("H5S_NULL", {"class": "H5S_NULL"}),
        ({"class": "H5S_NULL"}, {"class": "H5S_NULL"}),
        (3, {"class": "H5S_SIMPLE", "dims": [3]}),
        ([2, 0], {"class": "H5S_SIMPLE", "dims": [2, 0]}),
        ({"class": "H5S_SIMPLE", "dims": [2, 3]}, {"class": "H5S_SIMPLE", "dims": [2, 3]}),
    ],
)
def test_shapes(shape: Any, expected: Any) -> None:
    attribute = stored("H5T_STD_I32LE", None, shape)
    assert attribute == {"type": INT, "shape": expected, "value": None, "created": NOW}


def test_absent_shape_and_value() -> None:
    assert normalize_attribute({"type": INT}, now=NOW) == {
        "type": INT,
        "shape": {"class": "H5S_SCALAR"},
        "value": None,
        "created": NOW,
    }


@pytest.mark.parametrize(
    ("json", "shape", "value", "expected"),
    [
        (INT, None, 42, 42),
        (INT, [1], 42, [42]),
        (INT, 4, [[1, 2], [3, 4]], [1, 2, 3, 4]),
        (BOOLEAN, None, 1, True),
        (COLORS, None, 7, 7),
        (VARIABLE_TEXT, None, "hello", "hello"),
        (VARIABLE_TEXT, [2], ["x", "yy"], ["x", "yy"]),
        (fixed_text(5), None, "fixed and more", "fixed"),
        (compound_of(r="H5T_IEEE_F64LE", i="H5T_IEEE_F64LE"), None, [1, 2.0], [1.0, 2.0]),
        (compound_of(a=INT, b="H5T_IEEE_F64LE", s=VARIABLE_TEXT), None, [1, 2.5, "zz"], [1, 2.5, "zz"]),
        (OBJECT_REFERENCE, None, DATASET, DATASET),
        (vlen_of(OBJECT_REFERENCE), 2, [[f"datasets/{DATASET}"], []], [[f"datasets/{DATASET}"], []]),
        (REGION_REFERENCE, None, {"id": DATASET}, {"id": DATASET[2:]}),
        (OPAQUE, None, "AQID", "AQID"),
        (OPAQUE, [2], ["AQID", ""], ["AQID", ""]),
    ],
)
def test_values(json: Any, shape: Any, value: Any, expected: Any) -> None:
    attribute = stored(json, value, shape)
    assert same(attribute["value"], expected) or attribute["value"] == expected
    assert attribute["type"] == json
    assert "encoding" not in attribute


@pytest.mark.parametrize(
    ("json", "shape", "value", "expected"),
    [
        (INT, None, "KgAAAA==", 42),
        (INT, [2], "KgAAAAEAAAA=", [42, 1]),
        (fixed_text(3), None, "YWJj", "abc"),
        (OPAQUE, None, "AQID", "AQID"),
        (OPAQUE, None, "", ""),
        (OPAQUE, [2], ["AQID", ""], ["AQID", ""]),
        (OPAQUE, [2], "AQIDAAAA", ["AQID", ""]),
    ],
)
def test_base64_is_stored_as_values(json: Any, shape: Any, value: Any, expected: Any) -> None:
    attribute = stored(json, value, shape, encoding="base64")
    assert same(attribute["value"], expected)
    assert "encoding" not in attribute


def test_bytes_without_json_stay_base64() -> None:
    attribute = stored(fixed_text(2), "/v8=", encoding="base64")
    assert (attribute["value"], attribute["encoding"]) == ("/v8=", "base64")
    assert bytes(attribute_value_bytes(attribute)) == b"\xfe\xff"
    again = normalize_attribute(present_attribute("a", attribute), now=NOW)
    assert equal_attributes(attribute, again)


@pytest.mark.parametrize(
    ("json", "shape", "value"),
    [
        (VARIABLE_TEXT, None, "caf\udce9"),  # how h5py hands on text that is not UTF-8
        (fixed_text(4), [2], ["caf\udce9", ""]),
        (vlen_of(fixed_text(2)), [1], [["\udcb5m", "s"]]),
        (compound_of(t=VARIABLE_TEXT, n=INT), None, ["\udcb5", 1]),
    ],
)
def test_text_that_is_no_utf8_is_kept_as_json_had_it(json: Any, shape: Any, value: Any) -> None:
    attribute = stored(json, value, shape)
    assert attribute["value"] == value
    assert "encoding" not in attribute
    assert loads(dumps(attribute)) == attribute
    assert equal_attributes(attribute, normalize_attribute(present_attribute("a", attribute), now=NOW))
    in_binary = attribute_value_bytes(attribute)
    assert (b"\xe9" in bytes(in_binary)) or (b"\xb5" in bytes(in_binary))
    in_base64 = stored(json, to_base64(in_binary), shape, encoding="base64")
    assert in_base64["encoding"] == "base64"
    assert bytes(attribute_value_bytes(in_base64)) == bytes(in_binary)
    assert not equal_attributes(attribute, in_base64)  # who writes it in the other form wants that one shown


def test_what_was_kept_as_json_is_base64_once_written_in_binary() -> None:
    attribute = attribute_from_bytes(stored(fixed_text(2), "\udcfe"), b"\xfe\xff")
    assert (attribute["value"], attribute["encoding"]) == ("/v8=", "base64")
    assert "encoding" not in attribute_from_bytes(attribute, b"ab")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"value": 5},
        {"type": "float"},
        {"type": INT, "shape": "H5S_NULL", "value": 5},
        {"type": INT, "shape": {"class": "H5S_SCALAR", "dims": [1]}},
        {"type": INT, "shape": {"class": "H5S_NULL", "dims": []}},
        {"type": INT, "shape": {"class": "H5S_SIMPLE"}},
        {"type": INT, "shape": {"dims": [3]}},
        {"type": INT, "shape": "round"},
        {"type": INT, "shape": [-1]},
        {"type": INT, "shape": [1.5]},
        {"type": INT, "shape": [2**40]},
        {"type": INT, "shape": [2], "value": [1, 2, 3]},
        {"type": INT, "value": "text"},
        {"type": INT, "value": "KgAA", "encoding": "base64"},
        {"type": INT, "value": 5, "encoding": "base64"},
        {"type": INT, "value": 5, "encoding": "hex"},
        {"type": VARIABLE_TEXT, "value": "KgAA", "encoding": "base64"},
        {"type": OPAQUE, "shape": [2], "value": "AQID", "encoding": "base64"},
    ],
)
def test_what_is_no_attribute_is_refused_in_one_line(body: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        normalize_attribute(body, now=NOW)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("offset", "kept"), [(-5, True), (100, True), (-20, False), (299, True), (301, False), (-301, False)]
)
def test_a_believable_time_is_kept(offset: float, kept: bool) -> None:
    created = NOW + offset + 1e-6
    assert stored(INT, 1, created=created)["created"] == (created if kept else NOW)


@pytest.mark.parametrize("created", [None, "now", True, math.nan, math.inf])
def test_what_is_no_time_is_replaced(created: Any) -> None:
    assert stored(INT, 1, created=created)["created"] == NOW


def test_the_window_can_be_chosen() -> None:
    body = {"type": INT, "created": NOW - 100}
    assert normalize_attribute(body, now=NOW, predate_max_time=200)["created"] == NOW - 100
    assert normalize_attribute(body, now=NOW, predate_max_time=200, max_timestamp_drift=50)["created"] == NOW


@given(typed_values())
def test_an_attribute_sent_back_is_equal(case: tuple[Datatype, Dims, Any]) -> None:
    datatype, dims, value = case
    attribute = stored(datatype.json, value, list(dims))
    shown = present_attribute("a", attribute)
    again = normalize_attribute(shown, now=NOW + 1)
    assert equal_attributes(attribute, again)
    assert equal_attributes(again, attribute)
    assert attribute_value_array(attribute).shape == (*dims, *datatype.dtype.shape)
    if not datatype.variable:
        data = bytes(attribute_value_bytes(attribute))
        assert equal_attributes(attribute, attribute_from_bytes(attribute, data))
        encoded = present_attribute("a", attribute, encoding="base64")
        assert base64.b64decode(encoded["value"]) == data
        assert equal_attributes(attribute, normalize_attribute(encoded, now=NOW))


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (stored(INT, 1), stored("H5T_STD_I32LE", 1), True),
        (stored(INT, 1), stored(INT, 2), False),
        (stored(INT, 1), stored(INT, 1, [1]), False),
        (stored(INT, 1), stored("H5T_STD_I64LE", 1), False),
        (stored(INT), stored(INT), True),
        (stored(INT), stored(INT, 0), False),
        (stored(INT, None, "H5S_NULL"), stored(INT, None, "H5S_NULL"), True),
        (stored(INT, None, "H5S_NULL"), stored(INT), False),
        (stored("H5T_IEEE_F64LE", math.nan), stored("H5T_IEEE_F64LE", math.nan), True),
        (stored("H5T_IEEE_F64LE", [1, math.nan], 2), stored("H5T_IEEE_F64LE", [1, float("nan")], 2), True),
        (stored("H5T_IEEE_F64LE", [1, math.nan], 2), stored("H5T_IEEE_F64LE", [math.nan, 1], 2), False),
        (stored("H5T_IEEE_F64LE", 0.0), stored("H5T_IEEE_F64LE", -0.0), True),
        (stored(BOOLEAN, True), stored(BOOLEAN, True) | {"value": 1}, True),
        (stored(BOOLEAN, True), stored(BOOLEAN, True) | {"value": 0}, False),
        (stored(OBJECT_REFERENCE, DATASET), stored(OBJECT_REFERENCE, f"datasets/{DATASET}"), True),
        (stored(OBJECT_REFERENCE, DATASET), stored(OBJECT_REFERENCE, f"groups/{DATASET}"), False),
        (
            stored(compound_of(d=OBJECT_REFERENCE, i=INT), [[DATASET, 0]], [1]),
            stored(compound_of(d=OBJECT_REFERENCE, i=INT), [[f"datasets/{DATASET}", 0]], [1]),
            True,
        ),
        (
            stored(REGION_REFERENCE, {"id": DATASET}) | {"value": {"id": f"datasets/{DATASET}"}},
            stored(REGION_REFERENCE, {"id": DATASET}),
            True,
        ),
        (stored(vlen_of(INT), [1], None) | {"value": 0}, stored(vlen_of(INT), [], None), True),
        (stored(OPAQUE, "AAAA"), stored(OPAQUE, "") | {"value": "AAAA"}, True),
        (
            stored(fixed_text(3), "abc"),
            stored(fixed_text(3), "abc") | {"value": "YWJj", "encoding": "base64"},
            True,
        ),
        ({"foreign": 1, "created": 5}, {"foreign": 1, "created": 6}, True),
        ({"type": INT, "shape": {}, "created": 5}, {"type": INT, "shape": {}, "value": 3}, False),
        (stored(INT, 1) | {"value": "?"}, stored(INT, 1), False),
    ],
)
def test_equality(a: Any, b: Any, equal: bool) -> None:
    assert equal_attributes(a, b) is equal
    assert equal_attributes(b, a) is equal


def test_a_committed_type_keeps_its_id() -> None:
    committed = INT | {"id": "t-b03b24ef-69f244b6-56e5-25125a-89ba79"}
    attribute = stored(committed, 1)
    assert attribute["type"] == committed
    assert equal_attributes(attribute, stored(INT, 1))


def test_unset_values_are_zeros() -> None:
    assert attribute_value_array(stored(INT, None, [2])).tolist() == [0, 0]
    assert bytes(attribute_value_bytes(stored(fixed_text(2)))) == b"\0\0"
    with pytest.raises(InvalidInput, match="null"):
        attribute_value_array(stored(INT, None, "H5S_NULL"))


def test_values_from_bytes() -> None:
    attribute = stored(INT, [1, 2], [2])
    changed = attribute_from_bytes(attribute, np.array([5, 6], "<i4").tobytes())
    assert changed == attribute | {"value": [5, 6]}
    assert attribute["value"] == [1, 2]
    undecodable = attribute_from_bytes(stored(fixed_text(2), "ab"), b"\xfe\xff")
    assert undecodable["encoding"] == "base64"
    assert "encoding" not in attribute_from_bytes(undecodable, b"ab")
    with pytest.raises(InvalidInput, match="8 bytes"):
        attribute_from_bytes(attribute, b"abc")
    with pytest.raises(InvalidInput, match="JSON"):
        attribute_from_bytes(stored(VARIABLE_TEXT, "a"), b"abc")
    with pytest.raises(InvalidInput, match="null"):
        attribute_from_bytes(stored(INT, None, "H5S_NULL"), b"")


def test_present() -> None:
    attribute = stored(INT, [1, 2], [2])
    declared = {"name": "a", "type": INT, "shape": {"class": "H5S_SIMPLE", "dims": [2]}, "created": NOW}
    assert present_attribute("a", attribute) == declared | {"value": [1, 2]}
    assert present_attribute("a", attribute, include_data=False) == declared
    assert present_attribute("a", attribute, max_data_size=7) == declared
    assert present_attribute("a", attribute, max_data_size=8) == declared | {"value": [1, 2]}
    base64_form = present_attribute("a", attribute, encoding="base64")
    assert base64_form == declared | {"value": "AQAAAAIAAAA=", "encoding": "base64"}
    assert present_attribute("n", stored(INT, None, "H5S_NULL"), encoding="base64")["value"] is None
    text = stored(VARIABLE_TEXT, "abc")
    assert present_attribute("t", text, encoding="base64")["value"] == "abc"
    assert "value" not in present_attribute("t", text, max_data_size=511)


@pytest.mark.parametrize(
    "attribute",
    [
        {},
        {"type": "t-unknown", "shape": {"class": "H5S_SCALAR"}, "value": 5},
        {"type": INT, "shape": {}, "value": 5},
        {"type": INT, "shape": None, "value": 5},
        {"type": INT, "shape": {"class": "H5S_SIMPLE"}, "value": "?"},
        {"type": INT, "shape": {"class": "H5S_SCALAR"}, "value": "?", "encoding": "base64"},
        {"type": VARIABLE_TEXT, "shape": {"class": "H5S_SCALAR"}, "value": "\udcff", "created": 1.0},
    ],
)
def test_showing_never_fails(attribute: Any) -> None:
    for encoding in (None, "base64"):
        for size in (0, 3):
            assert dumps(present_attribute("a", attribute, encoding=encoding, max_data_size=size))
