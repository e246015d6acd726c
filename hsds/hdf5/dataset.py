"""What the chunks of a dataset are: type, layout, filters and fill, parsed once from its stored JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hsds.errors import NotSupported
from hsds.hdf5 import binary
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.fill import full, parse_fill
from hsds.hdf5.filters import Buffer, Pipeline
from hsds.hdf5.initializer import Initializer, parse_initializer
from hsds.hdf5.keys import chunk_name, dataset_prefix
from hsds.hdf5.layout import LayoutClass, layout_of
from hsds.hdf5.typeparse import parse_datatype

Array = np.ndarray[Any, Any]
Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class DatasetSpec:
    """All that coding, naming and filling the chunks of a dataset needs; none of it ever changes.

    The extents can change and are not here. Datasets whose values are in an HDF5 file elsewhere
    (``*_REF`` layouts) can be described; their values raise ``NotSupported``. Not slotted, for the sake of
    what is computed once.
    """

    id: str
    datatype: Datatype
    layout_class: LayoutClass
    chunk_shape: tuple[int, ...]
    partition_count: int
    pipeline: Pipeline
    fill: Array | None
    """One element; None for zeros."""
    initializer: Initializer | None
    source: Json
    """The parts of the stored JSON that the rest was parsed from."""

    @classmethod
    def from_json(cls, dataset: Json) -> DatasetSpec:
        """Parse the stored JSON of a dataset (with or without links, attributes and the like)."""
        props = dataset.get("creationProperties") or {}
        source = {key: dataset[key] for key in _SOURCES if key in dataset}
        datatype = parse_datatype(dataset["type"])
        layout = layout_of(dataset)
        return cls(
            id=dataset["id"],
            datatype=datatype,
            layout_class=layout.cls,
            chunk_shape=layout.chunk_shape,
            partition_count=layout.partition_count,
            pipeline=Pipeline.parse(dataset_filters(dataset), datatype),
            fill=parse_fill(props, datatype),
            initializer=parse_initializer(props, datatype, len(layout.chunk_shape)),
            source=source,
        )

    def to_json(self) -> Json:
        """What ``from_json`` makes an equal value of, for operations that cross a wire."""
        return self.source

    @cached_property
    def chunk_nbytes(self) -> int:
        """Size of a decoded chunk in bytes; an estimate for variable-length types."""
        return math.prod(self.chunk_shape) * self.datatype.itemsize

    @cached_property
    def prefix(self) -> str:
        """Prefix of the keys of this dataset's chunks."""
        return dataset_prefix(self.id)

    def key(self, index: Sequence[int]) -> str:
        """Key of a chunk in the store."""
        self.check_values()
        return self.prefix + chunk_name(index, self.partition_count)

    def new_chunk(self, index: Sequence[int]) -> Array:
        """A chunk as it reads before anything was written to it: writable, of ``chunk_shape``."""
        self.check_values()
        if self.initializer is not None:
            start = tuple([i * size for i, size in zip(index, self.chunk_shape, strict=True)])
            return self.initializer.chunk(start, self.chunk_shape)
        return full(self.chunk_shape, self.datatype, self.fill)

    def decode(self, data: Buffer) -> Array:
        """A chunk from stored bytes, perhaps read-only. Raises ``ChunkError`` when they are damaged."""
        self.check_values()
        if self.datatype.variable:
            return binary.decode(self.pipeline.decode(data), self.datatype, self.chunk_shape)
        return binary.decode(self.pipeline.decode(data, self.chunk_nbytes), self.datatype, self.chunk_shape)

    def encode(self, chunk: Array, mark: bytes = b"") -> Buffer:
        """The bytes to store for a whole chunk; ``mark`` as in ``Pipeline.encode``."""
        self.check_values()
        return self.pipeline.encode(binary.encode(chunk, self.datatype), mark)

    def check_values(self) -> None:
        """Raise ``NotSupported`` if the values of this dataset are not in chunks of this service."""
        if self.layout_class.endswith(("_REF", "_INDIRECT")):
            raise NotSupported(f"values of datasets with layout {self.layout_class} are not supported")


_SOURCES = ("id", "type", "shape", "layout", "creationProperties", "filters")


def dataset_filters(dataset: Json) -> list[Json]:
    """The filters a dataset was made with; ``effective_filters`` says why they can be in two places."""
    filters = dataset.get("filters")
    if filters is None:
        filters = (dataset.get("creationProperties") or {}).get("filters")
    return filters or []
