"""Values by region reference: ``regionref`` names an attribute or a dataset that holds a reference, and the
reference says which elements of the dataset in the URL are meant.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.attribute import attribute_value_array
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.datatype import Datatype, RegionReference
from hsds.hdf5.regionref import Region, decode
from hsds.hdf5.selection import Selection, numpy_index, whole
from hsds.hdf5.selecttext import parse_select
from hsds.hdf5.typeparse import parse_datatype
from hsds.servicenode.valuerequest import ValueRequest
from hsds.transport.ops import GetAttributes, ReadChunks

Array = np.ndarray[Any, Any]

_ATTRIBUTE = re.compile(r"/(groups|datasets)/([^/]+)/attributes/([^/]+)")
_DATASET = re.compile(r"/(datasets)/([^/]+)")


async def region_selection(request: ValueRequest, path: str) -> Selection | None:
    """The elements that the reference at ``path`` names; None for a null reference.

    ``select`` chooses the reference where there are several of them, not elements of the dataset.
    """
    request.forbid("regionref", "query", "append", "points", "start", "stop", "step")
    reference = await _reference(request, path)
    value = decode(reference) if reference else None
    if value is None:
        return None
    return whole(request.dims) if value.region is None else _selection(value.region, request.dims)


async def _reference(request: ValueRequest, path: str) -> bytes:
    call = request.call
    if match := _ATTRIBUTE.fullmatch(path):
        collection, object_id, name = match.groups()
        owner = call.member(request.domain, object_id, "groups" if collection == "groups" else "datasets")
        page = await call.ask(GetAttributes(request.bucket, owner, names=(name,)))
        _, attribute = page.attributes[0]
        space = Dataspace.from_json(attribute["shape"])
        _check_type(parse_datatype(attribute["type"]))
        element = _element(request, space)
        values = attribute_value_array(attribute)
        return _payload(values.reshape(space.extents)[numpy_index(element)])
    if match := _DATASET.fullmatch(path):
        state = await call.object(request.domain, match[2], "datasets")
        spec = call.node.specs.get(state.json)
        _check_type(spec.datatype)
        element = _element(request, Dataspace.from_json(state.json["shape"]))
        return _payload(await call.ask(ReadChunks(request.bucket, spec, element)))
    raise InvalidInput(f"regionref {path!r} is no path of an attribute or a dataset"[:200])


def _check_type(datatype: Datatype) -> None:
    if not isinstance(datatype, RegionReference):
        raise InvalidInput("regionref must name values of type H5T_STD_REF_DSETREG")


def _element(request: ValueRequest, space: Dataspace) -> Selection:
    select = request.option("select")
    selection = parse_select(select, space.extents) if select else whole(space.extents)
    if space.kind == "null" or selection.npoints != 1:
        raise InvalidInput("regionref must name one reference: choose it with select")
    return selection


def _payload(values: Array) -> bytes:
    value = values.ravel()[0]
    return bytes(value) if value else b""


def _selection(region: Region, dims: tuple[int, ...]) -> Selection:
    """The same elements of a dataset of extents ``dims``, all of which must be there."""
    if len(region.shape) != len(dims):
        raise InvalidInput(f"the region has {len(region.shape)} axes, the dataset has {len(dims)}")
    if region.kind == "all":
        return parse_select([f"0:{extent}" for extent in region.shape], dims)
    return parse_select([_term(axis) for axis in region.axes], dims)


def _term(axis: int | slice | tuple[int, ...]) -> object:
    match axis:
        case slice(start=start, stop=stop, step=step):
            last = (
                start + (stop - 1 - start) // step * step
            )  # h5json ends a range a whole step behind its last
            return f"{start}:{last + 1}:{step}"
        case tuple():
            return list(axis)
    return axis
