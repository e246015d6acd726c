"""Types parse to what numpy and h5json make of them, and keep their JSON."""

from typing import Any

import numpy as np
import pytest
from h5json.hdf5dtype import createDataType
from hypothesis import given
from typed import (
    BOOLEAN,
    COLORS,
    OBJECT_REFERENCE,
    REGION_REFERENCE,
    VARIABLE_TEXT,
    all_types,
    array_of,
    compound_of,
    fixed_nested,
    fixed_text,
    vlen_of,
)

from hsds.errors import InvalidInput
from hsds.hdf5.datatype import Compound, Enum, Integer, RegionReference, has_references
from hsds.hdf5.typeparse import parse_datatype

INT = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}


def test_a_predefined_name_becomes_an_object() -> None:
    datatype = parse_datatype("H5T_STD_I32BE")
    assert datatype.json == {"class": "H5T_INTEGER", "base": "H5T_STD_I32BE"}
    assert datatype.dtype == np.dtype(">i4")


def test_json_is_kept_as_sent() -> None:
    sent = fixed_text(4, "H5T_CSET_UTF8") | {"id": "t-1", "extra": [1]}
    assert parse_datatype(sent).json == sent
    inner = compound_of(a="H5T_STD_I8LE", b=vlen_of("H5T_STD_I32"))
    assert parse_datatype(inner).json == inner


def test_a_base_needs_no_byte_order_but_a_name_alone_does() -> None:
    base = parse_datatype(vlen_of("H5T_STD_U16"))
    assert base.base.dtype == np.dtype("<u2")
    with pytest.raises(InvalidInput, match="predefined"):
        parse_datatype("H5T_STD_U16")


@pytest.mark.parametrize(
    ("json", "dtype", "variable", "itemsize"),
    [
        ("H5T_IEEE_F16LE", "<f2", False, 2),
        (BOOLEAN, "i1", False, 1),
        (COLORS, ">i2", False, 2),
        (OBJECT_REFERENCE, "S48", False, 48),
        (REGION_REFERENCE, "O", True, 128),
        (REGION_REFERENCE | {"length": 80}, "S80", False, 80),
        (REGION_REFERENCE | {"length": "H5T_VARIABLE"}, "O", True, 128),
        ({"class": "H5T_OPAQUE", "size": 7, "tag": "x"}, "V7", False, 7),
        (VARIABLE_TEXT, "O", True, 128),
        (fixed_text(3), "S3", False, 3),
        (vlen_of(INT), "O", True, 128),
        (array_of(array_of(INT, 2), 3), "(3,2)<i4", False, 24),
        (compound_of(a="H5T_STD_I8LE", b=INT), [("a", "i1"), ("b", "<i4")], False, 5),
        (
            compound_of(a=INT, b=VARIABLE_TEXT, c=vlen_of(INT)),
            [("a", "<i4"), ("b", "O"), ("c", "O")],
            True,
            260,
        ),
    ],
)
def test_numpy_mapping(json: Any, dtype: Any, variable: bool, itemsize: int) -> None:
    datatype = parse_datatype(json)
    assert (datatype.dtype, datatype.variable, datatype.itemsize) == (np.dtype(dtype), variable, itemsize)


@pytest.mark.parametrize(
    "json",
    [
        None,
        5,
        "",
        "H5T_STD_I33LE",
        "t-b03b24ef-69f244b6-56e5-25125a-89ba79",
        {},
        {"class": "H5T_TIME"},
        {"class": ["H5T_INTEGER"]},
        {"class": "H5T_INTEGER"},
        {"class": "H5T_INTEGER", "base": "H5T_IEEE_F32LE"},
        {"class": "H5T_INTEGER", "base": 4},
        INT | {"dims": [3]},
        {"class": "H5T_STRING", "length": 4},
        {"class": "H5T_STRING", "charSet": "H5T_CSET_ASCII"},
        fixed_text(0),
        fixed_text(2**31),
        fixed_text(True),
        fixed_text(4, "latin1"),
        fixed_text(4) | {"strPad": "left"},
        {"class": "H5T_OPAQUE"},
        {"class": "H5T_OPAQUE", "size": 0},
        {"class": "H5T_ARRAY", "base": INT},
        array_of(INT),
        array_of(INT, 0),
        array_of(INT, -1),
        array_of(INT, *[1] * 33),
        array_of(INT, 2**20, 2**20),
        {"class": "H5T_ENUM", "base": INT},
        {"class": "H5T_ENUM", "base": INT, "mapping": {}},
        {"class": "H5T_ENUM", "base": INT, "mapping": {"A": "b"}},
        {"class": "H5T_ENUM", "base": INT, "members": [{"name": "A"}]},
        {"class": "H5T_ENUM", "base": INT, "members": [1]},
        {"class": "H5T_ENUM", "base": "H5T_IEEE_F32LE", "mapping": {"A": 1}},
        {"class": "H5T_REFERENCE"},
        {"class": "H5T_REFERENCE", "base": "H5T_STD_I8LE"},
        {"class": "H5T_COMPOUND"},
        {"class": "H5T_COMPOUND", "fields": []},
        {"class": "H5T_COMPOUND", "fields": [5]},
        {"class": "H5T_COMPOUND", "fields": [{"name": "a"}]},
        {"class": "H5T_COMPOUND", "fields": [{"type": INT}]},
        {"class": "H5T_COMPOUND", "fields": [{"name": "ä", "type": INT}]},
        {"class": "H5T_COMPOUND", "fields": [{"name": "a", "type": INT}, {"name": "a", "type": INT}]},
        {"class": "H5T_INTEGER", "base": {1, 2}},
        {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE", "size": 2**70},
    ],
)
def test_what_is_no_type_is_refused_in_one_line(json: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_datatype(json)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_nesting_has_a_limit() -> None:
    json: Any = INT
    for _ in range(40):
        json = vlen_of(json)
    with pytest.raises(InvalidInput, match="deep"):
        parse_datatype(json)
    for _ in range(1000):
        json = vlen_of(json)
    with pytest.raises(InvalidInput):
        parse_datatype(json)


def test_the_same_json_gives_the_same_type() -> None:
    assert parse_datatype(dict(INT)) is parse_datatype(dict(INT))


def test_equality_is_by_meaning() -> None:
    by_mapping = {"class": "H5T_ENUM", "base": COLORS["base"], "mapping": {"BLUE": 7, "RED": 1}}
    assert parse_datatype(COLORS) == parse_datatype(by_mapping)
    assert parse_datatype(INT | {"id": "t-1"}) == parse_datatype("H5T_STD_I32LE")
    assert parse_datatype(INT) != parse_datatype("H5T_STD_I32BE")
    assert parse_datatype(fixed_text(4)) != parse_datatype(fixed_text(4, "H5T_CSET_UTF8"))


def test_only_int8_false_true_is_boolean() -> None:
    datatype = parse_datatype(BOOLEAN)
    assert isinstance(datatype, Enum)
    assert datatype.boolean
    other = parse_datatype(BOOLEAN | {"base": "H5T_STD_I16LE"})
    assert isinstance(other, Enum)
    assert not other.boolean


def test_references_are_found_within() -> None:
    assert has_references(parse_datatype(vlen_of(compound_of(a=INT, b=OBJECT_REFERENCE))))
    assert not has_references(parse_datatype(vlen_of(compound_of(a=INT))))
    assert isinstance(parse_datatype(REGION_REFERENCE), RegionReference)
    assert isinstance(parse_datatype(INT), Integer)


@given(fixed_nested)
def test_sizes_are_h5jsons(json: Any) -> None:
    datatype = parse_datatype(json)
    assert datatype.itemsize == datatype.dtype.itemsize
    try:
        theirs = createDataType(json)
    except TypeError:  # arrays of enumerations, opaque elements or references
        return
    assert datatype.itemsize == theirs.itemsize


@given(all_types)
def test_every_type_is_consistent(json: Any) -> None:
    datatype = parse_datatype(json)
    assert datatype.variable == datatype.dtype.hasobject
    assert parse_datatype(datatype.json) == datatype
    if isinstance(datatype, Compound):
        assert datatype.names == datatype.dtype.names
