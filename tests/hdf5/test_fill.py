"""Fill values and initialisers: what was never written."""

import math
from typing import Any

import numpy as np
import pytest
from typed import (
    BOOLEAN,
    OBJECT_REFERENCE,
    REGION_REFERENCE,
    VARIABLE_TEXT,
    array_of,
    compound_of,
    fixed_text,
    vlen_of,
)

from hsds.errors import InvalidInput, NotSupported
from hsds.hdf5.fill import full, parse_fill
from hsds.hdf5.initializer import parse_initializer
from hsds.hdf5.jsonvalue import to_json
from hsds.hdf5.typeparse import parse_datatype

PAIR = compound_of(x="H5T_STD_I32LE", y=fixed_text(2))


@pytest.mark.parametrize(
    ("json", "properties", "expected"),
    [
        ("H5T_STD_I32LE", {}, 0),
        ("H5T_STD_I32LE", {"fillValue": None}, 0),
        ("H5T_STD_I32LE", {"fillValue": 0}, 0),
        ("H5T_STD_I32BE", {"fillValue": 7}, 7),
        ("H5T_STD_I32BE", {"fillValue": "AAAABw==", "fillValue_encoding": "base64"}, 7),
        ("H5T_IEEE_F32LE", {"fillValue": "nan"}, math.nan),
        ("H5T_IEEE_F32LE", {"fillValue": "nan", "fillValue_encoding": "None"}, math.nan),
        ("H5T_IEEE_F64LE", {"fillValue": math.nan}, math.nan),
        ("H5T_IEEE_F64LE", {"fillValue": "AAAAAAAA+H8=", "fillValue_encoding": "base64"}, math.nan),
        (BOOLEAN, {"fillValue": True}, True),
        (fixed_text(5), {"fillValue": "ab"}, "ab"),
        (VARIABLE_TEXT, {"fillValue": "abc"}, "abc"),
        (VARIABLE_TEXT, {"fillValue": ""}, ""),
        (vlen_of("H5T_STD_I8LE"), {"fillValue": [1, 2]}, [1, 2]),
        (OBJECT_REFERENCE, {"fillValue": ""}, ""),
        (REGION_REFERENCE, {}, None),
        (PAIR, {"fillValue": [5, "x"]}, [5, "x"]),
        (PAIR, {"fillValue": 0}, [0, ""]),
        (array_of("H5T_STD_I8LE", 2), {"fillValue": 3}, [3, 3]),
        (array_of("H5T_STD_I8LE", 2), {"fillValue": [3, 4]}, [3, 4]),
    ],
)
def test_every_element_has_the_fill_value(json: Any, properties: dict[str, Any], expected: Any) -> None:
    datatype = parse_datatype(json)
    array = full((2, 2), datatype, parse_fill(properties, datatype))
    assert array.shape == (2, 2, *datatype.dtype.shape)
    assert repr(to_json(array, datatype)) == repr([[expected] * 2] * 2)
    assert array.flags.writeable


@pytest.mark.parametrize(
    ("json", "properties"),
    [
        ("H5T_STD_I32LE", {"fillValue": math.nan}),
        ("H5T_STD_I32LE", {"fillValue": "nan"}),
        ("H5T_STD_I32LE", {"fillValue": [1, 2]}),
        ("H5T_STD_I32LE", {"fillValue": 2**40}),
        ("H5T_STD_I32LE", {"fillValue": "AAA=", "fillValue_encoding": "base64"}),
        ("H5T_STD_I32LE", {"fillValue": "AA", "fillValue_encoding": "base64"}),
        ("H5T_STD_I32LE", {"fillValue": 7, "fillValue_encoding": "base64"}),
        ("H5T_STD_I32LE", {"fillValue": "7", "fillValue_encoding": "hex"}),
        (PAIR, {"fillValue": [5]}),
        (PAIR, {"fillValue": 5}),
        (array_of("H5T_STD_I32LE", 2**28), {"fillValue": 5}),
    ],
)
def test_what_is_no_fill_value(json: Any, properties: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="fillValue"):
        parse_fill(properties, parse_datatype(json))


def test_zeros_are_no_fill_value() -> None:
    assert parse_fill({"fillValue": 0}, parse_datatype("H5T_STD_I32LE")) is None
    assert parse_fill({"fillValue": -0.0}, parse_datatype("H5T_IEEE_F32LE")) is not None


@pytest.mark.parametrize(
    ("json", "words", "expected"),
    [
        ("H5T_STD_I64LE", ["arange", "--start=10", "--step=2"], [16, 18, 20, 22]),
        ("H5T_STD_I64BE", ["arange"], [3, 4, 5, 6]),
        ("H5T_STD_I16LE", ["arange", "--step=-1"], [-3, -4, -5, -6]),
        ("H5T_STD_U8LE", ["arange", "--start=254"], [1, 2, 3, 4]),
        ("H5T_STD_U64LE", ["arange", "--start=18446744073709551612"], [2**64 - 1, 0, 1, 2]),
        ("H5T_STD_I32LE", ["arange", "--step=0.5"], [1, 2, 2, 3]),
        ("H5T_IEEE_F32LE", ["arange", "--start=0.5", "--step=1"], [3.5, 4.5, 5.5, 6.5]),
    ],
)
def test_arange(json: str, words: list[str], expected: list[Any]) -> None:
    datatype = parse_datatype(json)
    initializer = parse_initializer({"initializer": words}, datatype, 1)
    assert initializer is not None
    chunk = initializer.chunk((3,), (4,))
    assert chunk.dtype == datatype.dtype
    assert chunk.tolist() == expected


def test_no_initializer() -> None:
    assert parse_initializer({}, parse_datatype(PAIR), 2) is None


def test_the_chunk_locator_is_known_but_does_not_run() -> None:
    words = ["chunklocator", "--h5path=/d", "--filepath=f.h5", "--bucket=b"]
    initializer = parse_initializer({"initializer": words}, parse_datatype(PAIR), 2)
    assert initializer is not None
    with pytest.raises(NotSupported, match="chunklocator"):
        initializer.chunk((0, 0), (1, 1))


@pytest.mark.parametrize(
    ("words", "rank"),
    [
        ("arange", 1),
        ([], 1),
        ([5], 1),
        (["random"], 1),
        (["arange"], 2),
        (["arange", "--stop=5"], 1),
        (["arange", "--start=x"], 1),
        (["arange", "--start=nan"], 1),
        (["arange", "--step"], 1),
    ],
)
def test_what_is_no_initializer(words: Any, rank: int) -> None:
    with pytest.raises(InvalidInput, match="initializer"):
        parse_initializer({"initializer": words}, parse_datatype("H5T_STD_I8LE"), rank)


def test_arange_needs_numbers() -> None:
    for json in (PAIR, VARIABLE_TEXT, BOOLEAN):
        with pytest.raises(InvalidInput):
            parse_initializer({"initializer": ["arange"]}, parse_datatype(json), 1)


def test_a_fill_value_is_not_shared() -> None:
    datatype = parse_datatype("H5T_STD_I32LE")
    fill = parse_fill({"fillValue": 7}, datatype)
    first = full((3,), datatype, fill)
    first[0] = 1
    assert full((3,), datatype, fill).tolist() == [7, 7, 7]
    assert np.shares_memory(first, full((3,), datatype, fill)) is False
