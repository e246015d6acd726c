"""Queries over arrays: the mask of every kind of type, and a plain-Python oracle."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsds.errors import InvalidInput
from hsds.hdf5.query import match_record, parse_query


@dataclass
class FakeType:
    """What a query needs of a datatype."""

    dtype: np.dtype[Any]
    json: dict[str, Any] = field(default_factory=dict)


def mask(text: str, array: np.ndarray[Any, Any]) -> list[Any]:
    found = parse_query(text, FakeType(array.dtype)).mask(array)
    assert found.dtype == bool
    assert found.shape == array.shape
    return np.flatnonzero(found).tolist()


STOCK = np.array(
    [(b"AAPL", 10, 1.5, True), (b"MSFT", 30, np.nan, False), (b"open", -4, 0.1, True), (b"", 12, 7.0, False)],
    dtype=[("sym", "S4"), ("open", "<i4"), ("close", ">f4"), ("up", "?")],
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("open > 10", [1, 3]),
        ("10 < open", [1, 3]),
        ("12 >= open AND open >= 10", [0, 3]),
        ("open > 9.5 & open < 12", [0]),
        ("sym == b'AAPL'", [0]),
        ("sym == 'AAPL' OR sym == MSFT", [0, 1]),
        ("'sym' == 'AAPL'", [0]),
        ("b'AAPL' == sym", [0]),
        ("sym == open", [2]),  # fields of other kinds do not compare, so the word is text
        ("open < close", [2]),
        ("close > open", [2]),
        ("open == open", [0, 1, 2, 3]),
        ("FIELD(open) = FIELD('open')", [0, 1, 2, 3]),
        ("close == 0.1", [2]),
        ("close != 1.5", [1, 2, 3]),
        ("close.is_null()", [1]),
        ("close.is_valid() & up == TRUE", [0, 2]),
        ("~(close > 1)", [1, 2]),
        ("up = false", [1, 3]),
        ("up > 0", [0, 2]),
        ("open.isin(10, 12.0, 12.5)", [0, 3]),
        ("open not in (10)", [1, 2, 3]),
        ("where sym in (b'AAPL', 'open', 'none')", [0, 2]),
        ("open < 12 where sym in (b'AAPL', b'MSFT')", [0]),
        ("open == 'AAPL'", []),
        ("open != 'AAPL'", [0, 1, 2, 3]),
        ("sym < 'N'", [0, 1, 3]),
        ("sym.is_null()", []),
    ],
)
def test_compound(text: str, rows: list[int]) -> None:
    assert mask(text, STOCK) == rows


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("volume > 1", "there is no field 'volume'"),
        ("_ > 1", "there is no field '_'"),
        ("field(volume) > 1", "there is no field 'volume'"),
        ("'text' > open2", "there is no field 'text'"),
        ("1 < 2", "a comparison needs a field"),
        ("TRUE == FALSE", "a comparison needs a field"),
        ("1.is_null()", "unexpected '1'"),
        ("TRUE.is_null()", "expected a field, not 'TRUE'"),
        ("open > 'x'", "open is a number and 'x' is text"),
        ("open > FIELD(sym)", "open and sym do not compare"),
    ],
)
def test_faults_are_found_before_any_value_is_read(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=r"^query: .* is not valid: ") as caught:
        parse_query(text, FakeType(STOCK.dtype))
    assert why in str(caught.value)


def test_any_rank() -> None:
    array = np.arange(24, dtype=">u2").reshape(2, 3, 4)
    found = parse_query("_ > 4 AND _ < 7", FakeType(array.dtype)).mask(array)
    assert np.argwhere(found).tolist() == [[0, 1, 1], [0, 1, 2]]
    assert mask("_ == 5", np.array(5)) == [0]
    assert mask("_ == 5", np.zeros((0, 3))) == []


def test_fixed_strings() -> None:
    array = np.array([b"AAPL", b"12", b"", "é".encode()], "S4")
    assert mask("_ == 12", array) == [1]
    assert mask("_ == 'é'", array) == [3]
    assert mask("_ == ''", array) == [2]
    assert mask("_ == AAPLE", array) == []
    assert mask("_.isin(12, AAPL)", array) == [0, 1]
    assert mask("_ == _", array) == [0, 1, 2, 3]


def test_variable_strings() -> None:
    array = np.array([b"AAPL", None, b"", 0, "é".encode(), "é"], object)
    assert mask("_ == AAPL", array) == [0]
    assert mask("_ == ''", array) == [1, 2, 3]
    assert mask("_ in ('é', x)", array) == [4, 5]
    assert mask("_.is_null()", array) == [1, 3]
    assert mask("_ >= 'B'", array) == [4, 5]
    assert mask("_ == _", array) == [0, 1, 2, 3, 4, 5]


def test_complex_numbers_are_equal_or_not() -> None:
    array = np.array([1, 1j, np.nan], "c8")
    assert mask("_ == 1", array) == [0]
    assert mask("_.is_null()", array) == [2]
    with pytest.raises(InvalidInput, match="no order"):
        mask("_ > 1", array)


def test_numbers_that_the_type_cannot_hold() -> None:
    assert mask("_ < 1e300", np.array([1, np.inf, np.nan], "f4")) == [0]
    assert mask("_ == 1e300", np.array([1, np.inf, np.nan], "f4")) == []
    assert mask("_ != 1e300", np.array([1], "c8")) == [0]
    assert mask("_ > -1", np.array([0, 255], "u1")) == [0, 1]
    assert mask("_ < 256", np.array([0, 255], "u1")) == [0, 1]
    assert mask("_ == 1e999", np.array([0, 1])) == []
    assert mask("_ > 9007199254740992.5", np.array([2**53, 2**53 + 1])) == [1]
    assert mask(f"_ == {2**64 - 1}", np.array([2**64 - 1, 0], "u8")) == [0]


@pytest.mark.parametrize(
    "datatype",
    [
        FakeType(np.dtype("V4")),
        FakeType(np.dtype(("i4", (2,)))),
        FakeType(np.dtype([("_", "i4", (2,))])),
        FakeType(np.dtype([("_", [("x", "i4")])])),
        FakeType(np.dtype(object), {"class": "H5T_VLEN", "base": "H5T_STD_I32LE"}),
        FakeType(
            np.dtype([("_", object)]),
            {"class": "H5T_COMPOUND", "fields": [{"name": "_", "type": {"class": "H5T_VLEN"}}]},
        ),
    ],
)
def test_types_without_comparison(datatype: FakeType) -> None:
    with pytest.raises(InvalidInput, match="cannot be compared"):
        parse_query("_ == 1", datatype)


def test_a_query_is_a_value() -> None:
    query = parse_query("sym == AAPL where open in (10)", FakeType(STOCK.dtype))
    assert query == pickle.loads(pickle.dumps(query))
    assert hash(query) == hash(pickle.loads(pickle.dumps(query)))
    assert query.fields == {"sym", "open"}
    assert query.text == "sym == AAPL where open in (10)"


def test_records_of_named_scalars() -> None:
    record = {"attr1": 0.5, "attr2": "b", "n": 3, "ok": True, "odd name": b"x"}
    assert match_record("attr1 > 0.4 AND attr2 != 'c'", record)
    assert match_record("'odd name' == x & ok == TRUE", record)
    assert not match_record("attr1 > 0.6", record)
    assert not match_record("missing > 1", record)
    assert not match_record("~(missing > 1)", record)
    assert not match_record("n > 'text'", record)
    with pytest.raises(InvalidInput, match="is not valid"):
        match_record("attr1 >", record)


# -- the oracle: the same query as text, and as a Python function of one element --

Test = tuple[str, Callable[[Any], bool]]

OPS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "=": "=", "!=": "!="}

near = st.integers(-4, 4)
far = st.sampled_from([0, 2**31, -(2**31), 2**63, 2**63 - 1, -(2**63), 2**64, 2**64 - 1, 2**70]).flatmap(
    lambda base: near.map(lambda step: base + step)
)
quarters = st.builds(lambda whole, part: Fraction(whole * 4 + part, 4), near | far, st.integers(0, 3))


def written(value: Fraction) -> str:
    """A number as decimal text, exactly."""
    whole, part = divmod(abs(value), 1)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}{ {0: '', 1: '.25', 2: '.5', 3: '.75'}[int(part * 4)] }"


def compares(name: str, get: Callable[[Any], Any]) -> st.SearchStrategy[Test]:
    def right(op: str, value: Fraction) -> Test:
        return f"{name} {op} {written(value)}", lambda row: OPS[op](get(row), value)

    def left(op: str, value: Fraction) -> Test:
        return f"{written(value)} {op} {name}", lambda row: OPS[MIRROR[op]](get(row), value)

    def among(values: list[Fraction], form: str) -> Test:
        inside = ", ".join(written(value) for value in values)
        wanted = form != "NOT IN"
        text = f"{name}.isin({inside})" if form == "isin" else f"{name} {form} ({inside})"
        return text, lambda row: (get(row) in values) is wanted

    ops = st.sampled_from(sorted(OPS))
    forms = st.sampled_from(["isin", "IN", "NOT IN", "in"])
    return (
        st.builds(right, ops, quarters)
        | st.builds(left, ops, quarters)
        | st.builds(among, st.lists(quarters, min_size=1, max_size=4), forms)
    )


def texts(name: str, get: Callable[[Any], Any]) -> st.SearchStrategy[Test]:
    def one(op: str, value: str, quote: str) -> Test:
        return f"{name} {op} {quote}{value}{quote[-1]}", lambda row: OPS[op](get(row), value.encode())

    return st.builds(one, st.sampled_from(sorted(OPS)), words, st.sampled_from(["'", '"', "b'"]))


words = st.text("ab1 &|()", max_size=3)


def combined(tests: st.SearchStrategy[Test]) -> st.SearchStrategy[Test]:
    def both(a: Test, b: Test, word: str) -> Test:
        return f"({a[0]}) {word} {b[0]}", lambda row: a[1](row) and b[1](row)

    def either(a: Test, b: Test, word: str) -> Test:
        return f"({a[0]} {word} {b[0]})", lambda row: a[1](row) or b[1](row)

    def neither(a: Test, word: str) -> Test:
        return f"({word} ({a[0]}))", lambda row: not a[1](row)

    return st.recursive(
        tests,
        lambda inner: (
            st.builds(both, inner, tests, st.sampled_from(["AND", "&", "and"]))
            | st.builds(either, inner, inner, st.sampled_from(["OR", "|"]))
            | st.builds(neither, inner, st.sampled_from(["~", "NOT"]))
        ),
        max_leaves=6,
    )


ROW = [("i", "<i8"), ("u", ">u8"), ("b", "i1"), ("s", "S3"), ("v", object)]
rows = st.tuples(
    (near | far).map(lambda n: max(-(2**63), min(n, 2**63 - 1))),
    (near | far).map(lambda n: max(0, min(n, 2**64 - 1))),
    st.integers(-128, 127),
    words.map(lambda text: text.encode()),
    words.map(lambda text: text.encode()),
)
tests = (
    compares("i", lambda row: row[0])
    | compares("u", lambda row: row[1])
    | compares("FIELD(b)", lambda row: row[2])
    | texts("s", lambda row: row[3])
    | texts("'v'", lambda row: row[4])
)


@settings(max_examples=300, deadline=None)
@given(test=combined(tests), values=st.lists(rows, max_size=8))
def test_masks_equal_plain_python(test: Test, values: list[tuple[Any, ...]]) -> None:
    text, matches = test
    array = np.array(values, dtype=ROW)
    assert mask(text, array) == [i for i, row in enumerate(values) if matches(row)], text


@settings(max_examples=200, deadline=None)
@given(
    op=st.sampled_from(sorted(OPS)),
    number=st.floats(allow_nan=False, allow_infinity=False),
    values=st.lists(st.floats(width=32), max_size=8),
    dtype=st.sampled_from(["<f4", ">f8"]),
)
def test_floats_compare_in_their_own_precision(
    op: str, number: float, values: list[float], dtype: str
) -> None:
    array = np.array(values, dtype)
    with np.errstate(over="ignore"):
        rounded = array.dtype.type(number)
    value = float(rounded) if np.isfinite(rounded) else number
    expected = [i for i, element in enumerate(values) if OPS[op](element, value)]
    assert mask(f"_ {op} {number!r}", array) == expected


@settings(max_examples=300, deadline=None)
@given(st.text("ab_1 .()&|~<>='\"\n;é,-", max_size=30))
def test_any_text_is_a_query_or_invalid_input(text: str) -> None:
    array = np.zeros(3, [("a", "i4"), ("b", "S2"), ("_", "f4")])
    with suppress(InvalidInput):
        query = parse_query(text, FakeType(array.dtype))
        assert query.mask(array).shape == (3,)
