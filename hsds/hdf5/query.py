"""Queries over the elements of a dataset: ``a > 4 AND sym == b'AAPL'``, ``_ > 100`` for plain types.

`parse_query` binds a parsed text to a datatype, so that every fault is found before any chunk is read;
`Query.mask` then evaluates it over numpy arrays. How values compare is in `querymask`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.querymask import Family, evaluate, family_of
from hsds.hdf5.queryparse import (
    AllOf,
    AnyOf,
    Compare,
    Expression,
    Field,
    IsNull,
    Not,
    Number,
    OneOf,
    Operator,
    Term,
    Text,
    Truth,
    Word,
    invalid,
    parse,
)

if TYPE_CHECKING:
    from hsds.hdf5.datatype import Datatype

Array = np.ndarray[Any, Any]

ELEMENT = "_"
"""The name of the one field of a type that is not compound."""

_MIRRORED: Mapping[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Query:
    """A query bound to a datatype. Equal texts over equal types are equal queries."""

    text: str
    where: Expression
    """Every test has a `Field` on the left, and a field or a literal that it compares with on the right."""
    compound: bool

    def mask(self, array: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which elements match: a bool array of the shape of ``array``, which has the dataset's dtype."""

        def column(name: str) -> Array:
            return array[name] if self.compound else array

        return evaluate(self.where, column, array.shape)

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that decide."""
        return _fields(self.where)


def parse_query(text: str, datatype: Datatype) -> Query:
    """Parse a query over elements of a type. Raises ``InvalidInput`` (``query: ... is not valid: ...``)."""
    dtype = datatype.dtype
    compound = dtype.names is not None and dtype.subdtype is None
    families = _families(dtype, datatype.json) if compound else {ELEMENT: family_of(dtype, datatype.json)}
    return Query(text, _bind(text, parse(text), families), compound)


def match_record(text: str, record: Mapping[str, bool | int | float | str | bytes]) -> bool:
    """Whether named scalars, such as attributes, satisfy a query.

    A field that is missing, or of a kind that does not compare with the value, is no match: not every
    record needs to be like the others. Faults of the text itself raise ``InvalidInput``.
    """
    expression = parse(text)
    columns = {name: _column(value) for name, value in record.items()}
    families = {name: family_of(column.dtype, None) for name, column in columns.items()}
    try:
        bound = _bind(text, expression, families)
    except _FieldError:
        return False
    return bool(evaluate(bound, columns.__getitem__, ()))


def _column(value: bool | int | float | str | bytes) -> Array:
    if isinstance(value, str | bytes):
        cell = np.empty((), object)
        cell[()] = value.encode() if isinstance(value, str) else value
        return cell
    return np.asarray(value)


class _FieldError(InvalidInput):
    """The text is a query, but not one over these fields."""


def _families(dtype: np.dtype[Any], json: Any) -> dict[str, Family | None]:
    members = json.get("fields", ()) if isinstance(json, Mapping) else ()
    types = {member["name"]: member["type"] for member in members}
    return {name: family_of(dtype[name], types.get(name)) for name in dtype.names or ()}


def _bind(text: str, expression: Expression, families: Mapping[str, Family | None]) -> Expression:
    """Decide which terms are fields, and put the field of every test on its left."""
    match expression:
        case AllOf(parts):
            return AllOf(tuple(_bind(text, part, families) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_bind(text, part, families) for part in parts))
        case Not(part):
            return Not(_bind(text, part, families))
        case IsNull(term):
            return IsNull(_bind_field(text, term, families))
        case OneOf(term, values):
            return OneOf(_bind_field(text, term, families), values)
        case Compare(left, op, right):
            return _bind_compare(text, Compare(left, op, right), families)


def _bind_compare(text: str, test: Compare, families: Mapping[str, Family | None]) -> Compare:
    left, op, right = test.left, test.op, test.right
    if isinstance(left, Number | Truth) or (isinstance(left, Text) and _names_field(right, families)):
        if not isinstance(right, Field | Word):
            raise invalid(text, "a comparison needs a field")
        left, op, right = right, _MIRRORED[op], left
    field = _bind_field(text, left, families)
    family = families[field.name]
    assert family is not None  # _bind_field refuses fields that compare with nothing
    if isinstance(right, Field):
        _bind_field(text, right, families)
    elif isinstance(right, Word) and families.get(right.text) is not None:
        other = families[right.text]
        # A word that names a field of another kind can only be meant as text: sym == open
        right = Field(right.text) if (other is Family.TEXT) == (family is Family.TEXT) else Text(right.text)
    right = right if isinstance(right, Field) else _literal(right)
    if isinstance(right, Field) and (families[right.name] is Family.TEXT) != (family is Family.TEXT):
        raise _field_error(text, f"{field.name} and {right.name} do not compare")
    ordered = op not in ("==", "!=")
    if ordered and isinstance(right, Text) and family is not Family.TEXT:
        raise _field_error(text, f"{field.name} is a number and {right.text!r} is text")
    if ordered and (family is Family.COMPLEX or _is_complex(right, families)):
        raise _field_error(text, "complex numbers have no order")
    return Compare(field, op, right)


def _is_complex(term: Term, families: Mapping[str, Family | None]) -> bool:
    return isinstance(term, Field) and families[term.name] is Family.COMPLEX


def _names_field(term: Term, families: Mapping[str, Family | None]) -> bool:
    return isinstance(term, Field) or (isinstance(term, Word) and term.text in families)


def _bind_field(text: str, term: Term, families: Mapping[str, Family | None]) -> Field:
    match term:
        case Field(name) | Word(name) | Text(name):
            pass
        case _:
            raise invalid(text, f"expected a field, not {term.text!r}")
    if name not in families:
        raise _field_error(text, f"there is no field {name!r}")
    if families[name] is None:
        raise _field_error(text, f"values of the type of {name!r} cannot be compared")
    return Field(name)


def _literal(term: Term) -> Term:
    return Text(term.text) if isinstance(term, Word) else term


def _field_error(text: str, why: str) -> InvalidInput:
    return _FieldError(str(invalid(text, why)))


def _fields(expression: Expression) -> frozenset[str]:
    match expression:
        case AllOf(parts) | AnyOf(parts):
            return frozenset().union(*(_fields(part) for part in parts))
        case Not(part):
            return _fields(part)
        case Compare(left, _, right):
            return frozenset(term.name for term in (left, right) if isinstance(term, Field))
        case OneOf(field, _) | IsNull(field):
            return frozenset(term.name for term in (field,) if isinstance(term, Field))
