"""What is stored under a root, counted; and how HSDS words it in ``.info.json`` and ``scan_info``.

Contract: section 2.3. Bytes are as stored; logical bytes are what the values would take unfiltered and
without gaps. Nothing is linked to HDF5 files here, so the linked figures are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """Chunks of one dataset, their bytes, and when the last one was written (seconds since the epoch)."""

    num_chunks: int = 0
    allocated_bytes: int = 0
    last_modified: float = 0.0
    logical_bytes: int | None = None
    """None unless asked for: it takes reading the dataset's JSON."""

    def to_json(self) -> Json:
        return {
            "lastModified": self.last_modified,
            "num_chunks": self.num_chunks,
            "allocated_bytes": self.allocated_bytes,
            "logical_bytes": self.logical_bytes or 0,
            "linked_bytes": 0,
            "num_linked_chunks": 0,
        }


@dataclass(frozen=True, slots=True)
class RootStats:
    """Counts over all objects of a root. ``num_groups`` includes the root group."""

    num_groups: int
    num_datatypes: int
    metadata_bytes: int
    last_modified: float
    md5_sum: str
    datasets: Mapping[str, DatasetStats]

    @property
    def num_datasets(self) -> int:
        return len(self.datasets)

    @property
    def num_chunks(self) -> int:
        return sum(dataset.num_chunks for dataset in self.datasets.values())

    @property
    def allocated_bytes(self) -> int:
        return sum(dataset.allocated_bytes for dataset in self.datasets.values())

    @property
    def has_logical(self) -> bool:
        """Whether the datasets' logical bytes were asked for."""
        return all(dataset.logical_bytes is not None for dataset in self.datasets.values())

    def to_json(self, bucket: str, *, start: float, complete: float) -> Json:
        """The content of ``.info.json`` for a scan between these times."""
        datasets = {id_: dataset.to_json() for id_, dataset in self.datasets.items()}
        json: Json = {
            "lastModified": self.last_modified,
            "num_groups": self.num_groups,
            "num_datatypes": self.num_datatypes,
            "datasets": datasets,
            "num_chunks": self.num_chunks,
            "allocated_bytes": self.allocated_bytes,
            "metadata_bytes": self.metadata_bytes,
            "num_linked_chunks": 0,
            "linked_bytes": 0,
            "logical_bytes": sum(dataset["logical_bytes"] for dataset in datasets.values()),
            "bucket": bucket,
            "scan_start": start,
        }
        if self.md5_sum:
            json["md5_sum"] = self.md5_sum
        return json | {"scan_complete": complete}
