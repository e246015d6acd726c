"""JSON text with NaN and infinities is written and read exactly."""

import gc
import json
import math
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed import same

from hsds.errors import InvalidInput
from hsds.hdf5.jsontext import MAX_NESTING, check_nesting, dumps, loads

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=3),
    max_leaves=12,
)


def same_tree(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_tree(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_tree, a, b))
    return same(a, b)


@given(values)
def test_python_reads_what_we_write(value: Any) -> None:
    assert same_tree(json.loads(dumps(value)), value)


@given(values)
def test_we_read_what_python_writes(value: Any) -> None:
    small = json.loads(json.dumps(value), parse_int=lambda text: int(text) % 2**53)
    assert same_tree(loads(json.dumps(small).encode()), small)


@given(values)
def test_with_ignore_nan_it_is_strict_json(value: Any) -> None:
    text = dumps(value, ignore_nan=True)
    assert b"NaN" not in orjson.dumps(orjson.loads(text)) or "NaN" in repr(value)


def test_bare_tokens() -> None:
    assert dumps([math.nan, math.inf, -math.inf, None]) == b"[NaN,Infinity,-Infinity,null]"
    assert dumps([math.nan, math.inf, -math.inf, None], ignore_nan=True) == b"[null,null,null,null]"
    assert same(loads(b"[NaN, Infinity, -Infinity]"), [math.nan, math.inf, -math.inf])


def test_arrays_and_scalars_of_numpy() -> None:
    assert dumps({"a": np.arange(3), "b": np.array([1.5, math.nan]), "c": None}) == (
        b'{"a":[0,1,2],"b":[1.5,NaN],"c":null}'
    )
    assert dumps({"n": np.float64(math.nan)}) == b'{"n":NaN}'


def test_what_orjson_does_not_know() -> None:
    fragment = orjson.Fragment(b"[NaN]")
    text = dumps({"big": 2**70, "lone": "\udcff", "part": fragment, "x": math.nan})
    assert text == b'{"big":1180591620717411303424,"lone":"\\udcff","part":[NaN],"x":NaN}'
    assert (
        dumps({"big": 2**70, "x": [math.nan]}, ignore_nan=True)
        == b'{"big":1180591620717411303424,"x":[null]}'
    )
    assert loads(b'"\\udcff"') == "\udcff"


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"nan", b"\xff", b"[" * 100_000, "NaN NaN"])
def test_what_is_no_json_is_refused_in_one_line(text: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        loads(text)
    assert "\n" not in str(caught.value)


@pytest.fixture
def collections():
    """Garbage collections that began, by generation."""
    found = []

    def began(phase, info):
        if phase == "start":
            found.append(info["generation"])

    gc.callbacks.append(began)
    yield found
    gc.callbacks.remove(began)


def test_large_text_is_parsed_without_garbage_collection(collections):
    text = json.dumps([[i, [i]] for i in range(40_000)]).encode()
    orjson.loads(text)
    assert len(collections) > 50, "else there is nothing to be seen here"
    collections.clear()
    value = loads(text)
    during = list(collections)
    assert value[-1] == [39_999, [39_999]]
    assert len(during) <= 2, "one may begin before, and one after"
    assert gc.isenabled()


@pytest.mark.parametrize(
    "text", [b"[" * 300_000, b"[" + b" " * 300_000 + b"1,]", b"[NaN" + b" " * 300_000 + b"]"]
)
@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_afterwards_as_before(text, collects):
    if not collects:
        gc.disable()
    try:
        with suppress(InvalidInput):
            loads(text)
        assert gc.isenabled() is collects
    finally:
        gc.enable()


@pytest.mark.parametrize("part", ["[%s]", '{"a":%s}', '[1,{"b":2,"a":%s},[3]]'])
def test_nesting_is_counted_from_the_request_on(part):
    each = 1 + part.startswith("[1")
    text = "1"
    for _ in range((MAX_NESTING - 1) // each):
        text = part % text
    check_nesting({"x": loads(text), "value": 1})
    for request in ({"x": loads(part % text)}, [{"x": loads(part % text)}], [[1, loads(part % text)]]):
        with pytest.raises(InvalidInput, match=f"deeper than {MAX_NESTING}"):
            check_nesting(request)


def test_the_value_of_a_request_is_not_looked_into():
    deep = loads("[" * 1000 + "]" * 1000)
    check_nesting({"value": deep})
    check_nesting([{"value": deep}, {"value": deep}])
    for request in (deep, {"values": deep}, {"x": {"value": deep}}, [[{"value": deep}]]):
        with pytest.raises(InvalidInput, match="nested"):
            check_nesting(request)


@pytest.mark.parametrize("plain", [None, True, 1, 1.5, "text", [], {}, [1, None], [[], {}]])
def test_what_is_hardly_nested_passes(plain):
    check_nesting(plain)
