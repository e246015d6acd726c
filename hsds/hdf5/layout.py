"""Storage layouts: validation of what clients ask for, and the layout a stored dataset has.

Rules: contract, section 5.1 and 1.5 of 1.x. ``chunkshape`` chooses for datasets that ask for no layout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from hsds.errors import InvalidInput
from hsds.hdf5.chunkshape import guess_chunk_shape
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.ids import check_id
from hsds.hdf5.reasons import shown

Json = dict[str, Any]
LayoutClass = Literal[
    "H5D_CHUNKED",
    "H5D_CONTIGUOUS",
    "H5D_COMPACT",
    "H5D_CONTIGUOUS_REF",
    "H5D_CHUNKED_REF",
    "H5D_CHUNKED_REF_INDIRECT",
]
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "H5D_CHUNKED": ("dims",),
    "H5D_CONTIGUOUS": (),
    "H5D_COMPACT": (),
    "H5D_CONTIGUOUS_REF": ("file_uri", "offset", "size"),
    "H5D_CHUNKED_REF": ("dims", "file_uri", "chunks"),
    "H5D_CHUNKED_REF_INDIRECT": ("dims", "chunk_table"),
}


@dataclass(frozen=True, slots=True)
class LayoutLimits:
    """Sizes in bytes that decide on layouts; the defaults are HSDS's (contract, section 7.5)."""

    min_chunk_size: int = 1 << 20
    """A chunk shape chosen here is expanded until a chunk has this size."""
    max_chunk_size: int = 4 << 20
    """A chunk shape chosen here is halved until a chunk has no more than this."""
    max_compact_size: int = 65536
    """Largest H5D_COMPACT dataset."""
    max_chunk_memory: int = 128 << 20
    """Largest chunk, or contiguous dataset, that clients may ask for."""
    max_chunks_per_folder: int = 0
    """Above this number of chunks they are spread over partitions of the key space; 0 for never."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dataset is stored: what is not chunked is one chunk. ``chunk_shape`` is empty for null spaces."""

    cls: LayoutClass
    chunk_shape: tuple[int, ...]
    partition_count: int = 1


def choose_layout(props: Json, dataspace: Dataspace, datatype: Datatype, limits: LayoutLimits) -> Json | None:
    """The layout of a new dataset as ``creationProperties.layout`` holds it, from what the client asked for.

    None for a null space. ``InvalidInput`` when the request's layout cannot be.
    """
    asked = props.get("layout")
    if asked is not None:
        check_layout(asked, dataspace, datatype, limits)
    if dataspace.kind == "null":
        return None
    layout = dict(asked) if asked is not None else _automatic(props, dataspace, datatype, limits)
    if isinstance(layout.get("dims"), int):
        layout["dims"] = [layout["dims"]]
    layout.pop("partition_count", None)
    if layout["class"] == "H5D_CHUNKED" and (count := _partitions(layout["dims"], dataspace, limits)) > 1:
        layout["partition_count"] = count
    return layout


def check_layout(layout: object, dataspace: Dataspace, datatype: Datatype, limits: LayoutLimits) -> None:
    """Raise ``InvalidInput`` unless a client's layout fits the dataset."""
    if not isinstance(layout, dict):
        raise InvalidInput("layout must be an object with a class")
    cls = layout.get("class")
    if not isinstance(cls, str) or cls not in _REQUIRED:
        raise InvalidInput(f"unknown layout class: {shown(cls)}")
    if missing := [key for key in _REQUIRED[cls] if key not in layout]:
        raise InvalidInput(f"layout {cls} needs {', '.join(missing)}")
    if "dims" in layout and "dims" not in _REQUIRED[cls]:
        raise InvalidInput(f"layout {cls} has no dims")
    if dataspace.kind == "null":
        raise InvalidInput("a dataset with a null dataspace has no layout")
    if cls.endswith(("_REF", "_INDIRECT")):
        _check_reference(layout, cls, datatype, extensible=dataspace.maxdims is not None)
    if "dims" in layout:
        _check_chunk_dims(layout["dims"], dataspace, datatype, limits if cls == "H5D_CHUNKED" else None)
    if cls in ("H5D_CONTIGUOUS", "H5D_COMPACT"):
        _check_one_chunk(cls, dataspace, datatype, limits)


def layout_of(dataset: Json) -> Layout:
    """The layout of a stored dataset, of either HSDS version or our own.

    A top-level layout (0.9, and ours for 0.9 to read) holds the chunk shape that the chunks really have; 0.9
    stores contiguous datasets in several chunks. The class is what the client asked for.
    """
    top = dataset.get("layout") or {}
    own = (dataset.get("creationProperties") or {}).get("layout") or {}
    space = Dataspace.from_json(dataset["shape"])
    cls: Any = own.get("class") or top.get("class") or "H5D_CONTIGUOUS"
    if cls not in _REQUIRED:
        raise InvalidInput(f"unknown layout class: {cls!r}")
    partition_count = top.get("partition_count") or own.get("partition_count") or 1
    if space.kind == "null":
        return Layout(cls, ())
    dims = top.get("dims") or own.get("dims")
    shape = (dims,) if isinstance(dims, int) else tuple(dims) if dims else one_chunk_shape(space)
    return Layout(cls, shape, partition_count)


def one_chunk_shape(dataspace: Dataspace) -> tuple[int, ...]:
    """Shape of the only chunk of a dataset that is not chunked."""
    return tuple([max(extent, 1) for extent in dataspace.extents])


def _automatic(props: Json, dataspace: Dataspace, datatype: Datatype, limits: LayoutLimits) -> Json:
    if dataspace.kind == "scalar":
        return {"class": "H5D_CONTIGUOUS"}
    small = dataspace.npoints * datatype.itemsize < limits.min_chunk_size
    if small and dataspace.maxdims is None and not props.get("filters"):
        return {"class": "H5D_CONTIGUOUS"}
    shape = guess_chunk_shape(
        dataspace, datatype.itemsize, min_size=limits.min_chunk_size, max_size=limits.max_chunk_size
    )
    return {"class": "H5D_CHUNKED", "dims": list(shape)}


def _check_reference(layout: Json, cls: str, datatype: Datatype, *, extensible: bool) -> None:
    if datatype.variable:
        raise InvalidInput(f"layout {cls} cannot hold variable-length types")
    if cls == "H5D_CONTIGUOUS_REF" and extensible:
        raise InvalidInput(f"a dataset with maxdims cannot have layout {cls}")
    uri = layout.get("file_uri")
    if uri is not None and not isinstance(uri, str):
        raise InvalidInput("layout file_uri must be text")
    for key in ("offset", "size"):
        if cls == "H5D_CONTIGUOUS_REF" and (type(layout[key]) is not int or layout[key] < 0):
            raise InvalidInput(f"layout {key} must be a number of bytes")
    if cls == "H5D_CHUNKED_REF" and not isinstance(layout["chunks"], dict):
        raise InvalidInput("layout chunks must map chunk indices to [offset, size]")
    if cls == "H5D_CHUNKED_REF_INDIRECT":
        check_id(layout["chunk_table"], "datasets")


def _check_chunk_dims(
    value: object, dataspace: Dataspace, datatype: Datatype, limits: LayoutLimits | None
) -> None:
    if dataspace.kind != "simple":
        raise InvalidInput(f"a {dataspace.kind} dataset cannot be chunked")
    dims = value if isinstance(value, list) else [value]
    if not all(type(extent) is int and extent > 0 for extent in dims):
        raise InvalidInput("layout dims must be integers greater than 0")
    if len(dims) != dataspace.rank:
        raise InvalidInput(f"layout dims have {len(dims)} axes, the shape has {dataspace.rank}")
    bounds = dataspace.maxdims if dataspace.maxdims is not None else dataspace.dims
    for extent, bound in zip(dims, bounds, strict=True):
        if bound is not None and extent > bound:
            raise InvalidInput(f"layout dims hold {extent}, more than the extent {bound}")
    nbytes = math.prod(dims) * datatype.itemsize
    if limits is not None and nbytes > limits.max_chunk_memory:
        raise InvalidInput(f"a chunk of {nbytes} bytes is over the limit of {limits.max_chunk_memory}")


def _check_one_chunk(cls: str, dataspace: Dataspace, datatype: Datatype, limits: LayoutLimits) -> None:
    if dataspace.maxdims is not None:
        raise InvalidInput(f"a dataset with maxdims cannot have layout {cls}")
    nbytes = dataspace.npoints * datatype.itemsize
    limit = limits.max_compact_size if cls == "H5D_COMPACT" else limits.max_chunk_memory
    if nbytes > limit:
        raise InvalidInput(f"{nbytes} bytes are over the limit of {limit} of layout {cls}")


def _partitions(chunk_shape: list[int], dataspace: Dataspace, limits: LayoutLimits) -> int:
    if limits.max_chunks_per_folder <= 0:
        return 1
    count = math.prod(
        [-(-extent // size) for extent, size in zip(dataspace.extents, chunk_shape, strict=True)]
    )
    return -(-count // limits.max_chunks_per_folder)
