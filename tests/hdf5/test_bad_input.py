"""Whatever JSON or bytes arrive, the answer is a value or InvalidInput of one line, never another error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed import REGION_REFERENCE, all_types, dimensions

from hsds.errors import InvalidInput
from hsds.hdf5 import binary
from hsds.hdf5.attribute import (
    attribute_value_array,
    equal_attributes,
    normalize_attribute,
    present_attribute,
)
from hsds.hdf5.fill import parse_fill
from hsds.hdf5.jsonvalue import dumps, from_json, to_json
from hsds.hdf5.link import equal_links, normalize_link, present_link
from hsds.hdf5.typeparse import parse_datatype

WORDS = """
    class base fields name type dims length size charSet mapping members id h5path file value shape encoding
    base64 select_type selection H5T_COMPOUND H5T_ARRAY H5T_VLEN H5T_STRING H5T_ENUM H5T_VARIABLE H5T_STD_I8LE
    H5S_SIMPLE
"""
words = st.sampled_from(WORDS.split())
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**66), 2**66) | st.floats() | st.text(max_size=5) | words,
    lambda v: st.lists(v, max_size=4) | st.dictionaries(words | st.text(max_size=3), v, max_size=4),
    max_leaves=10,
)
types = all_types | st.just(REGION_REFERENCE)


@contextmanager
def only_invalid_input() -> Iterator[None]:
    reason = "no error"
    try:
        yield
    except InvalidInput as error:
        reason = str(error)
    assert reason
    assert "\n" not in reason


@given(anything)
def test_types(json: Any) -> None:
    with only_invalid_input():
        parse_datatype(json)


@given(types, dimensions, anything)
def test_values(json: Any, dims: tuple[int, ...], value: Any) -> None:
    datatype = parse_datatype(json)
    with only_invalid_input():
        array = from_json(value, datatype, dims)
        dumps(to_json(array, datatype))
        binary.encode(array, datatype)


@given(types, dimensions, st.binary(max_size=40))
def test_bytes(json: Any, dims: tuple[int, ...], data: bytes) -> None:
    datatype = parse_datatype(json)
    with only_invalid_input():
        array = binary.decode(data, datatype, dims)
        assert bytes(binary.encode(array, datatype)) == data
        to_json(array, datatype)


@given(types, st.fixed_dictionaries({}, optional={"fillValue": anything, "fillValue_encoding": anything}))
def test_fill_values(json: Any, properties: dict[str, Any]) -> None:
    with only_invalid_input():
        parse_fill(properties, parse_datatype(json))


@given(
    st.fixed_dictionaries(
        {"type": types | anything},
        optional={"shape": anything | dimensions.map(list), "value": anything, "encoding": anything},
    ),
    anything,
)
def test_attributes(body: Any, value: Any) -> None:
    with only_invalid_input():
        attribute = normalize_attribute(body, now=1.0)
        assert equal_attributes(attribute, normalize_attribute(present_attribute("a", attribute), now=2.0))
        foreign = attribute | {"value": value}
        assert equal_attributes(foreign, attribute) in (True, False)
        dumps(present_attribute("a", foreign, encoding="base64", max_data_size=5))
        attribute_value_array(foreign)


@given(st.dictionaries(words, anything) | anything)
def test_links(body: Any) -> None:
    with only_invalid_input():
        normalize_link(body, now=1.0)
    if isinstance(body, dict):
        dumps(present_link("t", body))
        assert equal_links(body, body) in (True, False)


def test_text_with_line_breaks_makes_no_reason_with_line_breaks() -> None:
    for json in ("a\nb", {"class": "a\nb"}, {"class": "H5T_INTEGER", "base": "a\r\nb"}):
        with pytest.raises(InvalidInput) as caught:
            parse_datatype(json)
        assert not {"\r", "\n"} & set(str(caught.value))
