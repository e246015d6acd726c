"""Hypothesis strategies shared by the tests of types and values: a type, and JSON values of it."""

import base64
import string
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hsds.hdf5.datatype import (
    Array,
    Compound,
    Datatype,
    Enum,
    FixedString,
    Float,
    Integer,
    ObjectReference,
    Opaque,
    VariableString,
    Vlen,
)
from hsds.hdf5.typeparse import parse_datatype

Dims = tuple[int, ...]

VARIABLE_TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}
BOOLEAN = {
    "class": "H5T_ENUM",
    "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"},
    "mapping": {"FALSE": 0, "TRUE": 1},
}
COLORS = {
    "class": "H5T_ENUM",
    "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I16BE"},
    "members": [{"name": "RED", "value": 1}, {"name": "BLUE", "value": 7}],
}
OBJECT_REFERENCE = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_OBJ", "length": 48}
REGION_REFERENCE = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_DSETREG"}
DATASET = "d-b03b24ef-69f244b6-56e5-25125a-89ba79"


def vlen_of(base: Any) -> dict[str, Any]:
    return {"class": "H5T_VLEN", "base": base}


def array_of(base: Any, *dims: int) -> dict[str, Any]:
    return {"class": "H5T_ARRAY", "dims": list(dims), "base": base}


def compound_of(**fields: Any) -> dict[str, Any]:
    return {"class": "H5T_COMPOUND", "fields": [{"name": name, "type": t} for name, t in fields.items()]}


def fixed_text(length: int, charset: str = "H5T_CSET_ASCII") -> dict[str, Any]:
    return {"class": "H5T_STRING", "charSet": charset, "strPad": "H5T_STR_NULLPAD", "length": length}


numbers = st.sampled_from(
    [f"H5T_STD_{kind}{bits}{order}" for kind in "IU" for bits in (8, 16, 32, 64) for order in ("LE", "BE")]
    + [f"H5T_IEEE_F{bits}{order}" for bits in (16, 32, 64) for order in ("LE", "BE")]
)
fixed_types = st.one_of(
    numbers,
    st.integers(1, 9).map(fixed_text),
    st.integers(1, 5).map(lambda size: {"class": "H5T_OPAQUE", "size": size}),
    st.sampled_from([BOOLEAN, COLORS, OBJECT_REFERENCE]),
)
small_dims = st.lists(st.integers(1, 3), min_size=1, max_size=2)


def _arrays(base: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda b, dims: array_of(b, *dims), base, small_dims)


def _compounds(members: st.SearchStrategy[Any], min_size: int = 1) -> st.SearchStrategy[Any]:
    names = st.sampled_from(string.ascii_lowercase)
    return st.dictionaries(names, members, min_size=min_size, max_size=4).map(lambda d: compound_of(**d))


fixed_nested = st.recursive(fixed_types, lambda t: _arrays(t) | _compounds(t), max_leaves=5)
leaf_types = fixed_types | st.just(VARIABLE_TEXT) | fixed_nested.map(vlen_of)
all_types = st.recursive(
    leaf_types, lambda t: _arrays(t) | _compounds(t) | _compounds(t).map(vlen_of), max_leaves=6
)
dimensions = st.lists(st.integers(0, 3), max_size=3).map(tuple)


def element(datatype: Datatype) -> st.SearchStrategy[Any]:
    """JSON of one element, as `to_json` gives it."""
    match datatype:
        case Integer(dtype=dtype):
            info = np.iinfo(dtype)
            return st.integers(int(info.min), int(info.max))
        case Float(itemsize=size):
            return st.floats(width=8 * size)
        case Enum(boolean=True):
            return st.booleans()
        case Enum(members=members):
            return st.sampled_from([value for _, value in members])
        case FixedString(length=length):
            return st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=length)
        case VariableString():
            return st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
        case Opaque(size=size):
            data = st.binary(min_size=size, max_size=size)
            return data.map(lambda b: base64.b64encode(b).decode() if any(b) else "")
        case ObjectReference():
            return st.sampled_from(["", DATASET, f"datasets/{DATASET}"])
        case Vlen(base=base):
            return st.lists(element(base), max_size=4)
        case Array(dims=dims, base=base):
            return nested(element(base), dims)
        case Compound(fields=fields):
            return st.tuples(*(element(member) for _, member in fields)).map(list)
        case _:
            raise TypeError(datatype)


def nested(item: st.SearchStrategy[Any], dims: Dims) -> st.SearchStrategy[Any]:
    for extent in reversed(dims):
        item = st.lists(item, min_size=extent, max_size=extent)
    return item


@st.composite
def typed_values(draw: st.DrawFn, types: st.SearchStrategy[Any] = all_types) -> tuple[Datatype, Dims, Any]:
    """A type, extents, and the JSON of that many elements."""
    datatype = parse_datatype(draw(types))
    dims = draw(dimensions)
    return datatype, dims, draw(nested(element(datatype), dims))


def same(a: Any, b: Any) -> bool:
    """Equality in which NaN equals NaN and types of numbers matter."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and (a == b or (a != a and b != b))
