"""HDF5 datatypes: the closed union of the type classes of the HDF REST API. `typeparse` makes them of JSON.

A type keeps the JSON it was parsed from, because the service returns types as they were sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hsds.errors import InvalidInput

REFERENCE_LENGTH: Final = 48  # bytes of an object reference: "datatypes/" and an id of 38 characters
VARIABLE_ITEMSIZE: Final = (
    128  # what one variable-length part is counted as wherever a size must be estimated
)
MAX_ITEMSIZE: Final = 2**31 - 1  # of numpy


@dataclass(frozen=True, slots=True, kw_only=True)
class Datatype:
    """Base of all type classes. Types are equal if their elements mean the same, however they are spelled.

    ``dtype`` is packed. A variable-length part is ``object`` in it: ``bytes`` for strings and region
    references, a one-dimensional array of the base's dtype for sequences, 0 or None where nothing is written.
    """

    json: dict[str, Any] = field(compare=False, repr=False)
    """The type as stored and returned: as sent, except that a predefined name alone became an object. Shared
    by everybody who parsed the same JSON: never change it."""
    dtype: np.dtype[Any] = field(compare=False, repr=False)
    """Of an element. An array type is a sub-array dtype, whose axes numpy appends to those of the array."""
    variable: bool = field(compare=False, repr=False)
    """Whether an element has variable-length parts."""
    itemsize: int = field(compare=False, repr=False)
    """Bytes of an element in binary form; an estimate (128 for each variable part) if it is variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Datatype):
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Float(Datatype):
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedString(Datatype):
    length: int
    charset: str
    padding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableString(Datatype):
    charset: str
    padding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vlen(Datatype):
    base: Datatype


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque(Datatype):
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Array(Datatype):
    dims: tuple[int, ...]
    base: Datatype


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum(Datatype):
    base: Datatype
    members: tuple[tuple[str, int], ...]
    boolean: bool
    """An int8 of FALSE = 0 and TRUE = 1, which h5py and JSON show as a boolean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference(Datatype):
    """Text ``groups/<id>``, ``datasets/<id>`` or ``datatypes/<id>``, padded with NUL; unset is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionReference(Datatype):
    """A dataset and a selection of it, see `hsds.hdf5.regionref`; unset is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compound(Datatype):
    fields: tuple[tuple[str, Datatype], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.fields)


def compound_of(fields: list[tuple[str, Datatype]], json: dict[str, Any]) -> Compound:
    """The compound type of these fields in this order, packed."""
    return Compound(
        json=json,
        dtype=np.dtype([(name, member.dtype) for name, member in fields]),
        variable=any(member.variable for _, member in fields),
        itemsize=checked_size(sum(member.itemsize for _, member in fields)),
        fields=tuple(fields),
    )


def leaves(datatype: Datatype) -> Iterator[Datatype]:
    """All types within a type that are no containers, e.g. to see whether there are references in it."""
    match datatype:
        case Compound(fields=fields):
            for _, member in fields:
                yield from leaves(member)
        case Array(base=base) | Vlen(base=base):
            yield from leaves(base)
        case _:
            yield datatype


def has_references(datatype: Datatype) -> bool:
    return any(isinstance(leaf, ObjectReference | RegionReference) for leaf in leaves(datatype))


def checked_size(size: int) -> int:
    """Bytes of an element, or ``InvalidInput`` for more than numpy can do."""
    if size > MAX_ITEMSIZE:
        raise InvalidInput(f"type: an element has at most {MAX_ITEMSIZE} bytes")
    return size
