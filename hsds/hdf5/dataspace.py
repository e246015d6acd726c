"""Dataspaces: null, scalar, or simple with extents that may grow (contract, sections 3.8 and 1.5 of 1.x)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from hsds.errors import InvalidInput
from hsds.hdf5.reasons import shown

Kind = Literal["null", "scalar", "simple"]
Json = dict[str, Any]

MAX_RANK: Final = 32
"""Of HDF5 (H5S_MAX_RANK)."""
MAX_EXTENT: Final = 2**63 - 1
UNLIMITED: Final = "H5S_UNLIMITED"
_CLASSES: Final[dict[str, Kind]] = {"H5S_NULL": "null", "H5S_SCALAR": "scalar", "H5S_SIMPLE": "simple"}


@dataclass(frozen=True, slots=True)
class Dataspace:
    """The shape of a dataset or attribute. ``dims`` is empty unless the space is simple.

    ``maxdims`` is None for a space of fixed extents; a None in it stands for an unlimited axis.
    """

    kind: Kind
    dims: tuple[int, ...] = ()
    maxdims: tuple[int | None, ...] | None = None

    @classmethod
    def from_json(cls, stored: Json) -> Dataspace:
        """Read a stored shape, ``{"class", "dims"?, "maxdims"?}``, of either HSDS version."""
        kind = _CLASSES.get(stored["class"])
        if kind is None:
            raise InvalidInput(f"unknown dataspace class: {stored['class']!r}")
        if kind != "simple":
            return cls(kind)
        maxdims = stored.get("maxdims")
        dims = tuple(stored["dims"])
        if maxdims is None:
            return cls("simple", dims)
        return cls("simple", dims, tuple(None if m in (0, UNLIMITED, None) else m for m in maxdims))

    @classmethod
    def from_request(cls, shape: object = None, maxdims: object = None) -> Dataspace:
        """Read ``shape`` and ``maxdims`` of a create request; ``InvalidInput`` when they cannot be.

        Without a shape, with ``[]`` or ``"H5S_SCALAR"`` the space is scalar. A number is a list of one.
        """
        if shape is None or shape in ([], "H5S_SCALAR"):
            space = cls("scalar")
        elif shape == "H5S_NULL":
            space = cls("null")
        else:
            space = cls("simple", parse_dims(shape, "shape"))
        if maxdims is None:
            return space
        if space.kind != "simple":
            raise InvalidInput(f"maxdims cannot be given with a {space.kind} shape")
        return cls("simple", space.dims, _parse_maxdims(maxdims, space.dims))

    def to_json(self) -> Json:
        """The stored form. An unlimited axis is 0, which HSDS 0.9 and 1.x both read."""
        match self.kind:
            case "null":
                return {"class": "H5S_NULL"}
            case "scalar":
                return {"class": "H5S_SCALAR"}
            case "simple":
                json: Json = {"class": "H5S_SIMPLE", "dims": list(self.dims)}
                if self.maxdims is not None:
                    json["maxdims"] = [0 if m is None else m for m in self.maxdims]
                return json

    @property
    def rank(self) -> int:
        """Number of axes; 0 for null and scalar spaces."""
        return len(self.dims)

    @property
    def npoints(self) -> int:
        """Number of elements."""
        return 0 if self.kind == "null" else math.prod(self.dims)

    @property
    def extents(self) -> tuple[int, ...]:
        """Extents by which elements are stored and selected: a scalar is one element along one axis."""
        return (1,) if self.kind == "scalar" else self.dims

    @property
    def extensible(self) -> bool:
        """Whether any axis may still be longer than it is."""
        return self.maxdims is not None and any(
            m is None or m > d for d, m in zip(self.dims, self.maxdims, strict=True)
        )


def parse_dims(value: object, what: str) -> tuple[int, ...]:
    """Read extents, an int or a list of ints >= 0; ``InvalidInput`` naming ``what`` otherwise."""
    values = value if isinstance(value, list | tuple) else [value]
    for extent in values:
        if not isinstance(extent, int) or isinstance(extent, bool):
            raise InvalidInput(f"{what} must be an integer or a list of integers, not {shown(value)}")
        if not 0 <= extent <= MAX_EXTENT:
            raise InvalidInput(f"{what} holds {extent}, which is not an extent")
    if len(values) > MAX_RANK:
        raise InvalidInput(f"{what} has {len(values)} axes, more than {MAX_RANK}")
    if math.prod(values) > MAX_EXTENT:
        raise InvalidInput(f"{what} has more than 2**63 - 1 elements")
    return tuple(values)


def _parse_maxdims(value: object, dims: tuple[int, ...]) -> tuple[int | None, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) != len(dims):
        raise InvalidInput(f"maxdims has {len(values)} axes, the shape has {len(dims)}")
    return tuple(_parse_maxdim(m, dim) for m, dim in zip(values, dims, strict=True))


def _parse_maxdim(value: object, dim: int) -> int | None:
    if value is None or value == UNLIMITED:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_EXTENT:
        raise InvalidInput(f'maxdims must hold extents, 0, null or "{UNLIMITED}", not {shown(value)}')
    if value == 0:
        return None
    if value < dim:
        raise InvalidInput(f"maxdims holds {value}, less than the extent {dim}")
    return value
