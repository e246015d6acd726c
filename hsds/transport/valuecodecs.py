"""How values of the data model cross a wire: arrays and coordinates as buffers, the rest as JSON.

Arrays of fixed types are sent as they lie in memory and arrive as views of what was received. Arrays with
variable-length parts take the form of stored chunks.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from hsds.hdf5.binary import decode, encode
from hsds.hdf5.datatype import Compound, Datatype
from hsds.hdf5.query import ELEMENT, Query, parse_query
from hsds.hdf5.selection import Fancy, Hyperslab, Points, Selection
from hsds.transport.frames import BadFrame
from hsds.transport.sides import Codec, Incoming, Json, Outgoing

Array = np.ndarray[Any, Any]
_FEW = 64


def put_array(array: Array, to: Outgoing) -> Json:
    """``[buffer, shape]``, with the dtype as third unless it is that of the elements of the operation."""
    array = unrepeated(np.asarray(array))
    datatype = to.datatype
    if datatype is not None and datatype.variable and array.dtype.hasobject:
        axes = datatype.dtype.shape
        if axes and array.ndim < len(axes):
            array = np.broadcast_to(array, axes)
        return [to.add(encode(array, datatype)), list(array.shape)]
    same = datatype is not None and array.dtype == datatype.dtype.base
    if not same and datatype is not None and array.dtype.names:
        array, same = array.astype(datatype.dtype.base), True
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)
    number = to.add(flat.data)
    return [number, list(array.shape)] if same else [number, list(array.shape), array.dtype.str]


def get_array(json: Json, source: Incoming) -> Array:
    """The array: a view of the buffer for fixed types, perhaps read-only."""
    number, dims, *other = json
    buffer, shape = source.buffer(number), tuple(dims)
    datatype = source.datatype
    if not other and datatype is not None and datatype.variable:
        axes = datatype.dtype.shape
        return decode(buffer, datatype, shape[: len(shape) - len(axes)])
    dtype = np.dtype(other[0]) if other else _base(datatype)
    if dtype.hasobject or prod(shape) * dtype.itemsize != buffer.nbytes:
        raise BadFrame(f"an array of {shape} elements of {dtype} in {buffer.nbytes} bytes")
    if not buffer.nbytes:
        return np.empty(shape, dtype)
    return np.frombuffer(buffer, dtype).reshape(shape)


def buffer_of(json: Json, out: Array, datatype: Datatype) -> tuple[int, memoryview] | None:
    """Number of the buffer that holds an array, and the memory of ``out``, if they have the same form."""
    number, dims, *other = json
    fits = not other and not datatype.variable and out.dtype == datatype.dtype.base
    if not fits or out.shape != tuple(dims) or not out.flags.c_contiguous or not out.size:
        return None
    return number, out.reshape(-1).view(np.uint8).data


def unrepeated(array: Array) -> Array:
    """One element along each axis along which an array repeats itself by its strides."""
    if 0 not in array.strides or not array.size:
        return array
    return array[tuple(slice(1) if step == 0 else slice(None) for step in array.strides)]


def _base(datatype: Datatype | None) -> np.dtype[Any]:
    if datatype is None:
        raise BadFrame("an array of an unknown type")
    return datatype.dtype.base


def put_selection(selection: Selection, to: Outgoing) -> Json:
    """Three lists for a hyperslab, the shape and buffer of coordinates for points, else a list of axes."""
    match selection:
        case Hyperslab(start, stop, step):
            return [start, stop, step]
        case Points(coords):
            return {"points": _put_integers(coords, to), "rank": selection.rank}
        case Fancy(axes):
            return {
                "axes": [
                    [item.start, item.stop, item.step] if isinstance(item, slice) else _put_integers(item, to)
                    for item in axes
                ]
            }


def get_selection(json: Json, source: Incoming) -> Selection:
    """The selection. It was checked against the extents by its sender."""
    match json:
        case [start, stop, step]:
            return Hyperslab(tuple(start), tuple(stop), tuple(step))
        case {"points": number, "rank": rank}:
            return Points(_get_integers(number, source).reshape(-1, rank))
        case {"axes": axes}:
            return Fancy(
                tuple(
                    slice(*item) if isinstance(item, list) else _get_integers(item, source) for item in axes
                )
            )
    raise BadFrame("not a selection")


def _put_integers(values: Array, to: Outgoing) -> int:
    return to.add(np.ascontiguousarray(values, "<i8").reshape(-1).view(np.uint8).data)


def _get_integers(number: Json, source: Incoming) -> Array:
    return np.frombuffer(source.buffer(number), "<i8").astype(np.int64, copy=False)


def _put_query(query: Query, to: Outgoing) -> Json:
    return query.text


def _get_query(text: Json, source: Incoming) -> Query:
    if source.datatype is None:
        raise BadFrame("a query of an unknown type")
    return parse_query(text, source.datatype)


def _put_constants(values: dict[str, Any], to: Outgoing) -> Json:
    """Arrays by member, each of the member's type; what is no array is JSON, in a list of one."""
    whole = to.datatype
    json = {}
    for name, value in values.items():
        to.datatype = _member(whole, name)
        if isinstance(value, np.ndarray | np.generic):
            json[name] = put_array(np.asarray(value), to)
        else:
            json[name] = [[value]]
    to.datatype = whole
    return json


def _get_constants(json: Json, source: Incoming) -> dict[str, Any]:
    whole = source.datatype
    values = {}
    for name, item in json.items():
        source.datatype = _member(whole, name)
        values[name] = item[0][0] if isinstance(item[0], list) else get_array(item, source)
    source.datatype = whole
    return values


def _member(datatype: Datatype | None, name: str) -> Datatype | None:
    if name == ELEMENT and not isinstance(datatype, Compound):
        return datatype
    return dict(datatype.fields).get(name) if isinstance(datatype, Compound) else None


def _put_slots(slots: frozenset[int], to: Outgoing) -> Json:
    """A short list, or else a bit for each slot."""
    if len(slots) <= _FEW:
        return list(slots)
    bits = np.zeros(max(slots) + 1, np.uint8)
    bits[list(slots)] = 1
    return np.packbits(bits).tobytes().hex()


def _get_slots(json: Json, source: Incoming) -> frozenset[int]:
    if isinstance(json, str):
        json = np.flatnonzero(np.unpackbits(np.frombuffer(bytes.fromhex(json), np.uint8))).tolist()
    return frozenset(json)


ARRAY = Codec(put_array, get_array, late=True)
SELECTION = Codec(put_selection, get_selection)
SPEC = Codec(lambda spec, to: to.add_spec(spec), lambda number, source: source.spec(number))
QUERY = Codec(_put_query, _get_query, late=True)
SLOTS = Codec(_put_slots, _get_slots)
CONSTANTS = Codec(_put_constants, _get_constants, late=True)
