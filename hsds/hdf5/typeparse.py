"""JSON of a datatype -> one of the type classes of `datatype`, for JSON of requests and of the store.

Grammar: https://hdf5-json.readthedocs.io/en/latest/bnf/datatype.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np
import orjson

from hsds.errors import InvalidInput
from hsds.hdf5.datatype import (
    REFERENCE_LENGTH,
    VARIABLE_ITEMSIZE,
    Array,
    Compound,
    Datatype,
    Enum,
    FixedString,
    Float,
    Integer,
    ObjectReference,
    Opaque,
    RegionReference,
    VariableString,
    Vlen,
    checked_size,
    compound_of,
)
from hsds.hdf5.reasons import shown

MAX_DEPTH: Final = 32  # of types within types, and axes of an array type (H5S_MAX_RANK)

_INTEGERS: Final = {
    f"H5T_STD_{kind}{8 * size}": f"{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)
}
_FLOATS: Final = {f"H5T_IEEE_F{8 * size}": f"f{size}" for size in (2, 4, 8)}


def parse_datatype(json: Any) -> Datatype:
    """The type that JSON of a request or of the store describes: a predefined name or an object.

    Committed types are resolved before: their JSON is passed here. Cheap for JSON seen before.

    Raises:
        InvalidInput: the JSON is not a type, or not one that the REST API can carry (time, bitfield, ...).
    """
    if isinstance(json, str):
        json = _expand(json)
    if not isinstance(json, Mapping):
        raise InvalidInput(f"type: expected a name or an object, not {type(json).__name__}")
    try:
        key = orjson.dumps(json)
    except TypeError as error:
        raise InvalidInput(f"type: not JSON: {error}") from error
    return _parse_text(key)


@lru_cache(maxsize=4096)
def _parse_text(key: bytes) -> Datatype:
    try:
        json = orjson.loads(key)
    except orjson.JSONDecodeError as error:  # too deep for the parser
        raise InvalidInput(f"type: {error}") from error
    return _parse(json, depth=0)


def _expand(name: str) -> dict[str, Any]:
    stem, suffix = name[:-2], name[-2:]
    if suffix in ("LE", "BE") and stem in _INTEGERS:
        return {"class": "H5T_INTEGER", "base": name}
    if suffix in ("LE", "BE") and stem in _FLOATS:
        return {"class": "H5T_FLOAT", "base": name}
    raise InvalidInput(f"type: {name[:80]!r} is not a predefined type")


def _parse(json: Any, *, depth: int) -> Datatype:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"type: nested deeper than {MAX_DEPTH}")
    if isinstance(json, str):
        json = _expand(json if json.endswith(("LE", "BE")) else json + "LE")
    if not isinstance(json, dict):
        raise InvalidInput(f"type: expected a name or an object, not {type(json).__name__}")
    kind = json.get("class")
    if "dims" in json and kind != "H5T_ARRAY":
        raise InvalidInput(f"type: dims is for H5T_ARRAY only, not for {shown(kind)}")
    if kind is None:
        raise InvalidInput("type: class is missing")
    parser = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parser is None:
        raise InvalidInput(f"type: class {shown(kind)} is not supported")
    return parser(json, depth)


def _parse_integer(json: dict[str, Any], _depth: int) -> Integer:
    dtype = _predefined(json, _INTEGERS)
    return Integer(json=json, dtype=dtype, variable=False, itemsize=dtype.itemsize, base=dtype.str)


def _parse_float(json: dict[str, Any], _depth: int) -> Float:
    dtype = _predefined(json, _FLOATS)
    return Float(json=json, dtype=dtype, variable=False, itemsize=dtype.itemsize, base=dtype.str)


def _parse_vlen(json: dict[str, Any], depth: int) -> Vlen:
    base = _parse(_need(json, "base"), depth=depth + 1)
    return Vlen(json=json, dtype=np.dtype(object), variable=True, itemsize=VARIABLE_ITEMSIZE, base=base)


def _parse_opaque(json: dict[str, Any], _depth: int) -> Opaque:
    size = _positive(json, "size")
    return Opaque(json=json, dtype=np.dtype(f"V{size}"), variable=False, itemsize=size, size=size)


def _predefined(json: dict[str, Any], names: dict[str, str]) -> np.dtype[Any]:
    name = _need(json, "base")
    if not isinstance(name, str):
        raise InvalidInput("type: base of a number is a predefined name")
    stem = name[:-2] if name.endswith(("LE", "BE")) else name
    if stem not in names:
        raise InvalidInput(f"type: {name[:80]!r} is no base of {json['class']}")
    return np.dtype((">" if name.endswith("BE") else "<") + names[stem])


def _parse_string(json: dict[str, Any], _depth: int) -> Datatype:
    length, charset, padding = _need(json, "length"), _need(json, "charSet"), json.get("strPad")
    if charset not in ("H5T_CSET_ASCII", "H5T_CSET_UTF8"):
        raise InvalidInput("type: charSet is H5T_CSET_ASCII or H5T_CSET_UTF8")
    if padding not in ("H5T_STR_NULLTERM", "H5T_STR_NULLPAD", "H5T_STR_SPACEPAD", None):
        raise InvalidInput("type: strPad is H5T_STR_NULLTERM, H5T_STR_NULLPAD or H5T_STR_SPACEPAD")
    if length == "H5T_VARIABLE":
        return VariableString(
            json=json,
            dtype=np.dtype(object),
            variable=True,
            itemsize=VARIABLE_ITEMSIZE,
            charset=charset,
            padding=padding,
        )
    size = _positive(json, "length")
    return FixedString(
        json=json,
        dtype=np.dtype(f"S{size}"),
        variable=False,
        itemsize=size,
        length=size,
        charset=charset,
        padding=padding,
    )


def _parse_array(json: dict[str, Any], depth: int) -> Array:
    dims = _need(json, "dims")
    dims = [dims] if isinstance(dims, int) else dims
    if not isinstance(dims, list) or not dims or not all(type(n) is int and n > 0 for n in dims):
        raise InvalidInput("type: dims of an array type are positive integers")
    base = _parse(_need(json, "base"), depth=depth + 1)
    axes = (*dims, *base.dtype.shape)
    if len(axes) > MAX_DEPTH:
        raise InvalidInput(f"type: an array type has at most {MAX_DEPTH} axes")
    itemsize = checked_size(prod(dims) * base.itemsize)
    return Array(
        json=json,
        dtype=np.dtype((base.dtype.base, axes)),
        variable=base.variable,
        itemsize=itemsize,
        dims=tuple(dims),
        base=base,
    )


def _parse_enum(json: dict[str, Any], depth: int) -> Enum:
    base = _parse(_need(json, "base"), depth=depth + 1)
    if not isinstance(base, Integer):
        raise InvalidInput("type: base of an enumeration is an integer type")
    members = _enum_members(json)
    return Enum(
        json=json,
        dtype=base.dtype,
        variable=False,
        itemsize=base.itemsize,
        base=base,
        members=members,
        boolean=base.dtype == np.int8 and dict(members) == {"FALSE": 0, "TRUE": 1},
    )


def _enum_members(json: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """From ``mapping`` {name: value}, or ``members`` [{"name", "value"}] as h5json 2 writes them."""
    given = json.get("mapping", json.get("members"))
    pairs: list[tuple[Any, Any]] = []
    match given:
        case dict():
            pairs = list(given.items())
        case list() if all(isinstance(item, dict) for item in given):
            pairs = [(item.get("name"), item.get("value")) for item in given]
    if not pairs:
        raise InvalidInput("type: an enumeration needs a mapping of at least one name to a value")
    if not all(isinstance(name, str) and type(value) is int for name, value in pairs):
        raise InvalidInput("type: an enumeration maps names to integers")
    if len(dict(pairs)) != len(pairs):
        raise InvalidInput("type: names of an enumeration are unique")
    return tuple(sorted(pairs, key=lambda pair: (pair[1], pair[0])))


def _parse_reference(json: dict[str, Any], _depth: int) -> Datatype:
    base, length = _need(json, "base"), json.get("length")
    if base == "H5T_STD_REF_OBJ":
        dtype = np.dtype(f"S{REFERENCE_LENGTH}")
        return ObjectReference(json=json, dtype=dtype, variable=False, itemsize=REFERENCE_LENGTH)
    if base != "H5T_STD_REF_DSETREG":
        raise InvalidInput("type: base of a reference is H5T_STD_REF_OBJ or H5T_STD_REF_DSETREG")
    if isinstance(length, int):  # HSDS 0.9 and h5pyd 0.24 keep region references as fixed text
        size = _positive(json, "length")
        return RegionReference(json=json, dtype=np.dtype(f"S{size}"), variable=False, itemsize=size)
    return RegionReference(json=json, dtype=np.dtype(object), variable=True, itemsize=VARIABLE_ITEMSIZE)


def _parse_compound(json: dict[str, Any], depth: int) -> Compound:
    items = _need(json, "fields")
    if not isinstance(items, list) or not items:
        raise InvalidInput("type: fields of a compound are a list of at least one field")
    members: list[tuple[str, Datatype]] = []
    for item in items:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name or not name.isascii():
            raise InvalidInput("type: a field of a compound needs a name of ASCII text")
        if "type" not in item:
            raise InvalidInput(f"type: field {name[:80]!r} needs a type")
        members.append((name, _parse(item["type"], depth=depth + 1)))
    if len({name for name, _ in members}) != len(members):
        raise InvalidInput("type: field names of a compound are unique")
    return compound_of(members, json)


def _need(json: dict[str, Any], key: str) -> Any:
    if key not in json:
        raise InvalidInput(f"type: {json.get('class')} needs {key}")
    return json[key]


def _positive(json: dict[str, Any], key: str) -> int:
    size = json.get(key)
    if type(size) is not int or size <= 0:
        raise InvalidInput(f"type: {key} of {json['class']} is a positive integer")
    return checked_size(size)


_PARSERS: Final[dict[str, Callable[[dict[str, Any], int], Datatype]]] = {
    "H5T_INTEGER": _parse_integer,
    "H5T_FLOAT": _parse_float,
    "H5T_STRING": _parse_string,
    "H5T_VLEN": _parse_vlen,
    "H5T_OPAQUE": _parse_opaque,
    "H5T_ARRAY": _parse_array,
    "H5T_ENUM": _parse_enum,
    "H5T_REFERENCE": _parse_reference,
    "H5T_COMPOUND": _parse_compound,
}
