"""Evaluation of a bound query over numpy columns: exact for integers, in their own precision for floats.

``_ == 0.1`` finds the float32 nearest to 0.1, and ``_ > 2.5`` over int64 is exact however large the values.
Text compares as bytes; a number compares with text as it was written.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import Enum, auto
from functools import reduce
from typing import Any, assert_never

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.queryparse import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Expression,
    Field,
    IsNull,
    Not,
    Number,
    OneOf,
    Operator,
    Text,
    Truth,
    Word,
)

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_OPERATORS: Mapping[Operator, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_FEW = 8
"""One element in so many is few: picking them out of a column costs less than a comparison of all."""
_EXACT = Context(prec=1300)  # every number of at most 400 digits and an exponent of three


class Family(Enum):
    """What a field compares with."""

    NUMBER = auto()
    COMPLEX = auto()
    TEXT = auto()


_FAMILIES = {"S": Family.TEXT, "c": Family.COMPLEX, **dict.fromkeys("biuf", Family.NUMBER)}


def family_of(dtype: np.dtype[Any], json: Any) -> Family | None:
    """The family of a type by its dtype; None if its values cannot be compared.

    ``json``, the stored type, tells variable-length sequences from variable-length strings, both ``object``.
    """
    if dtype.subdtype is not None:
        return None
    if dtype.kind == "O":
        sequence = isinstance(json, Mapping) and json.get("class") not in (None, "H5T_STRING")
        return None if sequence else Family.TEXT
    return {"S": Family.TEXT, "c": Family.COMPLEX}.get(
        dtype.kind, Family.NUMBER if dtype.kind in "biuf" else None
    )


def evaluate(where: Expression, column: Callable[[str], Array], shape: tuple[int, ...]) -> Mask:
    """Which elements match. ``column`` gives the values of a field, an array of ``shape``."""
    match where:
        case AllOf(parts):
            return _all_of(parts, column, shape)
        case AnyOf(parts):
            return reduce(np.logical_or, (evaluate(part, column, shape) for part in parts))
        case Not(part):
            return np.logical_not(evaluate(part, column, shape))
        case Compare(Field(name), op, Field(other)):
            return _compare_columns(column(name), op, column(other))
        case Compare(Field(name), op, (Word() | Text() | Number() | Truth()) as value):
            return _compare(column(name), op, value)
        case OneOf(Field(name), values):
            return _one_of(column(name), values)
        case IsNull(Field(name)):
            return _is_null(column(name))
        case Compare() | OneOf() | IsNull():
            raise InvalidInput("the query is not bound to a datatype")
        case _:
            assert_never(where)


def _all_of(parts: tuple[Expression, ...], column: Callable[[str], Array], shape: tuple[int, ...]) -> Mask:
    """Where few elements are left, the next test looks at these alone."""
    mask = evaluate(parts[0], column, shape)
    for part in parts[1:]:
        left = int(np.count_nonzero(mask))
        if left > mask.size // _FEW:
            mask = np.logical_and(mask, evaluate(part, column, shape))
        elif left:
            places = np.nonzero(mask)
            mask[places] = evaluate(part, _picked(column, places), (left,))
    return mask


def _picked(column: Callable[[str], Array], places: tuple[Array, ...]) -> Callable[[str], Array]:
    def pick(name: str) -> Array:
        return column(name)[places]

    return pick


def _compare_columns(left: Array, op: Operator, right: Array) -> Mask:
    if left.dtype.kind in "OS":
        pairs = zip(_as_bytes(left), _as_bytes(right), strict=True)
        return _masked((_OPERATORS[op](a, b) for a, b in pairs), left)
    return np.asarray(_OPERATORS[op](_plain(left), _plain(right)))


def _compare(values: Array, op: Operator, value: Constant) -> Mask:
    if values.dtype.kind in "OS":
        return _compare_text(values, op, value.text.encode())
    match value:
        case Truth():
            number = Decimal(int(value.value))
        case Number(text):
            number = _EXACT.create_decimal(text)
        case _:  # text equals no number
            return np.full(values.shape, op == "!=")
    values = _plain(values)
    if values.dtype.kind in "iu":
        return _compare_integers(values, op, number)
    return _compare_floats(values, op, float(number))


def _compare_text(values: Array, op: Operator, text: bytes) -> Mask:
    if values.dtype.kind == "S":
        return np.asarray(_OPERATORS[op](values, text))
    compare = _OPERATORS[op]
    return _masked((compare(value, text) for value in _as_bytes(values)), values)


def _compare_integers(values: Array, op: Operator, number: Decimal) -> Mask:
    floor = int(number.to_integral_value(ROUND_FLOOR, _EXACT))
    ceiling = int(number.to_integral_value(ROUND_CEILING, _EXACT))
    match op:
        case "==" | "!=":
            if floor != ceiling:
                return np.full(values.shape, op == "!=")
            bound = floor
        case "<" | ">=":
            bound = ceiling
        case _:
            bound = floor
    limits = np.iinfo(values.dtype)
    if limits.min <= bound <= limits.max:
        return np.asarray(_OPERATORS[op](values, values.dtype.type(bound)))
    return np.full(values.shape, _OPERATORS[op](0, bound))


def _compare_floats(values: Array, op: Operator, number: float) -> Mask:
    scalar: Any = number
    if np.isfinite(number):
        with np.errstate(over="ignore"):
            scalar = values.dtype.type(number)
        if not np.isfinite(scalar):  # beyond the range of the column: widen the column instead
            values, scalar = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64), number
    return np.asarray(_OPERATORS[op](values, scalar))


def _one_of(values: Array, terms: tuple[Constant, ...]) -> Mask:
    if values.dtype.kind == "O":
        wanted = {term.text.encode() for term in terms}
        return _masked((value in wanted for value in _as_bytes(values)), values)
    unique = dict.fromkeys(terms)
    return reduce(np.logical_or, (_compare(values, "==", term) for term in unique))


def _is_null(values: Array) -> Mask:
    """NaN; a variable-length string never written. Other types have no value that stands for none."""
    if values.dtype.kind in "fc":
        return np.asarray(np.isnan(values))
    if values.dtype.kind == "O":
        return _masked((not isinstance(value, bytes | str) for value in values.flat), values)
    return np.zeros(values.shape, bool)


def _as_bytes(values: Array) -> list[bytes]:
    """Elements in C order; those never written (None or 0) are empty."""
    if values.dtype.kind == "S":
        return list(values.ravel().tolist())
    return [
        value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else b""
        for value in values.ravel().tolist()
    ]


def _masked(flags: Any, like: Array) -> Mask:
    return np.fromiter(flags, bool, like.size).reshape(like.shape)


def _plain(values: Array) -> Array:
    """Booleans compare as 0 and 1."""
    return values.astype(np.uint8) if values.dtype.kind == "b" else values
