"""Adding up a listing of everything under a root."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hsds.hdf5 import keys
from hsds.hdf5.keys import StoredKey
from hsds.store.base import ObjectInfo
from hsds.transport.rootstats import DatasetStats, RootStats

_SLOT = 16


@dataclass(slots=True)
class Tally:
    """Takes a listing object by object. What has no bytes is a tombstone; chunks without a dataset are waste
    that is still to be swept: neither counts.
    """

    chunks: dict[str, DatasetStats] = field(default_factory=dict)
    objects: dict[str, ObjectInfo] = field(default_factory=dict)
    """Groups, datasets and datatypes by id."""
    etags: list[tuple[str, str, str]] = field(default_factory=list)
    """Id (of chunks too), ETag, and the id of the object that it stands and falls with."""

    def add(self, info: ObjectInfo) -> None:
        """Count one object of the listing."""
        parsed = keys.parse_key(info.key)
        if parsed is None or not info.size:
            return
        if parsed.kind == "chunk":
            sofar = self.chunks.get(parsed.id, DatasetStats())
            self.chunks[parsed.id] = DatasetStats(
                sofar.num_chunks + 1,
                sofar.allocated_bytes + info.size,
                max(sofar.last_modified, info.last_modified),
            )
            self.etags.append((_chunk_id(parsed, info.key), info.etag, parsed.id))
        elif parsed.kind in ("group", "dataset", "datatype"):
            self.objects[parsed.id] = info
            self.etags.append((parsed.id, info.etag, parsed.id))

    def dataset(self, id_: str) -> DatasetStats:
        """What is stored of one dataset."""
        stats, info = self.chunks.get(id_, DatasetStats()), self.objects.get(id_)
        if info is None:
            return DatasetStats()
        return replace(stats, last_modified=max(stats.last_modified, info.last_modified))

    def result(self, logical: Mapping[str, int | None]) -> RootStats:
        """Everything, with the logical bytes of datasets as far as they are given (None: as allocated)."""
        datasets = {}
        for id_ in self.objects:
            if id_[0] == "d":
                stats = self.dataset(id_)
                if id_ in logical:
                    size = logical[id_]
                    stats = replace(stats, logical_bytes=stats.allocated_bytes if size is None else size)
                datasets[id_] = stats
        modified = [info.last_modified for info in self.objects.values()]
        modified += [stats.last_modified for stats in datasets.values()]
        return RootStats(
            num_groups=sum(id_[0] == "g" for id_ in self.objects),
            num_datatypes=sum(id_[0] == "t" for id_ in self.objects),
            metadata_bytes=sum(info.size for info in self.objects.values()),
            last_modified=max(modified, default=0.0),
            md5_sum=self._md5_sum(),
            datasets=datasets,
        )

    def _md5_sum(self) -> str:
        """As HSDS: MD5 over the first 16 characters of each ETag in the order of ids; none without ETags."""
        etags = [(id_, etag) for id_, etag, owner in self.etags if owner in self.objects]
        if not etags or not all(etag for _, etag in etags):
            return ""
        digest = hashlib.md5(usedforsecurity=False)
        for _, etag in sorted(etags):
            digest.update(etag.encode()[:_SLOT].ljust(_SLOT, b"\0"))
        return digest.hexdigest()


def _chunk_id(parsed: StoredKey, key: str) -> str:
    """``c-<uuid>_0_3``, and for a partition ``c7-<uuid>_0_3`` (contract, section 2.1)."""
    parent, _, name = key.rpartition("/")
    last = parent.rpartition("/")[2]
    partition = last[1:] if last.startswith("p") else ""
    return f"c{partition}{parsed.id[1:]}_{name}"
