"""Binary form: values of all types come back, and are the bytes that h5json writes."""

import base64
import math
from typing import Any

import numpy as np
import pytest
from h5json.array_util import arrayToBytes, bytesToArray, jsonToArray
from h5json.hdf5dtype import createDataType
from hypothesis import given
from hypothesis import strategies as st
from typed import (
    VARIABLE_TEXT,
    Dims,
    array_of,
    compound_of,
    fixed_nested,
    numbers,
    same,
    typed_values,
    vlen_of,
)

from hsds.errors import InvalidInput
from hsds.hdf5 import binary, vlen
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsonvalue import from_json, to_json
from hsds.hdf5.typeparse import parse_datatype

INT32 = parse_datatype("H5T_STD_I32LE")
TEXT = parse_datatype(VARIABLE_TEXT)

# What h5json can encode: no compounds of one member, no arrays beside variable members.
plain = numbers | st.just(VARIABLE_TEXT) | numbers.map(vlen_of)
h5json_types = plain | st.dictionaries(st.sampled_from("abcd"), plain, min_size=2, max_size=4).map(
    lambda fields: compound_of(**fields)
)


@given(typed_values())
def test_round_trip(case: tuple[Datatype, Dims, Any]) -> None:
    datatype, dims, value = case
    data = bytes(binary.encode(from_json(value, datatype, dims), datatype))
    again = binary.decode(data, datatype, dims)
    assert again.dtype == datatype.dtype.base
    assert again.shape == (*dims, *datatype.dtype.shape)
    assert same(to_json(again, datatype), to_json(from_json(value, datatype, dims), datatype))
    assert bytes(binary.encode(again, datatype)) == data


@given(typed_values(h5json_types))
def test_bytes_are_h5jsons(case: tuple[Datatype, Dims, Any]) -> None:
    datatype, dims, value = case
    array = from_json(value, datatype, dims)
    theirs = createDataType(datatype.json)
    reference = np.zeros(dims, dtype=theirs)
    for index in np.ndindex(*dims):
        item = array[index] if dims else array[()]
        reference[index] = tuple(item) if datatype.dtype.names else item
    if 0 not in dims:
        assert bytes(binary.encode(array, datatype)) == arrayToBytes(reference)


@given(typed_values(fixed_nested))
def test_fixed_types_are_the_memory_of_the_array(case: tuple[Datatype, Dims, Any]) -> None:
    datatype, dims, value = case
    array = from_json(value, datatype, dims)
    assert bytes(binary.encode(array, datatype)) == array.tobytes()


def test_no_copy_of_fixed_types() -> None:
    array = np.arange(6, dtype="<i4").reshape(2, 3)
    view = binary.encode(array, INT32)
    array[0, 0] = 7
    assert view[0] == 7
    data = bytearray(view)
    decoded = binary.decode(data, INT32, (2, 3))
    data[0] = 9
    assert decoded[0, 0] == 9


def test_strided_and_foreign_arrays_are_packed() -> None:
    array = np.arange(10, dtype=">i8")[::3]
    assert bytes(binary.encode(array, INT32)) == np.array([0, 3, 6, 9], "<i4").tobytes()


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_fixed_types_need_exactly_their_bytes(size: int) -> None:
    with pytest.raises(InvalidInput, match="12 bytes"):
        binary.decode(bytes(size), INT32, (3,))


def test_base64() -> None:
    assert binary.decode_base64("AQAAAA==", INT32, ()).item() == 1
    for wrong in ("AQAAAA", "ä", None, "AQAAAAA="):
        with pytest.raises(InvalidInput):
            binary.decode_base64(wrong, INT32, ())
    assert binary.to_base64(memoryview(b"\xfe\xff")) == base64.b64encode(b"\xfe\xff").decode()


def test_documented_bytes() -> None:
    sequences = parse_datatype(vlen_of("H5T_STD_U16LE"))
    data = bytes.fromhex("02000000010004000000" + "01000200")
    assert to_json(binary.decode(data, sequences, (2,)), sequences) == [[1], [1, 2]]
    record = parse_datatype(compound_of(a="H5T_STD_I32LE", s=VARIABLE_TEXT, v=vlen_of("H5T_STD_I16LE")))
    data = bytes.fromhex("010000000300000068c3a90400000001000200" + "020000000000000000000000")
    assert to_json(binary.decode(data, record, (2,)), record) == [[1, "hé", [1, 2]], [2, "", []]]
    assert binary.encode(binary.decode(data, record, (2,)), record) == data


def test_unset_elements_have_count_zero() -> None:
    for array in (np.zeros(2, object), np.full(2, None), np.array([b"", b""], object)):
        assert binary.encode(array, TEXT) == bytes(8)
    sequences = parse_datatype(vlen_of("H5T_STD_U16LE"))
    assert binary.encode(np.zeros(2, object), sequences) == bytes(8)
    assert [len(item) for item in binary.decode(bytes(8), sequences, (2,))] == [0, 0]
    assert binary.decode(bytes(8), TEXT, (2,)).tolist() == [b"", b""]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1\0\0\0",
        b"\1\0\0\0a",
        b"\1\0\0\0ab\0\0",
        b"\xff\xff\xff\xffabcd",
        b"\0\0\0\0" * 3,
        b"\x05\0\0\0abc\0\0",
    ],
)
def test_malformed_variable_data(data: bytes) -> None:
    for dims in ((2,), (1, 2)):
        with pytest.raises(InvalidInput):
            binary.decode(data, TEXT, dims)


def test_a_sequence_has_whole_elements() -> None:
    with pytest.raises(InvalidInput, match="4 bytes"):
        binary.decode(b"\3\0\0\0abc", parse_datatype(vlen_of("H5T_STD_I32LE")), (1,))


def test_elements_have_a_limit() -> None:
    most = np.array([b"x" * vlen.MAX_ELEMENT, b""], object)
    assert binary.decode(binary.encode(most, TEXT), TEXT, (2,)).tolist() == most.tolist()
    for items in ([b"x" * (vlen.MAX_ELEMENT + 1), b"a"], [b"x" * (vlen.MAX_ELEMENT + 1)]):
        with pytest.raises(InvalidInput, match="at most"):
            binary.encode(np.array(items, object), TEXT)
        data = b"".join(len(item).to_bytes(4, "little") + item for item in items)
        with pytest.raises(InvalidInput, match="at most"):
            binary.decode(data, TEXT, (len(items),))


def test_a_huge_count_of_elements_takes_no_memory() -> None:
    with pytest.raises(InvalidInput, match="short"):
        binary.decode(b"abcd", TEXT, (10**12,))


def test_sequences_of_sequences_have_no_binary_form() -> None:
    for base in (VARIABLE_TEXT, vlen_of("H5T_STD_I8LE")):
        datatype = parse_datatype(vlen_of(base))
        assert binary.encode(np.zeros(2, object), datatype) == bytes(8)
        assert [len(item) for item in binary.decode(bytes(8), datatype, (2,))] == [0, 0]
        with pytest.raises(InvalidInput, match="not defined"):
            binary.encode(from_json([["a"] if base is VARIABLE_TEXT else [[1]]], datatype, (1,)), datatype)
        with pytest.raises(InvalidInput, match="not defined"):
            binary.decode(b"\4\0\0\0\0\0\0\0", datatype, (1,))


def test_sequences_of_records_are_h5jsons() -> None:
    json = vlen_of(compound_of(n="H5T_STD_I32LE", s=VARIABLE_TEXT))
    datatype = parse_datatype(json)
    value = [[[1, "a"], [2, "bcd"]], [], [[3, ""]]]
    array = from_json(value, datatype, (3,))
    theirs = arrayToBytes(jsonToArray((3,), createDataType(json), value))
    assert binary.encode(array, datatype) == theirs
    back = bytesToArray(binary.encode(array, datatype), createDataType(json), (3,))
    assert [tuple(record) for record in back[0]] == [(1, "a"), (2, "bcd")]
    assert back[1] == 0


def test_arrays_of_text_within_a_record() -> None:
    datatype = parse_datatype(compound_of(t=array_of(VARIABLE_TEXT, 2), n="H5T_IEEE_F32LE"))
    array = from_json([["a", "bc"], math.inf], datatype, ())
    assert binary.encode(array, datatype) == b"\1\0\0\0a\2\0\0\0bc" + np.float32(math.inf).tobytes()
