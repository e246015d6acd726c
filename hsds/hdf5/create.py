"""New objects: from an item of a create request to the JSON that is stored, and back to what a GET presents.

Validation: contract, sections 3.8, 3.9 and 5, and 1.4 to 1.6 of 1.x. Where the object is linked, what its
initial value is, and which type a committed type's id stands for are the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from hsds.errors import InvalidInput
from hsds.hdf5.attribute import normalize_attribute
from hsds.hdf5.chunkshape import contiguous_ref_shape
from hsds.hdf5.created import TimeRules
from hsds.hdf5.dataset import dataset_filters
from hsds.hdf5.dataspace import UNLIMITED, Dataspace
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.fill import parse_fill
from hsds.hdf5.filters import canonical_filters, effective_filters
from hsds.hdf5.initializer import parse_initializer
from hsds.hdf5.layout import LayoutLimits, choose_layout, layout_of, one_chunk_shape
from hsds.hdf5.link import normalize_link
from hsds.hdf5.typejson import present_type
from hsds.hdf5.typeparse import parse_datatype

Json = dict[str, Any]

_TIMES: Final = TimeRules()


def new_group(body: Json, root: str, id_: str, now: float, *, times: TimeRules = _TIMES) -> Json:
    """The stored JSON of a new group. ``InvalidInput`` for a body that cannot be.

    Its links may be as old as those of a batch: the client may have kept them for as long.
    """
    if body.get("type") is not None:
        raise InvalidInput("a group has no type")
    group = _new_object(body, root, id_, now, times)
    drift = times.max_timestamp_drift
    normalize = partial(normalize_link, now=now, predate_max_time=drift, max_timestamp_drift=drift)
    group["links"] = _map_of(body, "links", normalize)
    return group


def new_datatype(body: Json, root: str, id_: str, now: float, *, times: TimeRules = _TIMES) -> Json:
    """The stored JSON of a new committed datatype. ``InvalidInput`` for a body that cannot be."""
    _refuse_links(body, "a datatype")
    return _new_object(body, root, id_, now, times) | {"type": _datatype(body).json}


def new_dataset(
    body: Json,
    root: str,
    id_: str,
    now: float,
    *,
    limits: LayoutLimits,
    infer_null_space: bool = False,
    times: TimeRules = _TIMES,
) -> Json:
    """The stored JSON of a new dataset. ``InvalidInput`` for a body that cannot be.

    With ``infer_null_space`` an item with an ``id``, but neither shape nor layout, has a null dataspace: so
    h5pyd 1.x spells it, which gives every scalar a layout (contract 1.x, 6.9).
    """
    _refuse_links(body, "a dataset")
    datatype = _datatype(body)
    dataset = _new_object(body, root, id_, now, times)
    props = dataset.get("creationProperties", {})
    space = _dataspace(body, props, infer_null_space=infer_null_space)
    if space.kind == "null" and body.get("value") is not None:
        raise InvalidInput("a dataset with a null dataspace has no value")
    parse_fill(props, datatype)
    if props.get("initializer") is not None:
        parse_initializer(props, datatype, len(space.extents))
    layout = choose_layout(props, space, datatype, limits)
    dataset |= {"type": datatype.json, "shape": space.to_json()}
    dataset["creationProperties"] = stored = dict(props)
    if props.get("filters") is not None:
        _add_filters(dataset, stored, space, datatype)
    stored.pop("layout", None)
    if layout is not None:
        stored["layout"] = layout
        dataset["layout"] = _stored_layout(layout, space, datatype, limits)
    return dataset


def present_dataset(dataset: Json) -> Json:
    """A stored dataset as GET gives it, without attributes: for clients of HSDS 0.9 and 1.x alike.

    ``layout`` is both at the top, where 0.9 has it, and in ``creationProperties``.
    """
    props = dict(dataset.get("creationProperties") or {})
    if filters := dataset_filters(dataset):
        props["filters"] = filters
    shape = dataset["shape"]
    if maxdims := shape.get("maxdims"):
        shape = shape | {"maxdims": [UNLIMITED if m in (0, None) else m for m in maxdims]}
    presented = {key: dataset[key] for key in ("id", "root", "created", "lastModified")}
    presented |= {"type": present_type(dataset["type"]), "shape": shape, "creationProperties": props}
    if shape["class"] == "H5S_NULL":
        props["layout"] = {}
        return presented
    layout = layout_of(dataset)
    own = props.get("layout") or {"class": layout.cls}
    chunks: Json = {"class": "H5D_CHUNKED", "dims": list(layout.chunk_shape)}
    if layout.partition_count > 1:
        chunks["partition_count"] = layout.partition_count
    presented["layout"] = {"class": layout.cls} if layout.cls == "H5D_COMPACT" else chunks
    props["layout"] = own | chunks if layout.cls == "H5D_CHUNKED" else own
    return presented


def _new_object(body: Json, root: str, id_: str, now: float, times: TimeRules) -> Json:
    json: Json = {"id": id_, "root": root, "created": now, "lastModified": now}
    normalize = partial(
        normalize_attribute,
        now=now,
        predate_max_time=times.predate_max_time,
        max_timestamp_drift=times.max_timestamp_drift,
    )
    json["attributes"] = _map_of(body, "attributes", normalize)
    props = body.get("creationProperties")
    if props is None:
        return json
    if not isinstance(props, dict):
        raise InvalidInput("creationProperties must be an object")
    return json | {"creationProperties": props}


def _map_of(body: Json, key: str, normalize: Callable[[Any], Json]) -> dict[str, Json]:
    items = body.get(key)
    if items is None:
        return {}
    if not isinstance(items, dict):
        raise InvalidInput(f"{key} must be an object, by name")
    return {name: normalize(item) for name, item in items.items()}


def _refuse_links(body: Json, what: str) -> None:
    if body.get("links") is not None:
        raise InvalidInput(f"{what} has no links")


def _datatype(body: Json) -> Datatype:
    if body.get("type") is None:
        raise InvalidInput("type is missing")
    return parse_datatype(body["type"])


def _dataspace(body: Json, props: Json, *, infer_null_space: bool) -> Dataspace:
    shape = body.get("shape")
    if infer_null_space and shape is None and "id" in body and not props.get("layout"):
        shape = "H5S_NULL"
    return Dataspace.from_request(shape, body.get("maxdims"))


def _add_filters(dataset: Json, props: Json, space: Dataspace, datatype: Datatype) -> None:
    """Check the filters, and store them: those that HSDS acts on rightly in ``creationProperties``, and where
    that is not all of them, all at the top level, which it ignores.
    """
    filters = canonical_filters(props["filters"])
    if filters and space.kind == "null":
        raise InvalidInput("a dataset with a null dataspace has no filters")
    layout = props.get("layout")
    cls = str(layout.get("class")) if isinstance(layout, dict) else ""
    if filters and cls in ("H5D_CONTIGUOUS", "H5D_COMPACT", "H5D_CONTIGUOUS_REF"):
        raise InvalidInput(f"layout {cls} cannot have filters")
    props["filters"] = filters
    elsewhere = cls.endswith(("_REF", "_INDIRECT"))  # where HDF5's chunks are as the filters say
    effective = filters if elsewhere else effective_filters(filters, variable=datatype.variable)
    if effective != filters:
        props["filters"] = effective
        dataset["filters"] = filters


def _stored_layout(layout: Json, space: Dataspace, datatype: Datatype, limits: LayoutLimits) -> Json:
    """The layout at the top level, by which HSDS 0.9 finds the chunks, whatever the class."""
    if layout["class"] == "H5D_CHUNKED":
        return layout
    if layout["class"] == "H5D_CONTIGUOUS_REF":
        shape = contiguous_ref_shape(space, datatype.itemsize, max_size=limits.max_chunk_size)
        return {"class": "H5D_CHUNKED", "dims": list(shape)}
    return {"class": "H5D_CHUNKED", "dims": layout.get("dims") or list(one_chunk_shape(space))}
