"""Region references: a dataset and a selection of it, in binary and in JSON form.

The binary form (magic ``HRRF`` around a selection ``HSEL``) and the JSON forms are those of h5json 2.0.1
(``h5json.hdf5dtype.RegionReference``, ``h5json.selections``); all numbers are little-endian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from struct import Struct, pack, unpack_from
from struct import error as StructError  # noqa: N812 (its own name is `error`)
from typing import Any, Final, Literal

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.dataspace import MAX_RANK
from hsds.hdf5.reasons import shown

Axis = int | slice | tuple[int, ...]
Kind = Literal["points", "hyperslab", "all", "fancy"]

MAX_POINTS: Final = 1_000_000  # that a reference may list, or that its blocks may cover
_MOST: Final = 2**16 - 1  # bytes of an id or of a name, and names, that the binary form can count
_KINDS: Final[tuple[Kind, ...]] = ("points", "hyperslab", "all", "fancy")  # select types 1, 2, 3, 4
_WIDTHS: Final = ("H", "I", "Q")  # of extents and indices, by width code
_REFERENCE_HEAD: Final = Struct("<4sBH")
_SELECTION_HEAD: Final = Struct("<4sBBBBH")
_TRAILER: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class Region:
    """A selection of a dataspace."""

    kind: Kind
    shape: tuple[int, ...]
    """Extents of the dataset; the smallest that hold the selection if it came from JSON without them."""
    axes: tuple[Axis, ...]
    """One per axis unless kind is "all": a slice with all members set, coordinates, or an index. h5json ends
    a slice one step behind its last element, so perhaps outside of the dataset. "points" have no slices;
    where several axes have coordinates, they have equally many, which go together."""
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RegionValue:
    """A region reference that is set."""

    id: str
    """Of the dataset, with its prefix ``d-``."""
    region: Region | None
    """None: nothing is known but the dataset."""


def decode(data: bytes) -> RegionValue | None:
    """From binary form; None for the unset reference, which is empty.

    Raises:
        InvalidInput: not a region reference.
    """
    if not data.strip(b"\0"):
        return None
    try:
        magic, version, length = _REFERENCE_HEAD.unpack_from(data)
        if magic != b"HRRF" or version != 1:
            raise InvalidInput("not a region reference of version 1")
        at = _REFERENCE_HEAD.size
        dataset_id = data[at : at + length].decode("ascii")
        (size,) = unpack_from("<I", data, at + length)
        start = at + length + 4
        if data[start + size :].rstrip(b"\0") != _TRAILER:
            raise InvalidInput("region reference is truncated")
        region = _decode_region(data[start : start + size]) if size else None
    except (StructError, UnicodeDecodeError, IndexError) as error:
        raise InvalidInput(f"region reference is malformed: {error}") from error
    return RegionValue(dataset_id, region)


def encode(value: RegionValue | None) -> bytes:
    """The binary form; empty for the unset reference.

    Raises:
        InvalidInput: numbers or names that the form cannot hold; none that `decode` or `from_json` gave.
    """
    if value is None:
        return b""
    try:
        identifier = value.id.encode("ascii")
        selection = _encode_region(value.region) if value.region is not None else b""
        head = _REFERENCE_HEAD.pack(b"HRRF", 1, len(identifier))
    except (StructError, UnicodeEncodeError) as error:
        raise InvalidInput(f"region reference has no binary form: {error}") from error
    return b"".join((head, identifier, pack("<I", len(selection)), selection, _TRAILER))


def to_json(value: RegionValue | None) -> dict[str, Any] | None:
    """``{"id", "select_type", "selection"}`` for points and blocks, ``{"id", "selection_dict"}`` for steps,
    lists on some axes and a whole dataset without elements, ``{"id"}`` without a selection, None for the
    unset reference."""
    if value is None:
        return None
    json: dict[str, Any] = {"id": value.id.removeprefix("d-")}
    region = value.region
    if region is None:
        return json
    if region.kind == "points":
        columns = [_coordinates(axis, _point_count(region)) for axis in region.axes]
        points = [list(point) for point in zip(*columns, strict=True)]
        return {**json, "select_type": "H5S_SEL_POINTS", "selection": points}
    block = _block(region)
    if block is not None:
        return {**json, "select_type": "H5S_SEL_HYPERSLABS", "selection": [block]}
    return {**json, "selection_dict": _to_dict(region)}


def from_json(json: Any) -> RegionValue | None:
    """From any of the forms that `to_json` gives; several blocks become the points that they cover.

    Raises:
        InvalidInput: not a region reference.
    """
    if json is None or json == "":
        return None
    if not isinstance(json, dict) or not isinstance(json.get("id"), str) or not json["id"].isascii():
        raise InvalidInput(f"a region reference is null or an object with an id, not {shown(json)}")
    dataset_id = json["id"].removeprefix("datasets/")
    if not dataset_id:
        return None
    dataset_id = dataset_id if dataset_id.startswith("d-") else f"d-{dataset_id}"
    if len(dataset_id) > _MOST:
        raise InvalidInput(f"region reference: an id has at most {_MOST} characters")
    try:
        region = _region_of(json)
    except InvalidInput:  # which is a ValueError
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"region reference: malformed selection: {error}") from error
    return RegionValue(dataset_id, region)


def _region_of(json: dict[str, Any]) -> Region | None:
    if "selection_dict" in json:
        return _from_dict(json["selection_dict"])
    match json.get("select_type"):
        case None:
            return None
        case "H5S_SEL_POINTS":
            return _points(_index_table(json["selection"]))
        case "H5S_SEL_HYPERSLABS":
            return _blocks([_index_table(corners) for corners in json["selection"]])
    raise InvalidInput("region reference: select_type is H5S_SEL_POINTS or H5S_SEL_HYPERSLABS")


def _points(table: list[list[int]]) -> Region:
    columns = tuple(tuple(column) for column in zip(*table, strict=True))
    return _checked(Region("points", tuple(max(column) + 1 for column in columns), columns))


def _blocks(blocks: list[list[list[int]]]) -> Region:
    if not blocks or any(len(corners) != 2 for corners in blocks):
        raise InvalidInput("region reference: a block is its first and its last corner")
    if any(a > b for first, last in blocks for a, b in zip(first, last, strict=True)):
        raise InvalidInput("region reference: the first corner of a block comes before the last")
    if len(blocks) == 1:
        first, last = blocks[0]
        axes = tuple(slice(a, b + 1, 1) for a, b in zip(first, last, strict=True))
        return _checked(Region("hyperslab", tuple(b + 1 for b in last), axes))
    covered = sum(prod(b - a + 1 for a, b in zip(first, last, strict=True)) for first, last in blocks)
    if covered > MAX_POINTS:
        raise InvalidInput(f"region reference: several blocks cover at most {MAX_POINTS} points")
    spans = ([range(a, b + 1) for a, b in zip(first, last, strict=True)] for first, last in blocks)
    return _points([list(point) for ranges in spans for point in product(*ranges)])


def _index_table(rows: Any) -> list[list[int]]:
    if not isinstance(rows, list) or not rows or len(rows) > MAX_POINTS:
        raise InvalidInput("region reference: a selection lists coordinates")
    if not all(isinstance(row, list) and all(type(i) is int and 0 <= i < 2**63 for i in row) for row in rows):
        raise InvalidInput("region reference: coordinates are integers, none negative")
    return rows


def _block(region: Region) -> list[list[int]] | None:
    """First and last corner of a selection without gaps."""
    if region.kind == "all":
        if 0 in region.shape:  # no corner is within
            return None
        return [[0] * len(region.shape), [extent - 1 for extent in region.shape]]
    first, last = [], []
    for axis in region.axes:
        match axis:
            case int():
                first.append(axis)
                last.append(axis)
            case slice(start=start, stop=stop, step=1):
                first.append(start)
                last.append(stop - 1)
            case _:
                return None
    return [first, last]


def _to_dict(region: Region) -> dict[str, Any]:
    json: dict[str, Any] = {
        "class": "SimpleSelection",
        "shape": list(region.shape),
        "select_type": _KINDS.index(region.kind) + 1,
    }
    if region.fields is not None:
        json["fields"] = list(region.fields)
    slices: list[dict[str, Any]] = []
    for axis in region.axes:
        match axis:
            case slice(start=start, stop=stop, step=step):
                slices.append({"type": "slice", "start": start, "stop": stop, "step": step})
            case int():
                slices.append({"type": "int", "value": axis})
            case _:
                slices.append({"type": "list", "values": list(axis)})
    json["slices"] = slices
    return json


def _from_dict(json: dict[str, Any]) -> Region:
    (shape,) = _index_table([json["shape"]])
    fields = _names(json.get("fields"))
    if json.get("select_type") == 3:
        return _checked(Region("all", tuple(shape), (), fields))
    axes: list[Axis] = []
    for item in json["slices"]:
        match item:
            case {"type": "slice", "start": start, "stop": stop, "step": step}:
                axes.append(slice(*_index_table([[start, stop, step]])[0]))
            case {"type": "int", "value": index}:
                axes.append(_index_table([[index]])[0][0])
            case {"type": "list", "values": list(values)}:
                axes.append(tuple(_index_table([values])[0]))
            case _:
                raise InvalidInput("region reference: an axis is a slice, a list or an int")
    return _checked(Region(_kind_of(axes), tuple(shape), tuple(axes), fields))


def _names(fields: Any) -> tuple[str, ...] | None:
    if fields is None:
        return None
    if not isinstance(fields, list) or len(fields) > _MOST:
        raise InvalidInput(f"region reference: fields are a list of at most {_MOST} names")
    for name in fields:
        if not isinstance(name, str):
            raise InvalidInput("region reference: names of fields are texts")
        try:
            size = len(name.encode("utf-8"))
        except UnicodeEncodeError:
            raise InvalidInput("region reference: the name of a field holds half of a character") from None
        if size > _MOST:
            raise InvalidInput(f"region reference: the name of a field has at most {_MOST} bytes")
    return tuple(fields)


def _kind_of(axes: Sequence[Axis]) -> Kind:
    if not any(isinstance(axis, tuple) for axis in axes):
        return "hyperslab"
    return "fancy" if any(isinstance(axis, slice) for axis in axes) else "points"


def _checked(region: Region) -> Region:
    """The region, if it lies within its dataset. A step that leads out of it, which selects one element, is
    cut short: numbers in binary form are as wide as the largest extent."""
    if len(region.shape) > MAX_RANK:
        raise InvalidInput(f"region reference: a selection has at most {MAX_RANK} axes")
    if region.kind == "all":
        return region
    if len(region.axes) != len(region.shape):
        raise InvalidInput("region reference: a selection has as many axes as the dataset")
    axes = tuple(_within(axis, extent) for axis, extent in zip(region.axes, region.shape, strict=True))
    lengths = {len(axis) for axis in axes if isinstance(axis, tuple)}
    if region.kind == "points" and not _point_count(region):
        raise InvalidInput("region reference: points are lists of coordinates")
    if len(lengths) > 1:
        raise InvalidInput("region reference: lists of coordinates are equally long")
    return replace(region, axes=axes)


def _within(axis: Axis, extent: int) -> Axis:
    match axis:
        case slice(start=start, stop=stop, step=step):
            if 0 <= start < stop and step > 0 and start + (stop - 1 - start) // step * step < extent:
                return axis if step <= extent else slice(start, start + 1, 1)
        case int():
            if 0 <= axis < extent:
                return axis
        case _:
            if axis and max(axis) < extent:
                return axis
    raise InvalidInput("region reference: a selection lies within the dataset")


def _point_count(region: Region) -> int:
    """How many points a selection of points has; 0 if it is none."""
    if any(isinstance(axis, slice) for axis in region.axes):
        return 0
    return max((len(axis) for axis in region.axes if isinstance(axis, tuple)), default=0)


def _coordinates(axis: Axis, count: int) -> tuple[int, ...]:
    if isinstance(axis, int):
        return (axis,) * count
    return axis if isinstance(axis, tuple) else ()


def _encode_region(region: Region) -> bytes:
    largest = max(region.shape, default=0)
    code = 0 if largest < 2**16 else 1 if largest < 2**32 else 2
    width = _WIDTHS[code]
    rank = len(region.shape)
    select_type = _KINDS.index(region.kind) + 1
    out = [
        _SELECTION_HEAD.pack(b"HSEL", 1, 0, select_type, code, rank),
        pack(f"<{rank}{width}", *region.shape),
    ]
    if region.fields is None:
        out.append(b"\0")
    else:
        out.append(pack("<BH", 1, len(region.fields)))
        names = [name.encode("utf-8") for name in region.fields]
        out.extend(pack("<H", len(name)) + name for name in names)
    for axis in region.axes:
        match axis:
            case slice(start=start, stop=stop, step=step):
                end = min(stop, 2 ** (16 << code) - 1)  # behind the last element, perhaps out of range
                out.append(pack(f"<B3{width}", 0, start, end, step))
            case int():
                out.append(pack(f"<B{width}", 2, axis))
            case _:
                out.append(pack("<BI", 1, len(axis)) + np.asarray(axis, dtype=f"<u{2 << code}").tobytes())
    return b"".join(out)


def _decode_region(data: bytes) -> Region:
    magic, version, form, select_type, code, rank = _SELECTION_HEAD.unpack_from(data)
    if magic != b"HSEL" or version != 1 or form != 0 or not 1 <= select_type <= 4 or code > 2:
        raise InvalidInput("region reference: not a selection of version 1")
    width, size = _WIDTHS[code], 2 << code
    at = _SELECTION_HEAD.size
    shape = unpack_from(f"<{rank}{width}", data, at)
    fields, at = _decode_fields(data, at + rank * size)
    if select_type == 3:
        return _checked(Region("all", shape, (), fields))
    axes: list[Axis] = []
    for _ in range(rank):
        match data[at]:
            case 0:
                start, stop, step = unpack_from(f"<3{width}", data, at + 1)
                axes.append(slice(start, stop, step))
                at += 1 + 3 * size
            case 1:
                (count,) = unpack_from("<I", data, at + 1)
                axes.append(unpack_from(f"<{count}{width}", data, at + 5))
                at += 5 + count * size
            case 2:
                axes.append(unpack_from(f"<{width}", data, at + 1)[0])
                at += 1 + size
            case _:
                raise InvalidInput("region reference: an axis is a slice, a list or an int")
    return _checked(Region(_KINDS[select_type - 1], shape, tuple(axes), fields))


def _decode_fields(data: bytes, at: int) -> tuple[tuple[str, ...] | None, int]:
    if not data[at]:
        return None, at + 1
    (count,) = unpack_from("<H", data, at + 1)
    at += 3
    names = []
    for _ in range(count):
        (length,) = unpack_from("<H", data, at)
        names.append(data[at + 2 : at + 2 + length].decode("utf-8"))
        at += 2 + length
    return tuple(names), at
