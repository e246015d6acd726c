"""Writing values: binary or JSON data to a selection or to points, as they are or repeated over it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.binary import decode, from_base64
from hsds.hdf5.datatype import Compound, Datatype
from hsds.hdf5.jsonvalue import from_json
from hsds.hdf5.selection import Selection
from hsds.hdf5.selecttext import points_from_json
from hsds.servicenode.aside import aside
from hsds.servicenode.brackets import Target
from hsds.servicenode.slabs import plan
from hsds.servicenode.upload import upload
from hsds.servicenode.valuerequest import ValueRequest
from hsds.transport.ops import WriteChunks

Array = np.ndarray[Any, Any]

PIECE = 64 * 2**20
"""Bytes of the selection that repeated data is written to at once."""


async def write_selection(request: ValueRequest, selection: Selection) -> None:
    """Write the request's data to the selection, which is not empty."""
    if selection.npoints == 0:
        raise InvalidInput("the selection holds no elements")
    datatype, fields = request.datatype(), request.fields()
    dims = data_dims(request, selection.shape)
    if streams(request, datatype) and dims == selection.shape:
        await upload(request, selection, datatype, fields)
        return
    await write_data(request, selection, await whole_data(request, datatype, dims))


async def write_data(request: ValueRequest, selection: Selection, data: Array) -> None:
    """Write data, which may have to be repeated, to the selection."""
    for page in plan(request.spec, selection, PIECE):
        part = _part(data, page.target)
        op = WriteChunks(request.bucket, request.spec, page.selection, part, request.fields())
        await request.call.ask(op)


async def write_points(request: ValueRequest) -> None:
    """Write the request's data to ``points`` of its body. Of two at one place the later one stays."""
    if request.space.rank == 0:
        raise InvalidInput("a scalar dataset has no points")
    request.forbid("points", "append", "select", "start", "stop", "step")
    points = points_from_json(request.body["points"], request.dims)
    data = await whole_data(request, request.datatype(), data_dims(request, points.shape))
    await write_data(request, points, data)


def streams(request: ValueRequest, datatype: Datatype) -> bool:
    """Whether the data can be written while it arrives."""
    return request.call.has_binary_body and not datatype.variable


def data_dims(request: ValueRequest, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Extents of the data for a selection of ``shape``: those, or with ``element_count`` ones of which the
    leading axes are 1 and repeated, by the rules of numpy.
    """
    count = request.integer("element_count")
    if count is None or count == math.prod(shape):
        return shape
    for axis in range(len(shape), 0, -1):
        if count == math.prod(shape[axis:]):
            return (1,) * axis + shape[axis:]
    raise InvalidInput(f"element_count {count} does not go with a selection of {list(shape)} elements")


async def whole_data(request: ValueRequest, datatype: Datatype, dims: tuple[int, ...]) -> Array:
    """The request's data, read whole: an array of ``dims`` and ``datatype``."""
    if request.call.has_binary_body:
        body = await request.call.body()
        if not datatype.variable:
            return decode(body, datatype, dims)
        return await aside(len(body), lambda: decode(body, datatype, dims))
    if request.body.get("value_base64") is not None:
        return decode(from_base64(request.body["value_base64"], "value_base64"), datatype, dims)
    if "value" not in request.body:
        raise InvalidInput("the body has no value")
    single = len(request.fields() or ()) == 1
    value = request.body["value"]
    if request.space.rank == 0:
        return _from_json(value, datatype, (), single=single)[np.newaxis]
    size = request.call.request.content_length or 0
    return await aside(size, lambda: _from_json(value, datatype, dims, single=single))


def _from_json(value: object, datatype: Datatype, dims: tuple[int, ...], *, single: bool) -> Array:
    """JSON values of a type. Those of a ``single`` member may also come bare, without a list around each."""
    try:
        return from_json(value, datatype, dims)
    except InvalidInput:
        if not (single and isinstance(datatype, Compound)):
            raise
        ((name, member),) = datatype.fields
        data = np.empty(dims, dtype=datatype.dtype)
        data[name] = from_json(value, member, dims)
        return data


def _part(data: Array, target: Target) -> Array:
    """The data of one page. Axes along which it is repeated stay as they are: the data node repeats them."""
    return data[tuple(slice(None) if data.shape[axis] == 1 else part for axis, part in enumerate(target))]
