"""JSON form of values: arrays to nested lists and back. JSON text is in `hsds.hdf5.jsontext`.

Compound = list of its members, sequence = list, opaque = base64 (all zero: ""), boolean enumeration = true or
false, object reference = text (unset: ""), region reference = object or null, other enumerations = integer.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import chain, pairwise
from math import prod
from typing import Any, Final

import numpy as np
import orjson

from hsds.errors import InvalidInput
from hsds.hdf5 import regionref
from hsds.hdf5.binary import from_base64
from hsds.hdf5.datatype import (
    REFERENCE_LENGTH,
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
)
from hsds.hdf5.jsontext import dumps, loads
from hsds.hdf5.reasons import kind_of, shown

__all__ = ["dumps", "from_json", "loads", "to_json", "to_json_text"]

MAX_BYTES: Final = 512 * 2**20
"""Of an array made from JSON: a few digits or letters may stand for an element of any size."""


def to_json(array: np.ndarray, datatype: Datatype, *, escaped: bool = False) -> Any:
    """Nested lists of the elements of an array, or the bare element if the array has no axes of its own.

    Args:
        escaped: Whether bytes that are not UTF-8 become lone surrogates, as Python's ``surrogateescape`` has
            it; `from_json` takes them back.

    Raises:
        InvalidInput: text in it is not UTF-8 and not to be escaped; binary form or base64 carries that.
    """
    if isinstance(datatype, Integer | Float) or (isinstance(datatype, Enum) and not datatype.boolean):
        return array.tolist()
    own_axes = len(datatype.dtype.shape)
    dims = array.shape[: array.ndim - own_axes]
    elements = array.reshape((prod(dims), *datatype.dtype.shape))
    return _nest(_elements_to_json(elements, datatype, escaped), dims)


def to_json_text(array: np.ndarray, datatype: Datatype, *, ignore_nan: bool = False) -> orjson.Fragment:
    """As `dumps` of `to_json`, for large arrays: numbers become text without a Python object for each.

    The fragment stands for the value within whatever is given to `dumps`.
    """
    plain = isinstance(datatype, Integer | Float | Enum)
    if isinstance(datatype, Array):
        plain = isinstance(datatype.base, Integer | Float)
    if not plain or not array.ndim:
        return orjson.Fragment(dumps(to_json(array, datatype), ignore_nan=ignore_nan))
    if isinstance(datatype, Enum) and datatype.boolean:
        array = array.astype(bool)
    elif array.dtype.kind == "f":
        if not ignore_nan and not np.isfinite(array).all():
            return orjson.Fragment(dumps(array.tolist()))
        array = array.astype(np.float64)  # so that every digit of a float32 shows, as in Python
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return orjson.Fragment(orjson.dumps(native, option=orjson.OPT_SERIALIZE_NUMPY))


def from_json(value: Any, datatype: Datatype, dims: tuple[int, ...]) -> np.ndarray:
    """An array of ``dims`` elements (and the axes of an array type) from nested lists.

    Any nesting with the right number of elements will do. Too long fixed text is cut.

    Raises:
        InvalidInput: another number of elements, or something that is no value of the type.
    """
    if not datatype.variable and prod(dims) * datatype.itemsize > MAX_BYTES:
        raise InvalidInput(f"a value given as JSON has at most {MAX_BYTES} bytes")
    match datatype:
        case Array(base=base, dims=axes):
            return from_json(value, base, (*dims, *axes))
        case Integer() | Float() | Enum():
            return _numbers(value, datatype, dims)
    items = _elements(value, datatype, dims)
    return _column(items, datatype).reshape(dims)


# --- arrays to JSON ---------------------------------------------------------------------------------------


def _elements_to_json(array: np.ndarray, datatype: Datatype, escaped: bool) -> list[Any]:
    """One JSON value per element of an array (n, *axes of the type)."""
    items: list[Any]
    match datatype:
        case Integer() | Float():
            items = array.tolist()
        case Enum(boolean=boolean):
            items = (array.astype(bool) if boolean else array).tolist()
        case FixedString() | VariableString() | ObjectReference() | RegionReference(variable=False):
            items = _texts(array.tolist(), escaped)
        case Opaque():
            items = [
                "" if not any(data) else base64.b64encode(data).decode("ascii") for data in array.tolist()
            ]
        case RegionReference():
            items = [regionref.to_json(regionref.decode(data or b"")) for data in array.tolist()]
        case Vlen(base=base):
            items = _sequences_to_json(array.tolist(), base, escaped)
        case Compound(fields=fields):
            columns = [_elements_to_json(array[name], member, escaped) for name, member in fields]
            items = [list(row) for row in zip(*columns, strict=True)]
        case Array(base=base):
            axes = array.shape[: array.ndim - len(base.dtype.shape)]
            flat = _elements_to_json(array.reshape((prod(axes), *base.dtype.shape)), base, escaped)
            items = _nest(flat, axes)
        case _:
            raise TypeError(datatype)
    return items


def _texts(items: list[Any], escaped: bool) -> list[str]:
    errors = "surrogateescape" if escaped else "strict"
    try:
        return [item.decode("utf-8", errors) if item else "" for item in items]
    except UnicodeDecodeError as error:
        raise InvalidInput("text that is not UTF-8 has no JSON form") from error


def _sequences_to_json(items: list[Any], base: Datatype, escaped: bool) -> list[Any]:
    if isinstance(base, Integer | Float):
        return [[] if item is None or isinstance(item, int) else item.tolist() for item in items]
    lengths = [0 if item is None or isinstance(item, int) else len(item) for item in items]
    if not any(lengths):
        return [[] for _ in items]
    joined = np.concatenate([item for item, length in zip(items, lengths, strict=True) if length])
    flat = _elements_to_json(joined, base, escaped)
    bounds = np.cumsum([0, *lengths]).tolist()
    return [flat[a:b] for a, b in pairwise(bounds)]


def _nest(items: list[Any], dims: tuple[int, ...]) -> Any:
    if len(dims) == 1:
        return items
    if not dims:
        return items[0]
    return np.fromiter(items, dtype=object, count=len(items)).reshape(dims).tolist()


# --- JSON to arrays ---------------------------------------------------------------------------------------


def _numbers(value: Any, datatype: Datatype, dims: tuple[int, ...]) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # a float too large for float32 is infinite, as in HDF5
            array = np.array(value, dtype=datatype.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"value is not an array of {datatype.json['class']}: {error}") from error
    if array.size != prod(dims):
        raise _wrong_count(array.size, dims)
    return array.reshape(dims)


def _elements(value: Any, datatype: Datatype, dims: tuple[int, ...]) -> list[Any]:
    """The JSON values of the elements of a type that is not a number, in row-major order."""
    count = prod(dims)
    levels = [[value]]
    for _ in dims:
        levels.append(_flatter(levels[-1]))
    if not count and not levels[-1]:
        return []
    regular = levels[-1]
    if count and len(regular) == count and _looks_like(regular[0], datatype):
        return regular
    while len(levels[-1]) <= count and len(levels) <= len(dims) + 32:
        levels.append(_flatter(levels[-1]))
    for items in levels:
        if count and len(items) == count and _looks_like(items[0], datatype):
            return items
    if len(regular) == count:  # whoever converts the elements says what is wrong
        return regular
    raise _wrong_count(len(regular), dims)


def _flatter(items: list[Any]) -> list[Any]:
    """One level of nesting less, if all items are lists."""
    return list(chain.from_iterable(items)) if all(type(item) is list for item in items) else items


def _looks_like(item: Any, datatype: Datatype) -> bool:
    match datatype:
        case Compound(fields=fields):
            return isinstance(item, list | tuple) and len(item) == len(fields)
        case Vlen():
            return isinstance(item, list) or not item
    return not isinstance(item, list)


def _column(items: Sequence[Any], datatype: Datatype) -> np.ndarray:
    """A one-dimensional array from one JSON value per element."""
    match datatype:
        case FixedString(length=length):
            data = [_cut(item, length) for item in _encoded(items, datatype)]
            return np.array(data, dtype=datatype.dtype)
        case ObjectReference() | RegionReference(variable=False):
            data = _encoded(items, datatype)
            if max(map(len, data), default=0) > datatype.itemsize:
                raise InvalidInput(f"a reference has at most {REFERENCE_LENGTH} bytes")
            return np.array(data, dtype=datatype.dtype)
        case VariableString():
            return np.fromiter(_encoded(items, datatype), dtype=object, count=len(items))
        case Opaque():
            return np.array([_opaque(item, datatype) for item in items], dtype=datatype.dtype)
        case RegionReference():
            references = [regionref.encode(regionref.from_json(item)) for item in items]
            return np.fromiter(references, dtype=object, count=len(items))
        case Vlen(base=base):
            return _sequences(items, base, datatype)
        case Compound():
            return _records(items, datatype)
        case _:
            raise TypeError(datatype)


def _encoded(items: Sequence[Any], datatype: Datatype) -> list[bytes]:
    """UTF-8 of each text; null and 0 stand for what was never written."""
    try:
        return [item.encode("utf-8", "surrogateescape") if item else b"" for item in items]
    except AttributeError:
        wrong = next(item for item in items if item and not isinstance(item, str))
        raise _wrong_kind(wrong, datatype, "text") from None
    except UnicodeEncodeError as error:
        raise InvalidInput(f"value is not UTF-8: {error.reason}") from error


def _cut(data: bytes, length: int) -> bytes:
    """At most ``length`` bytes, without half a character at the end."""
    if len(data) <= length:
        return data
    end = length
    while end and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[: end or length]


def _opaque(item: Any, datatype: Opaque) -> bytes:
    """From base64, or, as HSDS 0.9 has it, the bytes as text."""
    size = datatype.size
    if not item:
        return b""
    if not isinstance(item, str):
        raise _wrong_kind(item, datatype, f"base64 text of {size} bytes")
    try:
        data = from_base64(item)
    except InvalidInput:
        data = b""
    if len(data) == size:
        return data
    if len(text := item.encode("utf-8", "replace")) <= size:
        return text
    raise InvalidInput(f"value is not of H5T_OPAQUE: expected base64 text of {size} bytes, got {shown(item)}")


def _sequences(items: Sequence[Any], base: Datatype, datatype: Vlen) -> np.ndarray:
    lists: list[list[Any]] = [item or [] for item in items]
    if wrong := [item for item in lists if not isinstance(item, list)]:
        raise _wrong_kind(wrong[0], datatype, "a list")
    bounds = np.cumsum([0, *map(len, lists)]).tolist()
    joined = from_json(list(chain.from_iterable(lists)), base, (bounds[-1],))
    return np.fromiter([joined[a:b] for a, b in pairwise(bounds)], dtype=object, count=len(lists))


def _records(items: Sequence[Any], datatype: Compound) -> np.ndarray:
    width = len(datatype.fields)
    wrong = [item for item in items if not (isinstance(item, list | tuple) and len(item) == width)]
    if wrong:
        raise _wrong_kind(wrong[0], datatype, f"a list of {width} members")
    array = np.empty(len(items), dtype=datatype.dtype)
    if not items:
        return array
    for column, (name, member) in zip(zip(*items, strict=True), datatype.fields, strict=True):
        array[name] = from_json(list(column), member, (len(items),))
    return array


def _wrong_kind(item: Any, datatype: Datatype, expected: str) -> InvalidInput:
    got = f"{kind_of(item)} of {len(item)}" if isinstance(item, list) else kind_of(item)
    return InvalidInput(f"value is not of {datatype.json['class']}: expected {expected}, got {got}")


def _wrong_count(count: int, dims: tuple[int, ...]) -> InvalidInput:
    return InvalidInput(f"value has {count} elements, expected {prod(dims)}")
