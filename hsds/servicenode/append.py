"""Appending: rows are reserved at the dataset's end in one step, so that concurrent appenders never meet."""

from __future__ import annotations

import math

from hsds.errors import Conflict, InvalidInput
from hsds.hdf5.selection import Hyperslab, whole
from hsds.servicenode.upload import check_length, upload
from hsds.servicenode.valuerequest import ValueRequest
from hsds.servicenode.valuewrite import data_dims, streams, whole_data, write_data
from hsds.transport.ops import Resize


async def append_values(request: ValueRequest, count: int) -> None:
    """Make the dataset ``count`` longer along ``append_dim`` and write the request's data there.

    Everything that can be wrong with the data is found before the dataset grows. What cannot be known then,
    such as a client that leaves in the middle of its body, leaves fill values in its rows. A repeat with the
    same ``Idempotency-Key`` gets the same rows, and writes them again.
    """
    axis = request.integer("append_dim") or 0
    shape = _appended_shape(request, count, axis)
    datatype, fields = request.datatype(), request.fields()
    dims = data_dims(request, shape)
    http = request.call.request
    if streams(request, datatype) and dims == shape and http.content_length is not None:
        check_length(request, math.prod(shape) * datatype.itemsize)
        await upload(request, await _reserve(request, shape, axis), datatype, fields)
        return
    data = await whole_data(request, datatype, dims)
    rows = await _reserve(request, shape, axis)
    await write_data(request, rows, data)


def _appended_shape(request: ValueRequest, count: int, axis: int) -> tuple[int, ...]:
    request.forbid("append", "select", "start", "stop", "step", "points", "query")
    if count < 1:
        raise InvalidInput(f"append must be positive, got {count}")
    if request.space.rank == 0 or request.space.maxdims is None:
        raise InvalidInput(f"dataset {request.spec.id} is not extensible")
    if not 0 <= axis < request.space.rank:
        raise InvalidInput(f"append_dim {axis} is not an axis of a dataset of rank {request.space.rank}")
    shape = tuple(count if at == axis else extent for at, extent in enumerate(request.dims))
    if 0 in shape:
        raise InvalidInput(f"append along axis {axis} adds nothing: the extents are {list(request.dims)}")
    return shape


async def _reserve(request: ValueRequest, shape: tuple[int, ...], axis: int) -> Hyperslab:
    """Extend the dataset; the new elements."""
    resize = Resize(
        request.bucket,
        request.spec.id,
        extend=shape[axis],
        extend_dim=axis,
        operation=request.call.operation,
    )
    resized = await request.call.ask(resize)
    start = tuple(resized.before[at] if at == axis else 0 for at in range(len(shape)))
    added = Hyperslab(start, resized.after, whole(resized.after).step)
    if added.shape != shape:
        raise Conflict(f"dataset {request.spec.id} was resized by another request meanwhile")
    return added
