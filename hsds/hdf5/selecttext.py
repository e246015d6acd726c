"""Selections as requests spell them: ``select`` text and lists, ``start/stop/step``, points.

The grammar is section 4.1 of the contract. Everything is checked against the extents here, so that a
selection that exists is valid; whatever is wrong is ``InvalidInput``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.reasons import shown
from hsds.hdf5.selection import Array, Coordinates, Fancy, Hyperslab, Points, Selection

_SLICE: Final = re.compile(r"(?P<start>\d*):(?P<stop>\d*)(?::(?P<step>\d*))?", re.ASCII)
_LIST: Final = re.compile(r"\d+(?:,\d+)*", re.ASCII)
_TERM: Final = re.compile(r"\[[^\[\]]*\]|[^,\[\]]+")
_MAX_DIGITS: Final = 19
_SHORT: Final = 100
"""Characters of a text that is worth remembering."""

Term = slice | Coordinates


def parse_select(select: object, dims: Sequence[int]) -> Selection:
    """Read a selection of a dataspace of extents ``dims``.

    ``select`` is text such as ``[3, 0:10:2, [1,5,7]]``, or a list with one element an axis: such a term as
    text, an index, or a list of coordinates.
    """
    if isinstance(select, str) and len(select) <= _SHORT and "[" not in select[1:]:
        return _parse_slab(select, tuple(dims))
    return _parse(select, dims)


@lru_cache(maxsize=1024)
def _parse_slab(text: str, dims: tuple[int, ...]) -> Selection:
    """A selection without coordinates: one request asks for it twice, and the next often for the same."""
    return _parse(text, dims)


def _parse(select: object, dims: Sequence[int]) -> Selection:
    terms = _split(select) if isinstance(select, str) else select
    if not isinstance(terms, list):
        raise InvalidInput(f"a selection must be text or a list, not {type(terms).__name__}")
    if len(terms) != len(dims):
        raise InvalidInput(f"the selection has {len(terms)} axes, the dataset has {len(dims)}")
    return _assemble([_term(term, dim) for term, dim in zip(terms, dims, strict=True)])


def from_start_stop_step(start: object, stop: object, step: object, dims: Sequence[int]) -> Hyperslab:
    """Read a hyperslab given as ``start``, ``stop`` and optional ``step``, each a number or a list."""
    rank = len(dims)
    axes = (
        _numbers(start, "start", rank),
        _numbers(stop, "stop", rank),
        (1,) * rank if step is None else _numbers(step, "step", rank),
    )
    for a, b, s, dim in zip(*axes, dims, strict=True):
        _check_slice(a, b, s, dim)
    return Hyperslab(*axes)


def points_from_json(value: object, dims: Sequence[int]) -> Points:
    """Read points given as a list: of coordinate lists, or of numbers where there is one axis."""
    if not isinstance(value, list) or not value:
        raise InvalidInput("points must be a list of points that is not empty")
    try:
        coords = np.array(value)
    except (ValueError, OverflowError):  # ragged, or beyond 64 bits
        raise InvalidInput("points must be coordinate lists of one length") from None
    if coords.dtype.kind not in "iu":
        raise InvalidInput("points must be integers")
    rank = len(dims)
    if coords.ndim == 1 and rank == 1:
        coords = coords.reshape(-1, 1)
    if coords.ndim != 2 or coords.shape[1] != rank:
        raise InvalidInput(f"each point must have {rank} coordinates")
    return _checked_points(coords, dims)


def points_from_bytes(data: bytes | bytearray | memoryview, dims: Sequence[int]) -> Points:
    """Read points given as little-endian uint64 coordinates, point by point."""
    size = 8 * len(dims)
    nbytes = memoryview(data).nbytes
    if nbytes == 0 or size == 0 or nbytes % size:
        raise InvalidInput(f"{nbytes} bytes are no points of {len(dims)} coordinates of 8 bytes")
    return _checked_points(np.frombuffer(data, "<u8").reshape(-1, len(dims)), dims)


def _checked_points(coords: Array, dims: Sequence[int]) -> Points:
    wrong = ((coords < 0) | (coords >= np.array(dims, coords.dtype))).any(axis=1)
    if wrong.any():
        raise InvalidInput(f"point {coords[wrong.argmax()].tolist()} is outside the extents {list(dims)}")
    return Points(coords.astype(np.int64, copy=False))


def _split(text: str) -> list[str]:
    text = text.replace(" ", "")
    if len(text) < 2 or text[0] != "[" or text[-1] != "]":
        raise InvalidInput(f"a selection is written in brackets, not as {shown(text)}")
    inner = text[1:-1]
    if "[" not in inner and "]" not in inner:
        return inner.split(",")
    terms = _TERM.findall(inner)
    if ",".join(terms) != inner:
        raise InvalidInput(f"malformed selection: {text}"[:200])
    return terms


def _assemble(terms: list[Term]) -> Selection:
    lengths = {len(term) for term in terms if not isinstance(term, slice)}
    if len(lengths) > 1:
        raise InvalidInput(f"coordinate lists of different lengths: {sorted(lengths)}")
    if lengths:
        return Fancy(tuple(terms))
    slices = [term for term in terms if isinstance(term, slice)]
    return Hyperslab(
        tuple([s.start for s in slices]), tuple([s.stop for s in slices]), tuple([s.step for s in slices])
    )


def _term(term: object, dim: int) -> Term:
    match term:
        case str():
            return _text_term(term.replace(" ", ""), dim)
        case int() if not isinstance(term, bool):
            return _index(term, dim)
        case list():
            return _coordinates(term, dim)
    raise InvalidInput(f"not a term of a selection: {shown(term)}")


def _text_term(term: str, dim: int) -> Term:
    if match := _SLICE.fullmatch(term):
        start, stop, step = match.groups()
        if not start and not stop and not step:
            return slice(0, dim, 1)  # valid for an axis of extent 0, too
        a = _number(start) if start else 0
        b = _number(stop) if stop else dim
        s = _number(step) if step else 1
        _check_slice(a, b, s, dim)
        return slice(a, b, s)
    if term.startswith("[") and term.endswith("]"):
        if not _LIST.fullmatch(term, 1, len(term) - 1):
            raise InvalidInput(f"malformed coordinate list in the selection: {term}"[:200])
        return _coordinates(list(map(_number, term[1:-1].split(","))), dim)
    if not (term.isascii() and term.isdigit()):
        raise InvalidInput(f"malformed term of the selection: {shown(term)}")
    return _index(_number(term), dim)


def _number(text: str) -> int:
    """A number of digits only. What is too long to be a coordinate is out of range and not worth parsing."""
    if len(text) > _MAX_DIGITS:
        raise InvalidInput(f"not a coordinate: {text}"[:200])
    return int(text)


def _index(index: int, dim: int) -> slice:
    if not 0 <= index < dim:
        raise InvalidInput(f"index {index} is outside the extent {dim}")
    return slice(index, index + 1, 1)


def _check_slice(start: int, stop: int, step: int, dim: int) -> None:
    if not 0 <= start < stop <= dim:
        raise InvalidInput(f"{start}:{stop} is no range within the extent {dim}")
    if step < 1:
        raise InvalidInput(f"step {step} is not positive")


def _coordinates(values: list[object], dim: int) -> Coordinates:
    if not values or not all(type(value) is int for value in values):
        raise InvalidInput("a coordinate list must hold integers and not be empty")
    try:
        coords = np.array(values, np.int64)
    except OverflowError:
        raise InvalidInput("a coordinate is beyond 64 bits") from None
    if int(coords.min()) < 0 or int(coords.max()) >= dim:
        raise InvalidInput(f"coordinates {coords.min()}..{coords.max()} are not within the extent {dim}")
    return coords


def _numbers(value: object, what: str, rank: int) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(type(item) is int for item in values):
        raise InvalidInput(f"{what} must be an integer or a list of integers, not {shown(value)}")
    if len(values) != rank:
        raise InvalidInput(f"{what} has {len(values)} axes, the dataset has {rank}")
    return tuple(values)
